"""Who may look: those who may read the DAG whose releases these are.

Airflow does not protect the FastAPI apps of plugins. Its own dependencies are used here, so that
cookie and token, expiry and roles mean what they mean everywhere else in Airflow.
"""

from __future__ import annotations

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag

BUILD_DAG = "case2code_build"

may_read_releases = requires_access_dag("GET", param_dag_id=BUILD_DAG)
"""Raises HTTPException: 401 without a login, 403 where the DAG is not for this user."""
may_read_builds = requires_access_dag("GET", DagAccessEntity.RUN, param_dag_id=BUILD_DAG)
"""As `may_read_releases`; the runs of the DAG have a permission of their own."""
