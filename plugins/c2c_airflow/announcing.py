"""What is told of a release or a report when it is there: on the Asset's page, and on the run."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from c2c_airflow.links import evaluation_page, parts_of, release_card, release_page
from c2c_airflow.run_notes import plain
from c2c_tasks.config import default_target

if TYPE_CHECKING:
    from airflow.sdk import Asset

    from c2c_tasks.publishing.manifest import FunnelStage, Manifest

NOTE_CHARACTERS = 850
"""Of a release's note: the run's note has 1,000, and says more."""
LATEST = ("version", "uri", "date", "parent", "build", "programs", "bytes", "manifest_sha256")
"""What the Asset's page shows of the latest release."""

_GRADED_ON = {
    "held": "held-out cases",
    "all": "all cases",
    "differential": "all cases and searched inputs",
    "tests": "its tests",
}

log = logging.getLogger(__name__)


def announce(release: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the metadata of the Asset event of a release, and its note in Markdown.

    `release` is what the step `publish` returned; the rest is read off its manifest.
    """
    from c2c_tasks.publishing.manifest import MANIFEST, Manifest
    from c2c_tasks.store import read

    uri = release["uri"]
    text = read(f"{uri}/{MANIFEST}")
    manifest = Manifest.model_validate_json(text)
    metadata = {
        **release,
        "date": manifest.created_for,
        "parent": manifest.parent,
        "build": manifest.build_id,
        "mode": manifest.config["source"]["mode"],
        "programs": sum(manifest.splits.get("programs", {}).values()),
        "files": len(manifest.files),
        "bytes": sum(entry.bytes for entry in manifest.files),
        "manifest_sha256": hashlib.sha256(text).hexdigest(),
        "page": release_page(uri),
        "card": release_card(uri),
    }
    return metadata, _note(manifest, metadata)


def keep_latest(context: Any, asset: Asset, metadata: Mapping[str, Any]) -> None:
    """Put the latest release of the deployment's dataset where the Asset's page shows it.

    Events are a history, of other targets too; the Asset's state is what there is now. That it
    cannot be put there fails nothing.
    """
    if not metadata["latest"] or parts_of(metadata["uri"])[0] != default_target():
        return
    try:
        context["asset_state_store"][asset].set("latest", {key: metadata[key] for key in LATEST})
    except Exception as error:
        log.warning("the Asset's page does not show %s: %s", metadata["version"], error)


def evaluation_note(written: Mapping[str, Any]) -> str:
    """Return the note of an evaluation in Markdown: what was asked of whom, and pass@k.

    `written` is what the step `report` returned.
    """
    lines = [
        f"**[{plain(written['model'])}]({evaluation_page(written)})** on {written['problem_set']}: "
        f"{written['problems']:,} problems, {written['answers']:,} answers",
        "",
    ]
    scores = written["scores"]
    for task in dict.fromkeys(score["task"] for score in scores):
        ours = [score for score in scores if score["task"] == task]
        rates = []
        for k in dict.fromkeys(score["k"] for score in ours):
            of_k = ", ".join(_rate(score) for score in ours if score["k"] == k)
            rates.append(f"pass@{k} {of_k}")
        lines.append(f"- {task}: {'; '.join(rates)}")
    return "\n".join(lines)


def training_note(trained: Mapping[str, Any]) -> str:
    """Return the note of a training in Markdown; `trained` is what its last step returned."""
    lines = [
        f"**{trained['model_name']}**: {plain(trained['base_model'])}, trained on release "
        f"{trained['release_version']}",
        "",
        f"- {trained['steps']:,} steps, loss {trained['loss']:.3f} at the last"
        + (f", {held:.3f} on validation" if (held := trained["validation_loss"]) else ""),
        f"- {trained['uri']}",
    ]
    return "\n".join(lines)


def _rate(score: Mapping[str, Any]) -> str:
    interval = f"{score['low']:.1%} to {score['high']:.1%}"
    return f"{score['value']:.1%} on {_GRADED_ON[score['graded_on']]} ({interval})"


def _note(manifest: Manifest, metadata: Mapping[str, Any]) -> str:
    splits = manifest.splits.get("programs", {})
    samples = sum(
        sum(rows.values()) for config, rows in manifest.splits.items() if config != "programs"
    )
    state = "is the latest release" if metadata["latest"] else "is published, and not the latest"
    heading = [
        f"**[{manifest.version}]({metadata['page']})** {state} ([card]({metadata['card']}))",
        "",
        f"{metadata['programs']:,} programs "
        f"({', '.join(f'{split} {rows:,}' for split, rows in splits.items())}), "
        f"{samples:,} samples, {metadata['bytes'] / 1e6:,.1f} MB",
        "",
    ]
    if manifest.failed_shards:
        heading[2] += f"; **missing**: shards {', '.join(manifest.failed_shards[:5])}"
    # Stages that drop nothing tell nothing. Where the rest does not fit, it has fewer reasons.
    for reasons in (2, 1, 0):
        lines = [_stage(stage, reasons) for stage in manifest.funnel if stage.dropped]
        note = "\n".join([*heading, *lines])
        if len(note) <= NOTE_CHARACTERS:
            return note
    return "\n".join(heading).strip()


def _stage(stage: FunnelStage, reasons: int) -> str:
    line = f"- {stage.name}: {stage.rows_in:,} → {stage.rows_out:,}"
    most = sorted(stage.dropped.items(), key=lambda item: -item[1])[:reasons]
    return f"{line} ({', '.join(f'{reason} {rows:,}' for reason, rows in most)})" if most else line
