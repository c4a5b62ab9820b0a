"""The head of a dataset card: what the Hugging Face Hub and `datasets` read of a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from c2c_tasks.publishing.manifest import Manifest
from c2c_tasks.publishing.statistics import Statistics

if TYPE_CHECKING:
    from datasets import DatasetInfo

_LICENCES = """
afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0
cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0
cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0
cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0 ecl-2.0 epl-1.0
epl-2.0 etalab-2.0 eupl-1.1 gpl-2.0 gpl-3.0 isc lgpl-2.1 lgpl-3.0 lppl-1.3c mit mpl-2.0
ms-pl ncsa ofl-1.1 osl-3.0 postgresql unlicense wtfpl zlib
"""
HUB_LICENCES = frozenset(_LICENCES.split())
"""Licences that the Hub has an identifier for which is SPDX's in lower case, ``-only`` and
``-or-later`` left off."""
SPDX = "https://spdx.org/licenses"
_TAGS = [
    "code",
    "python",
    "synthetic",
    "program-synthesis",
    "inductive-reasoning",
    "execution",
    "case2code",
    "arxiv:2407.12504",
]
_SIZES = {
    10**3: "n<1K",
    10**4: "1K<n<10K",
    10**5: "10K<n<100K",
    10**6: "100K<n<1M",
    10**7: "1M<n<10M",
    10**8: "10M<n<100M",
    10**9: "100M<n<1B",
    10**10: "1B<n<10B",
    10**11: "10B<n<100B",
    10**12: "100B<n<1T",
}
"""The Hub's categories by the rows that they end below; there is one more."""


def front_matter(
    manifest: Manifest, statistics: Statistics, schemas: Mapping[str, pa.Schema]
) -> str:
    """Return the YAML of a card's head, without the lines around it.

    `schemas` are the columns of each config.
    """
    from datasets.info import DatasetInfosDict
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCardData

    configs = ordered_configs(manifest)
    data = DatasetCardData(
        pretty_name=manifest.dataset_name,
        **_licences(manifest, statistics.licences),
        language=["code", "en"],
        language_creators=["found", "machine-generated"],
        annotations_creators=["machine-generated"],
        multilinguality=["monolingual"],
        source_datasets=["original"],
        task_categories=["text-generation"],
        size_categories=[size_category(sum(sum(s.values()) for s in manifest.splits.values()))],
        tags=_TAGS,
    )
    infos = {name: _info(name, manifest, statistics, schemas[name]) for name in configs}
    DatasetInfosDict(infos).to_dataset_card_data(data)
    MetadataConfigs({name: _files(name, manifest) for name in configs}).to_dataset_card_data(data)
    return data.to_yaml()


def ordered_configs(manifest: Manifest) -> list[str]:
    """Return the names of the configs, that which is loaded by default first."""
    return sorted(manifest.splits, key=lambda config: config != default_config(manifest))


def default_config(manifest: Manifest) -> str:
    """Return the config that is loaded where none is named."""
    return next((c for c in ("sft", "instruct", "pretrain") if c in manifest.splits), "programs")


def size_category(rows: int) -> str:
    """Return the Hub's size category. The Hub counts the rows of all configs and splits."""
    return next((name for limit, name in _SIZES.items() if rows < limit), "n>1T")


def _licences(manifest: Manifest, licences: Iterable[str]) -> dict[str, Any]:
    """Return the licence fields: those that the Hub knows, and ``other`` for the rest."""
    names = {licence.lower() for licence in licences}
    names = {name.removesuffix("-only").removesuffix("-or-later") for name in names}
    known = sorted(names & HUB_LICENCES)
    if known and names <= HUB_LICENCES:
        return {"license": known[0] if len(known) == 1 else known}
    repository = manifest.config.get("publishing", {}).get("hub_repository")
    hub = f"https://huggingface.co/datasets/{repository}/blob/main/ATTRIBUTION.md"
    return {
        "license": [*known, "other"] if known else "other",
        "license_name": "licences-of-the-source-files",
        "license_link": hub if repository else SPDX,
    }


def _info(
    config: str, manifest: Manifest, statistics: Statistics, schema: pa.Schema
) -> DatasetInfo:
    from datasets import DatasetInfo, Features, SplitDict, SplitInfo

    splits = [
        SplitInfo(split, statistics.memory_bytes.get((config, split), 0), rows)
        for split, rows in manifest.splits[config].items()
    ]
    return DatasetInfo(
        config_name=config,
        features=Features.from_arrow_schema(schema),
        splits=SplitDict.from_split_dict([vars(split) for split in splits]),
        download_size=sum(entry.bytes for entry in manifest.files if entry.config == config),
        dataset_size=sum(split.num_bytes for split in splits),
    )


def _files(config: str, manifest: Manifest) -> dict[str, Any]:
    files = [
        {"split": split, "path": f"{config}/{split}-*.parquet"} for split in manifest.splits[config]
    ]
    default = {"default": True} if config == default_config(manifest) else {}
    return {**default, "data_files": files}
