"""What a dump holds: its own code, in one order, and nothing from outside of it."""

from __future__ import annotations

import ast
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import SourceOptions
from c2c_tasks.shards import StepReport
from c2c_tasks.sources import SourceError, list_dump, read_object
from c2c_tasks.store import StoreError, store_for

Read = Callable[..., Any]
Makers = dict[str, Callable[..., bytes]]


def plant(root: Path, paths: Iterable[str], text: str = "x = 1\n") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def listed(dump: object, **options: Any) -> list[str]:
    return [item.uri for item in list_dump(SourceOptions(dump=str(dump), **options))]


TREE = ["one/b.py", "one/a.py", "one/p/c.py", "two/d.py", "top.py"]
LEFT_OUT = [
    ".hidden.py",
    "one/.git/e.py",
    "one/__pycache__/f.py",
    "v/lib/site-packages/g.py",
    "node_modules/h.py",
    "one/README.md",
]


def test_a_folder_of_repositories(tmp_path: Path, read_dump: Read) -> None:
    plant(tmp_path, TREE + LEFT_OUT)
    plant(tmp_path, ["env/pyvenv.cfg", "env/bin/activate.py"])
    reading = read_dump(tmp_path)
    assert [(file.repository, file.path) for file in reading.files] == [
        ("one", "one/a.py"),
        ("one", "one/b.py"),
        ("one", "one/p/c.py"),
        (tmp_path.name, "top.py"),
        ("two", "two/d.py"),
    ]
    assert reading.dropped == {}


@pytest.mark.parametrize("mark", [".git/HEAD", "pyproject.toml", "setup.py"])
def test_a_checkout_is_one_repository(tmp_path: Path, read_dump: Read, mark: str) -> None:
    plant(tmp_path, ["src/a.py", mark])
    assert {file.repository for file in read_dump(tmp_path).files} == {tmp_path.name}


def test_s3_lists_as_a_folder_does(s3_bucket: str, read_dump: Read) -> None:
    for path in [*TREE, *LEFT_OUT, "../dump-2/z.py"]:
        uri = f"{s3_bucket}/dump/{path}".replace("/dump/../", "/")
        store_for(uri).write(uri, b"x = 1\n")
    reading = read_dump(f"{s3_bucket}/dump")
    assert [(file.repository, file.path) for file in reading.files] == [
        ("one", "one/a.py"),
        ("one", "one/b.py"),
        ("one", "one/p/c.py"),
        ("dump", "top.py"),
        ("two", "two/d.py"),
    ]


