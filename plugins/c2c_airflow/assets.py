"""The Assets that DAGs of this project make, and that others may wait for.

They have no URI: consumers name them, wherever a deployment keeps what they stand for, and each
event tells the URI. (One of `s3://` would have all providers loaded whenever a DAG file is parsed.)
"""

from __future__ import annotations

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
"""A checkpoint. Its events tell ``model``: a folder that every worker of the queue ``gpu`` sees."""
