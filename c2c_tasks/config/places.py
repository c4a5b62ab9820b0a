"""Where things are, as the environment says: releases, work, catalogue, cache, this checkout."""

from __future__ import annotations

import os
from pathlib import Path

from c2c_tasks.store import normalise


def project_root() -> Path:
    """Return the folder that holds the checkout."""
    return Path(__file__).resolve().parents[2]


def default_target() -> str:
    """Return the URI where releases go: ``C2C_TARGET``, or ``out`` in the checkout."""
    return normalise(os.environ.get("C2C_TARGET", str(project_root() / "out")))


def deployment() -> str:
    """Return what tells this deployment's containers from others' on the same Docker engine.

    ``C2C_DEPLOYMENT``, or the folder of the checkout: workers of one deployment that hold it
    in different places need the variable, and so do deployments that hold it in the same one.
    """
    return os.environ.get("C2C_DEPLOYMENT") or str(project_root())


def work_area() -> str:
    """Return the URI of the shards of builds: ``C2C_WORK``, or ``.c2c/work``."""
    return normalise(os.environ.get("C2C_WORK", str(project_root() / ".c2c" / "work")))


def catalogue_url() -> str:
    """Return SQLAlchemy's URL of the catalogue: ``C2C_CATALOGUE``, or SQLite in ``.c2c``."""
    default = f"sqlite:///{project_root() / '.c2c' / 'catalogue.sqlite'}"
    return os.environ.get("C2C_CATALOGUE", default)


def cache_folder() -> Path:
    """Return the folder of what is fetched: ``C2C_CACHE``, or ``~/.cache/case2code``."""
    return Path(os.environ.get("C2C_CACHE", "~/.cache/case2code")).expanduser()
