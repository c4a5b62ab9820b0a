"""Imports what the steps need, for a worker that forks a process for each task.

Tasks of a worker that has done so start a second of CPU time sooner. Celery imports what
``AIRFLOW__CELERY__EXTRA_CELERY_CONFIG={"imports": ["c2c_airflow.preloading"]}`` names before it
forks its pool. None of these modules starts a thread or opens a connection.
"""

from importlib import import_module

MODULES = (
    "airflow.providers.docker.operators.docker",
    "airflow.providers.standard.sensors.python",
    "boto3",
    "c2c_tasks.curation.judging",
    "c2c_tasks.curation.secrets",
    "c2c_tasks.evaluation.model",
    "c2c_tasks.inputs.synthesis.writer",
    "c2c_tasks.pipeline",
    "c2c_tasks.sandbox.docker",
    "c2c_tasks.sandbox.execution",
    "detect_secrets.core.plugins.initialize",
    "detect_secrets.core.scan",
    "duckdb",
    "httpx",
    "pandas",  # pyarrow looks for it as soon as it makes an array
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
)

for name in MODULES:
    import_module(name)
