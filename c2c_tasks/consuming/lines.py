"""The lines of Python that load a release, for a person to copy."""

from __future__ import annotations

import json
from collections.abc import Collection

from c2c_tasks.records import FORMATS

_EXAMPLES = [f"{config}/train" for config in (*FORMATS, "programs")]


def lines_that_load(place: str, parts: Collection[str], *, is_whole: bool) -> list[str]:
    """Return two lines that load a part of the release at a path or URI; none where it has none.

    `datasets` loads a whole release in a local folder: of a part it looks for all that the card
    names.
    """
    if not parts:
        return []
    part = next((part for part in _EXAMPLES if part in parts), min(parts))
    config, _, split = part.partition("/")
    name = json.dumps(place, ensure_ascii=False)
    if is_whole and "://" not in place:
        return [
            "from datasets import load_dataset",
            f'dataset = load_dataset({name}, "{config}", split="{split}")',
        ]
    return ["import c2c_tasks", f'dataset = c2c_tasks.load({name}, "{config}", "{split}")']
