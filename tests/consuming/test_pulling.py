from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.pulling import UNDER_WAY, pull
from c2c_tasks.consuming.verifying import verify
from c2c_tasks.consuming.views import print_pulled
from c2c_tasks.publishing.manifest import Manifest, read_manifest
from c2c_tasks.publishing.release import TOMBSTONE, PublishError
from c2c_tasks.records import Program
from c2c_tasks.store import StoreError, StoreUnavailable, file_path, read, store_for

FILE = "sft/train-00000-of-00001.parquet"


of_files = pytest.mark.parametrize("target", ["file"], indirect=True)


def files(folder: Path) -> set[str]:
    """Every file below a folder, hidden ones included."""
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def assert_sound(folder: Path) -> None:
    assert verify(find_release(str(folder))).faults == []


@pytest.fixture
def sent(release: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are downloaded."""
    kind = type(store_for(release))
    download = kind.download
    names: list[str] = []

    def spy(self: Any, uri: str, path: Path, **options: Any) -> None:
        names.append(uri.removeprefix(f"{release}/"))
        download(self, uri, path, **options)

    monkeypatch.setattr(kind, "download", spy)
    return names


def test_a_copy_is_the_release(release: str, tmp_path: Path, sent: list[str]) -> None:
    manifest = read_manifest(release)
    pulled = pull(find_release(release), tmp_path / "deep" / "copy")
    assert (pulled.version, pulled.files, pulled.is_all) == (
        manifest.version,
        len(manifest.files),
        True,
    )
    copied = tmp_path / "deep" / "copy"
    assert files(copied) == {entry.path for entry in manifest.files} | {"manifest.json"}
    assert (copied / "manifest.json").read_bytes() == read(f"{release}/manifest.json")
    assert_sound(copied)
    sent.clear()
    again = pull(find_release(release), copied)
    assert (again.fetched, again.bytes, sent) == (0, 0, [])


def test_what_is_damaged_is_fetched_again(release: str, tmp_path: Path, sent: list[str]) -> None:
    pull(find_release(release), tmp_path / "copy")
    sent.clear()
    damaged = bytearray((tmp_path / "copy" / FILE).read_bytes())
    damaged[9] ^= 1
    (tmp_path / "copy" / FILE).write_bytes(damaged)
    (tmp_path / "copy" / "README.md").unlink()
    assert pull(find_release(release), tmp_path / "copy").fetched == 2
    assert sorted(sent) == ["README.md", FILE]
    assert_sound(tmp_path / "copy")


def test_a_copy_is_loaded_by_the_lines_that_are_printed(release: str, tmp_path: Path) -> None:
    for splits in ([], ["test"]):
        text = io.StringIO()
        folder = tmp_path / f"copy{len(splits)}"
        console = Console(file=text, width=1_000)
        print_pulled(pull(find_release(release), folder, splits=splits), console)
        loaded: dict[str, Any] = {}
        exec(text.getvalue().partition("Load it with\n")[2], loaded)
        assert loaded["dataset"].num_rows == (6 if splits else 18)


def test_a_part_of_it(release: str, tmp_path: Path, sent: list[str]) -> None:
    folder = tmp_path / "copy"
    first = pull(find_release(release), folder, configs=["sft"], splits=["train"])
    assert first.parts == ["sft/train"] and not first.is_all
    data = {path for path in files(folder) if "/" in path and not path.startswith("report/")}
    assert data == {FILE}
    assert_sound(folder)
    (folder / FILE).unlink()
    assert [fault.path for fault in verify(find_release(str(folder))).faults] == [FILE]
    sent.clear()
    second = pull(find_release(release), folder, splits=["test"])
    assert "sft/test" in second.parts and "programs/test" in second.parts
    # It was not asked for this time, and the copy does not say that it holds it.
    assert FILE not in sent and "sft/train" not in second.parts
    assert_sound(folder)
    assert pull(find_release(release), folder).is_all
    assert not (folder / "partial.json").exists()
    assert_sound(folder)


@of_files
def test_a_part_is_pulled_from_a_part(release: str, tmp_path: Path) -> None:
    """A copy that lacks what is asked for cannot give it."""
    pull(find_release(release), tmp_path / "part", configs=["sft"])
    part = find_release(str(tmp_path / "part"))
    assert not pull(part, tmp_path / "copy", configs=["sft"]).is_all
    with pytest.raises(PublishError, match=r"a partial copy, which lacks instruct/test"):
        pull(part, tmp_path / "other")


@of_files
def test_what_the_release_has_not(release: str, tmp_path: Path) -> None:
    found = find_release(release)
    with pytest.raises(PublishError, match="no config 'chat'; it has programs, sft, instruct"):
        pull(found, tmp_path / "copy", configs=["chat"])
    with pytest.raises(PublishError, match="no split 'dev'; it has train, validation, test"):
        pull(found, tmp_path / "copy", splits=["dev"])
    assert not (tmp_path / "copy").exists()


@of_files
def test_a_folder_with_something_else_is_refused(
    target: str, publish: Any, make_program: Callable[[int], Program], tmp_path: Path
) -> None:
    one = find_release(publish(target, [make_program(0)]))
    other = find_release(publish(target, [make_program(1)], build_id="other"))
    pull(one, tmp_path / "copy")
    with pytest.raises(PublishError, match="holds another release"):
        pull(other, tmp_path / "copy")
    (tmp_path / "copy" / "manifest.json").rename(tmp_path / "copy" / UNDER_WAY)
    with pytest.raises(PublishError, match="holds another release, or a part of one"):
        pull(other, tmp_path / "copy")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("keep")
    with pytest.raises(PublishError, match="not empty and holds no release"):
        pull(other, tmp_path / "notes")
    with pytest.raises(PublishError, match=r"mine\.txt: is a file; pull into a folder"):
        pull(other, tmp_path / "notes" / "mine.txt")
    assert files(tmp_path / "notes") == {"mine.txt"}


@of_files
@pytest.mark.parametrize("path", ["../outside", "sft/../../other/test-notes.parquet", "sft/a\x1b"])
def test_a_manifest_leads_to_nothing_outside_of_the_folder(
    release: str, tmp_path: Path, path: str
) -> None:
    manifest = read_manifest(release)
    outside = manifest.files[0].model_copy(update={"path": path})
    changed: Manifest = manifest.model_copy(update={"files": [*manifest.files, outside]})
    store_for(release).write(f"{release}/manifest.json", changed.to_json())
    mine = tmp_path / "other" / "test-notes.parquet.part"
    mine.parent.mkdir()
    mine.write_text("keep")
    with pytest.raises(StoreError, match=r"manifest\.json: '.*' is no file of the release"):
        pull(find_release(release), tmp_path / "copy", configs=["sft"], splits=["train"])
    assert mine.exists() and not (tmp_path / "outside").exists()


def test_a_repair_that_fails_leaves_no_release(release: str, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    pull(find_release(release), folder)
    whole = read(f"{release}/{FILE}")
    (folder / FILE).write_bytes(b"damaged")
    store_for(release).delete(f"{release}/{FILE}")
    with pytest.raises(StoreError, match=FILE):
        pull(find_release(release), folder)
    assert (folder / FILE).read_bytes() == b"damaged"
    with pytest.raises(PublishError, match="nothing is published here"):
        find_release(str(folder))
    store_for(release).write(f"{release}/{FILE}", whole)
    assert pull(find_release(release), folder, configs=["sft"]).is_all
    assert_sound(folder)


@of_files
def test_what_was_published_is_not_pulled_into(release: str, target: str, tmp_path: Path) -> None:
    place = file_path(release)
    (place / FILE).write_bytes(b"damaged")
    pull(find_release(release), tmp_path / "copy", configs=["instruct"])
    (tmp_path / "link").symlink_to(tmp_path / "copy")
    before = files(file_path(target))
    for name, folder in (
        (release, place),
        (release, place / "inside"),
        (release, file_path(target) / "releases" / "2026.11.24-2"),
        (str(tmp_path / "copy"), tmp_path / "link"),
    ):
        with pytest.raises(PublishError, match=r"is in the release itself|is among the releases"):
            pull(find_release(name), folder, configs=["instruct"])
    assert files(file_path(target)) == before and (place / FILE).read_bytes() == b"damaged"


def test_a_copy_that_has_lost_files_is_not_all_of_it(release: str, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    pull(find_release(release), folder)
    shutil.rmtree(folder / "programs")
    pulled = pull(find_release(release), folder, configs=["sft"])
    assert not pulled.is_all and not any("programs" in part for part in pulled.parts)
    assert "instruct/train" in pulled.parts
    assert_sound(folder)


@of_files
def test_a_copy_may_lie_in_a_folder_that_is_called_as_a_target_has_it(
    release: str, tmp_path: Path
) -> None:
    folder = tmp_path / "releases" / "2026.11.24-1"
    pull(find_release(release), folder)
    assert find_release(str(folder)).target is None
    assert_sound(folder)


@of_files
def test_a_release_without_data_is_pulled(release: str, tmp_path: Path) -> None:
    manifest = read_manifest(release)
    files = [entry for entry in manifest.files if entry.split is None]
    empty = manifest.model_copy(update={"splits": {}, "files": files})
    store_for(release).write(f"{release}/manifest.json", empty.to_json())
    text = io.StringIO()
    print_pulled(pull(find_release(release), tmp_path / "copy"), Console(file=text))
    assert "all of it" in text.getvalue() and "Load it" not in text.getvalue()


@of_files
def test_a_full_disk_is_said_before_it_is_full(
    release: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: list[str]
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StoreError, match="bytes are to be fetched, and 10 are free"):
        pull(find_release(release), tmp_path / "copy")
    assert sent == []


def test_bytes_that_came_wrong_are_no_file(release: str, tmp_path: Path) -> None:
    store = store_for(release)
    whole = read(f"{release}/{FILE}")
    store.write(f"{release}/{FILE}", b"x" * len(whole))
    with pytest.raises(StoreUnavailable, match=f"{FILE}: .*SHA-256"):
        pull(find_release(release), tmp_path / "copy")
    assert FILE not in files(tmp_path / "copy")
    assert "manifest.json" not in files(tmp_path / "copy")
    store.write(f"{release}/{FILE}", whole)
    pull(find_release(release), tmp_path / "copy")
    assert_sound(tmp_path / "copy")


def test_one_that_is_retired_meanwhile_says_so(release: str, tmp_path: Path) -> None:
    found = find_release(release)
    store = store_for(release)
    store.delete(f"{release}/{FILE}")
    tombstone = {"version": "2026.11.24-1", "reason": "a mistake", "retired_at": "2026-12-01"}
    store.write(f"{release}/{TOMBSTONE}", json.dumps(tombstone).encode())
    with pytest.raises(PublishError, match="retired meanwhile, on 2026-12-01: a mistake"):
        pull(found, tmp_path / "copy")


@of_files
def test_two_pulls_into_one_folder(release: str, tmp_path: Path) -> None:
    class Second:
        """Begins another pull while the first one is under way."""

        def expect(self, count: int) -> None:
            with pytest.raises(PublishError, match="another pull into this folder is under way"):
                pull(find_release(release), tmp_path / "copy")

        def tick(self, count: int) -> None: ...

    pull(find_release(release), tmp_path / "copy", meter=Second())
    assert_sound(tmp_path / "copy")


@pytest.fixture
def slow_pull(release: str, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts pulls, as processes, that take a moment for each piece of a file."""
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from c2c_tasks.consuming.finding import find_release\n"
        "from c2c_tasks.consuming.pulling import pull\n"
        "class Slow:\n"
        "    def expect(self, count): print('begun', flush=True)\n"
        "    def tick(self, count): time.sleep(0.3)\n"
        "pull(find_release(sys.argv[1]), Path(sys.argv[2]), meter=Slow())\n"
    )
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", code, release, str(tmp_path / "copy")]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_killed_and_run_again(
    release: str, tmp_path: Path, slow_pull: Callable[[], subprocess.Popen[bytes]]
) -> None:
    folder = tmp_path / "copy"
    for moment in (0.0, 0.4):
        process = slow_pull()
        assert process.stdout is not None and process.stdout.readline() == b"begun\n"
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (folder / "manifest.json").exists()
        with pytest.raises(PublishError, match="nothing is published here"):
            find_release(str(folder))
    pull(find_release(release), folder)
    entries = read_manifest(release).files
    assert files(folder) == {entry.path for entry in entries} | {"manifest.json"}
    assert_sound(folder)
