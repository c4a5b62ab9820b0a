"""Deleting many files of a store."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from c2c_tasks.store import file_path, store_for

DELETIONS = 8
"""Files that are deleted at a time."""


def delete_files(uris: Iterable[str], folder: str) -> None:
    """Delete files below a folder, and what folders that leaves empty."""
    store = store_for(folder)
    with ThreadPoolExecutor(DELETIONS, "delete") as pool:
        list(pool.map(store.delete, uris))
    if urlsplit(folder).scheme == "file":
        for path, _, _ in os.walk(file_path(folder), topdown=False):
            with suppress(OSError):  # it is not empty
                Path(path).rmdir()
