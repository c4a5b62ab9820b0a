"""The catalogue: what was built, published and ingested, in SQL.

It is an index over the manifests, for planning and for people: nothing is published by
writing here, and it can be rebuilt from the releases.
"""

from c2c_tasks.catalogue.catalogue import Catalogue
from c2c_tasks.catalogue.database import CatalogueError
from c2c_tasks.catalogue.schema import BuildRecord, BuildState, Release, ReportRecord, Target

__all__ = [
    "BuildRecord",
    "BuildState",
    "Catalogue",
    "CatalogueError",
    "Release",
    "ReportRecord",
    "Target",
]
