"""Builds go on from the release that a rollback went to."""

from __future__ import annotations

import pytest

from c2c_tasks.catalogue import Catalogue
from c2c_tasks.config import catalogue_url
from c2c_tasks.pipeline import NothingNew
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.publishing.release import release_uri
from c2c_tasks.publishing.withdrawal import roll_back
from tests.pipeline.nights import MODULES, ONE, THREE, TWO, Nights


def test_rows_that_only_a_withdrawn_release_had_are_found_again(three_nights: Nights) -> None:
    target = three_nights.target
    roll_back(target, ONE)
    again = three_nights.build(23)
    manifest, first = (read_manifest(release_uri(target, version)) for version in (again, ONE))
    assert manifest.parent == ONE
    assert three_nights.programs(again) == three_nights.programs(THREE)
    assert three_nights.programs(again) > three_nights.programs(ONE)
    assert set(manifest.ledger) > set(first.ledger)
    objects = Catalogue(catalogue_url()).ingested(target, release_uri(target, again))
    assert objects is not None and len(objects) == len(MODULES)
    with pytest.raises(NothingNew):
        three_nights.build(24)
    pointer = read_pointer(target)
    assert pointer is not None
    assert (pointer.version, pointer.generation) == (again, 5)
    assert pointer.withdrawn == [TWO, THREE]

    # And forward again: what the withdrawn release knew is known once more.
    roll_back(target, THREE)
    with pytest.raises(NothingNew, match=THREE):
        three_nights.build(25)