def test_archives_are_named_by_their_file(tmp_path: Path, makers: Makers, read_dump: Read) -> None:
    for name in ("pkg-1.0.tar.gz", "deep/other-2.zip"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        suffix = ".tar.gz" if name.endswith("gz") else ".zip"
        (tmp_path / name).write_bytes(makers[suffix]({"a.py": "x = 1"}))
    assert {file.repository for file in read_dump(tmp_path).files} == {"pkg-1.0", "other-2"}


def test_a_dump_named_in_other_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_dump: Read
) -> None:
    plant(tmp_path / "a dump", ["naïve repo/x%20y.py"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    place = tmp_path / "a dump"
    for dump in ("a dump", "~/a dump/", place.as_uri(), f"file://{place}", f"file://{place}//"):
        (file,) = read_dump(dump).files
        assert (file.repository, file.path) == ("naïve repo", "naïve repo/x%20y.py")


def test_links_do_not_lead_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plant(tmp_path, ["dump/a.py", "secret.py", "outside/b.py"])
    dump = tmp_path / "dump"
    (dump / "inside.py").symlink_to("a.py")
    (dump / "outside.py").symlink_to(tmp_path / "secret.py")
    (dump / "dangling.py").symlink_to("nowhere.py")
    (dump / "circle.py").symlink_to("circle.py")
    (dump / "folder").symlink_to(tmp_path / "outside")
    names = [uri.rsplit("/", 1)[1] for uri in listed(dump)]
    assert names == ["a.py", "inside.py"]
    assert "outside.py: leads out of the dump; left out" in caplog.text


def test_a_snapshot_of_the_hub_leads_to_its_blobs(tmp_path: Path) -> None:
    plant(tmp_path, ["blobs/00"], '{"content": "x = 1"}\n')
    snapshot = tmp_path / "snapshots" / "rev"
    snapshot.mkdir(parents=True)
    (snapshot / "a.jsonl").symlink_to("../../blobs/00")
    assert listed(snapshot) == [(snapshot / "a.jsonl").as_uri()]


def test_what_no_uri_can_name_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plant(tmp_path, ["a.py"])
    os.mkfifo(tmp_path / "pipe.py")
    assert listed(tmp_path) == [(tmp_path / "a.py").as_uri()]
    assert "pipe.py: left out" in caplog.text


@pytest.mark.parametrize("dump", ["nowhere", "n" * 300, "~no-such-user-x/dump", "file:///no/where"])
def test_a_missing_dump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dump: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match=f"^{dump}: "):
        listed(dump)


def test_dumps_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^ftp://host/a: a dump is a path"):
        listed("ftp://host/a")
    with pytest.raises(SourceError, match=f"^{tmp_path}: holds no file"):
        listed(tmp_path)
    plant(tmp_path, [".hidden.py"])
    with pytest.raises(SourceError, match=f"^{tmp_path}: holds no file"):
        listed(tmp_path)
    plant(tmp_path, ["a.csv", "b.jsonl.bz2"])
    with pytest.raises(SourceError, match=rf"^{tmp_path}: no file in it has a suffix.*\.tar\.zst"):
        listed(tmp_path)


def test_dumps_that_s3_does_not_have(s3_bucket: str) -> None:
    with pytest.raises(SourceError, match=f"^{s3_bucket}/none: holds no file"):
        listed(f"{s3_bucket}/none")
    with pytest.raises(StoreError, match="no such bucket"):
        listed(f"{s3_bucket}-missing")


def test_wrong_columns_are_told_before_work_starts(
    tmp_path: Path, makers: Makers, s3_bucket: str
) -> None:
    for suffix in (".jsonl.gz", ".parquet"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(makers[suffix]({"a.py": "x = 1"}))
        with pytest.raises(SourceError, match=rf"a\{suffix}: no column 'body' \(option content"):
            listed(path, content_field="body")
    uri = f"{s3_bucket}/a.jsonl"
    store_for(uri).write(uri, b'{"body": "x = 1"}\n')
    with pytest.raises(SourceError, match=f"{uri}: no column of file contents"):
        listed(s3_bucket)
    assert listed(s3_bucket, content_field="body") == [uri]


def test_records_without_code_are_left_out_of_a_mixture(
    tmp_path: Path, makers: Makers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    plant(tmp_path, ["a.py", "fixtures/b.jsonl"], '{"user": 1}\n')
    plant(tmp_path, ["package.json"], '{\n  "name": "web"\n}\n')
    (tmp_path / "code.parquet").write_bytes(makers[".parquet"]({"c.py": "x = 1"}))
    names = [uri.rsplit("/", 1)[1] for uri in listed(tmp_path)]
    assert names == ["a.py", "code.parquet"]
    assert caplog.text.count("left out: ") == 2


def test_a_mixture_that_no_mapping_fits(tmp_path: Path) -> None:
    plant(tmp_path, ["a.py", "b.jsonl"], '{"user": 1}\n')
    with pytest.raises(SourceError, match=r"b\.jsonl: no column 'body'"):
        listed(tmp_path, content_field="body")


def test_the_standard_library() -> None:
    options = SourceOptions()
    uris = listed("stdlib:")
    assert len(uris) > 300
    assert not [uri for uri in uris if "/test/" in uri or "-packages/" in uri]
    (textwrap,) = (uri for uri in uris if uri.endswith("/textwrap.py"))
    (file,) = read_object(textwrap, options, StepReport("extract", ""))
    assert (file.path, file.repository) == ("Lib/textwrap.py", "python/cpython")
    assert file.licence == "Python-2.0"
    assert ast.get_docstring(ast.parse(file.content)) == "Text wrapping and filling."
