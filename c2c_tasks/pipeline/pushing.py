"""Pushing: a published release also goes to the Hugging Face Hub, where the options name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2c_tasks.pipeline.build import Build, SwitchedOff
from c2c_tasks.pipeline.releasing import PublishedRelease

if TYPE_CHECKING:
    from c2c_tasks.publishing.hub import PushedRelease


def push_to_hub(build: Build, published: PublishedRelease) -> PushedRelease:
    """Push the release to the dataset that the options name; it stays published if this fails.

    Raises SwitchedOff where they name none; else as `push_release` does.
    """
    options = build.config.publishing
    if not options.hub_repository:
        raise SwitchedOff("not pushed to the Hub: the option hub_repository names no dataset")
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    from c2c_tasks.publishing.hub import push_release

    disable_progress_bars()  # in the log of a task they are lines of noise
    return push_release(published["uri"], options.hub_repository, private=options.hub_private)
