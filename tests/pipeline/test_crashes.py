"""A whole audit and publish to S3 that dies again and again, each time further on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2c_tasks import pipeline, store
from c2c_tasks.publishing.card import CARD
from c2c_tasks.publishing.manifest import Manifest, read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.store import StoreError
from tests.faults.proxy import FaultyProxy, Rule
from tests.faults.trials import Reader

if TYPE_CHECKING:
    from tests.pipeline.conftest import MakeBuild

FURTHER = 25
"""Requests that each attempt makes more than the one before."""


def files(manifest: Manifest) -> set[tuple[str, str]]:
    """Every file with its digest, but for the card: it says where the release is."""
    entries = [*manifest.files, *manifest.ledger]
    return {(entry.path, entry.sha256) for entry in entries if entry.path != CARD}


@pytest.mark.slow
def test_audit_and_publish_that_die_and_are_tried_again(
    make_build: MakeBuild, s3_bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"{s3_bucket}/target"
    build = make_build(target=target)
    extracted = [pipeline.extract(build, shard) for shard in pipeline.plan(build)]
    for shard in pipeline.merge_functions(build, extracted):
        for step in (pipeline.write_inputs, pipeline.execute, pipeline.curate):
            shard = step(build, shard)
    for shard in pipeline.merge_programs(build):
        pipeline.compose(build, shard)

    proxy = FaultyProxy(s3_endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    deaths = 0
    while True:
        last = Rule(("dropped", "lost")[deaths % 2], first=1 + FURTHER * deaths)
        proxy.set_up(last, Rule("dropped", first=last.first, times=None))
        store._s3.cache_clear()
        try:
            published = pipeline.publish(build, pipeline.audit(build))
            break
        except StoreError as error:
            assert target in str(error)
            deaths += 1
    proxy.stop()
    assert deaths > 3
    assert not last.fired
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    store._s3.cache_clear()
    reader = Reader(s3_endpoint, target)
    assert reader.look().version == published["version"] == "2026.11.24-1"

    reference = make_build(target=f"{s3_bucket}/reference")
    whole = pipeline.publish(reference, pipeline.audit(reference))
    assert files(read_manifest(published["uri"])) == files(read_manifest(whole["uri"]))
    pointer = read_pointer(target)
    assert pointer is not None and pointer.generation == 1
    assert len({path.split("/")[1] for path in reader.state("releases/")}) == 1
