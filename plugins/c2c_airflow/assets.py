"""The Assets that DAGs of this project make, and that others may wait for.

They have no URI: consumers name them, wherever a deployment keeps what they stand for, and each
event tells the URI. (One of `s3://` would have all providers loaded whenever a DAG file is parsed.)

**Every event has a partition key**, the date of what it tells of. Nightly builds have partition
keys, and Airflow 3.3 hands an event either to DAGs that wait for partitions or to those that do
not, by whether it has a key. So that nobody misses a release, those of builds by hand have one,
too; who waits for an Asset of these does it by ``PartitionedAssetTimetable(assets=DATASET)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Asset

DATASET = Asset(
    "case2code_dataset",
    group="case2code",
    extra={"holds": "programs with their cases, and training samples made of them"},
)
"""A release. Its events tell ``version``, ``uri``, ``latest`` and more of its manifest."""
MODEL = Asset(
    "case2code_model",
    group="case2code",
    extra={"holds": "a language model trained on a release, as a checkpoint that vLLM loads"},
)
"""A checkpoint. Its events tell ``model``, a folder that every worker of the queue ``gpu`` sees,
or its URI, and may tell ``model_name``, ``revision`` and ``prompt_style``, as the options of an
evaluation, ``release``, the URI of the release to ask about, and ``uri``, below ``models/`` of the
target that the report goes to."""


def tell(context: Any, asset: Asset, extra: Mapping[str, Any], *, date: str) -> None:
    """Have the running task, of which the Asset is an outlet, emit an event when it has succeeded.

    `date` (``YYYY-MM-DD``) becomes its partition key, where the run has none.
    """
    event = context["outlet_events"][asset]
    event.extra = dict(extra)
    if not context.get("partition_key"):
        event.add_partitions(date)
