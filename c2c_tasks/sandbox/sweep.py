"""Containers that were left behind: finding and removing them.

A runner ends by itself when its stream closes, and the engine removes its container: that is
what happens when a task process is killed. What is left are containers that were made and not
started, and those whose stream nobody has closed: a worker's machine that lost its power, an
engine that was restarted.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from c2c_tasks.sandbox.docker import DEADLINE, LABEL, list_containers, remove_container

if TYPE_CHECKING:
    from docker.api import APIClient

IDLE_SECONDS = 600
"""Age from which a container that does not run is left behind. One that is about to be started
waits for as long as its client does, `docker.CLIENT_SECONDS`."""

Reason = Literal["owner_ended", "past_deadline", "not_running"]
Labels = Mapping[str, str]

log = logging.getLogger(__name__)


def sweep(
    client: APIClient,
    labels: Labels,
    owner_ended: Callable[[Labels], bool],
    *,
    dry_run: bool = False,
    now: float | None = None,
) -> Counter[str]:
    """Remove the sandbox containers that nobody can need; return their numbers, by reason.

    Only containers that have all of `labels` are looked at. Removed are those

    - whose owner, by what their own labels say to `owner_ended`, does not run any more; it
      returns False where it cannot tell,
    - past their deadline,
    - not running, not started or not removed by the engine, for `IDLE_SECONDS`.

    ``kept`` counts the rest, ``not_removed`` those that the engine did not remove. With
    `dry_run`, the same is counted and logged, and nothing is removed. `now` is in seconds of
    the epoch. Raises DockerException or OSError where the engine does not answer.
    """
    counts: Counter[str] = Counter()
    # Listed before any owner is asked for: a container of an attempt that starts meanwhile is
    # not in the list, and one whose owner has ended since is indeed left behind.
    for found in list_containers(client, labels):
        its_labels: dict[str, str] = found["Labels"]
        age = (now or time.time()) - found["Created"]
        if _is_past_deadline(its_labels, now or time.time()):
            reason: Reason = "past_deadline"
        elif found["State"] != "running" and age > IDLE_SECONDS:
            reason = "not_running"
        elif owner_ended(its_labels):
            reason = "owner_ended"
        else:
            counts["kept"] += 1
            continue
        shown = ", ".join(f"{k}={v}" for k, v in sorted(its_labels.items()) if k != LABEL)
        log.info(
            "%s container %s, %s, %.0f s old (%s)",
            "would remove" if dry_run else "removing",
            found["Id"][:12],
            reason,
            age,
            shown,
        )
        removed = dry_run or remove_container(client, found["Id"])
        counts[reason if removed else "not_removed"] += 1
    return counts


def _is_past_deadline(labels: Labels, now: float) -> bool:
    try:
        return now > int(labels[DEADLINE])
    except (KeyError, ValueError):
        return False
