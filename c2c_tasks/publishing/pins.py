"""Pins: releases that are not to be retired, by the pointer's word."""

from __future__ import annotations

import logging

from c2c_tasks.publishing.conditions import STORE, Conditions
from c2c_tasks.publishing.pointer import Pointer, change_pointer
from c2c_tasks.publishing.release import PublishError, release_uri
from c2c_tasks.publishing.retired import read_tombstone
from c2c_tasks.publishing.versions import check_complete

log = logging.getLogger(__name__)


def pin(target: str, version: str, reason: str = "", conditions: Conditions = STORE) -> Pointer:
    """Keep a release from being retired; return the pointer, which says so.

    A release that is pinned already gets the new reason. Raises PublishError where the release
    is unknown, incomplete, retired, or about to be.
    """
    check_complete(target, version)

    def change(pointer: Pointer) -> Pointer:
        check_not_retired(target, version, pointer)
        return pointer.model_copy(update={"pinned": pointer.pinned | {version: reason}})

    pointer = change_pointer(target, change, conditions)
    log.info("%s: %s is pinned", target, version)
    return pointer


def unpin(target: str, version: str, conditions: Conditions = STORE) -> Pointer:
    """Take a pin back; return the pointer. Raises PublishError where the release is unknown.

    Where the release is not pinned, nothing changes.
    """
    check_complete(target, version)

    def change(pointer: Pointer) -> Pointer:
        pinned = {name: why for name, why in pointer.pinned.items() if name != version}
        return pointer.model_copy(update={"pinned": pinned})

    pointer = change_pointer(target, change, conditions)
    log.info("%s: %s is not pinned", target, version)
    return pointer


def check_not_retired(target: str, version: str, pointer: Pointer) -> None:
    """Raise PublishError where a release is retired, or is to be by the pointer's word.

    What follows from it may be written over that pointer: a retirement that is decided in the
    meantime changes it, and the tombstone comes after that.
    """
    release = release_uri(target, version)
    if version in pointer.retiring:
        raise PublishError(f"{release}: is being retired: {pointer.retiring[version]}")
    if tombstone := read_tombstone(release):
        raise PublishError(f"{release}: retired on {tombstone.retired_at}: {tombstone.reason}")
