"""A release of 200,000 programs: what a question costs does not grow with it."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from c2c_tasks.browsing.program import describe_program
from c2c_tasks.browsing.programs import MAX_ROWS, Search, search_programs
from c2c_tasks.browsing.releases import open_release
from c2c_tasks.publishing.manifest import splits_of
from c2c_tasks.publishing.release import describe_file, release_uri
from c2c_tasks.records import Program, arrow_schema, to_row
from c2c_tasks.shards import ROW_GROUP
from c2c_tasks.store import file_path, store_for

pytestmark = [pytest.mark.nightly, pytest.mark.usefixtures("deployment")]
PROGRAMS = 200_000
PEAK = """
import resource
from c2c_tasks.browsing.programs import *
search_programs(None, "VERSION", Search(text="f"), limit=1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
cursor = ""
while cursor is not None:
    search = Search(text="no such thing")
    cursor = search_programs(None, "VERSION", search, cursor=cursor)["next_cursor"]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.fixture
def large(target: str, publish: Any, make_program: Callable[..., Program]) -> str:
    """The version of a release whose one file of programs was replaced by a large one."""
    program = make_program(0)
    version = str(publish(target, [program], card=False)).rpartition("/")[2]
    uri = release_uri(target, version)
    name = "programs/train-00000-of-00001.parquet"
    path = file_path(f"{uri}/{name}")
    schema = arrow_schema(Program)
    ids = sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in range(PROGRAMS))
    text = "def f(x):\n" + "".join(f"    y{n} = x * {n}\n" for n in range(40)) + "    return y1\n"
    row = to_row(dataclasses.replace(program, program=text))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, PROGRAMS, ROW_GROUP):
            rows = [
                {**row, "function_id": identity, "program": f"# {identity}\n{text}"}
                for identity in ids[start : start + ROW_GROUP]
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema), row_group_size=ROW_GROUP)
    manifest = open_release(None, version).manifest
    entry = describe_file(Path(path), name)
    files = [entry if known.path == name else known for known in manifest.files]
    changed = manifest.model_copy(update={"files": files, "splits": splits_of(files)})
    store_for(uri).write(f"{uri}/manifest.json", changed.to_json())
    return version


@pytest.mark.parametrize("target", ["file"], indirect=True)
def test_what_a_question_costs_is_bounded(target: str, large: str) -> None:
    started = time.monotonic()
    page = search_programs(None, large, Search())
    assert (len(page["items"]), page["scanned"], page["rows"]) == (20, 20, PROGRAMS)
    nothing = search_programs(None, large, Search(text="no such thing"))
    assert 0 < nothing["scanned"] <= MAX_ROWS
    assert nothing["next_cursor"]
    for number in (0, 77_777, PROGRAMS - 1):
        identity = hashlib.sha256(str(number).encode()).hexdigest()
        assert describe_program(None, large, identity)["function_id"] == identity
    assert time.monotonic() - started < 30  # some 0.5 s on a quiet machine
    # The whole of it is never in memory: that would be 200 MB of programs alone.
    code = PEAK.replace("VERSION", large)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert int(done.stdout) < 80_000  # kilobytes
