"""Lists of opt-outs: what they cover, how they are written, and what is wrong with a line."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.curation.opt_outs import OptOut, OptOutError, OptOuts
from c2c_tasks.store import store_for

SHA = "0123456789abcdef" * 4


def opt_outs(*lines: str) -> OptOuts:
    return OptOuts.of(entry for line in lines if (entry := OptOut.of_line(line)))


def covers(listed: OptOuts, place: str, **more: str) -> bool:
    owner, name, path = place.split("/", 2)
    return listed.covers(
        repository=f"{owner}/{name}", path=path, **({"source_sha256": "f" * 64} | more)
    )


@pytest.mark.parametrize(
    ("line", "covered", "not_covered"),
    [
        ("repository o/n", ["o/n/a.py", "O/N/b/c.py"], ["o/nn/a.py", "p/n/a.py"]),
        ("repository https://github.com/O/n.git", ["o/n/a.py"], ["o/nn/a.py"]),
        ("repository git@github.com:o/n.git", ["o/n/a.py"], ["o/nn/a.py"]),
        ("repository o/*", ["o/n/a.py", "o/m/a.py"], ["oo/n/a.py", "p/o/a.py"]),
        ("path o/n/src/alice/**", ["o/n/src/alice/a.py", "o/n/src/alice/b/c.py"], ["o/n/src/b.py"]),
        ("path o/n/src/alice/", ["o/n/src/alice/a.py"], ["o/n/src/alice.py"]),
        ("path o/n/a.py", ["o/n/a.py", "o/n/A.py"], ["o/n/b/a.py", "o/n/a.pyx"]),
        ("path o/n/*/a?.py", ["o/n/x/ab.py"], ["o/n/x/a.py", "o/n/x/y/ab.py", "o/n/ab.py"]),
        ("path o/n/**/a.py", ["o/n/a.py", "o/n/x/y/a.py"], ["o/n/xa.py", "o/m/a.py"]),
        ("path **/alice", ["o/n/alice/a.py", "alice/n/a.py"], ["o/n/alices/a.py"]),
        ("path o/*/secret.py", ["o/n/secret.py"], ["o/n/x/secret.py", "p/n/secret.py"]),
        ("path o/n/with space.py", ["o/n/with space.py"], ["o/n/with.py"]),
        ('{"path": "o/n/x#y.py", "date": "2026"}', ["o/n/x#y.py"], ["o/n/x.py"]),
    ],
)
def test_places(line: str, covered: list[str], not_covered: list[str]) -> None:
    listed = opt_outs(line)
    assert len(listed) == 1
    assert [place for place in covered if not covers(listed, place)] == []
    assert [place for place in not_covered if covers(listed, place)] == []


def test_files_and_functions() -> None:
    listed = opt_outs(f"sha256 {SHA.upper()}", json.dumps({"function": "a" * 64}))
    assert covers(listed, "o/n/a.py", source_sha256=SHA)
    assert covers(listed, "o/n/a.py", function_id="a" * 64)
    assert not covers(listed, "o/n/a.py", function_id=SHA)


def test_the_empty_list_covers_nothing() -> None:
    assert not covers(OptOuts.read(""), "o/n/a.py", function_id="")


@pytest.mark.parametrize("line", ["", "  ", "# a comment", "  # repository o/n"])
def test_lines_that_say_nothing(line: str) -> None:
    assert OptOut.of_line(line) is None


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("repo o/n", "none of repository, path, sha256, function"),
        ("repository", "none of repository"),
        ("repository o/n/src", "is no repository"),
        ("repository o*/n", "is no repository"),
        ("repository *", "is no repository"),
        ("repository /", "is no repository"),
        ("path **", "is no path"),
        ("path o/n/../m", "is no path"),
        ("path o//n", "is no path"),
        ("path o/" + "*a" * 11, "more than 10 wildcards"),
        ("sha256 123", "is no SHA-256"),
        ("function " + "g" * 64, "is no SHA-256"),
        ("{", "not a JSON object"),
        ("{}", "needs one of"),
        ('{"path": 3}', "needs one of"),
        ('{"path": "o/n/a", "repository": "o/n"}', "needs one of"),
    ],
)
def test_a_bad_line_names_its_file_and_number(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"# who asked\nrepository o/n\n{line}\n")
    with pytest.raises(OptOutError, match=f"list.txt, line 3: .*{re.escape(says)}"):
        OptOuts.read(str(file))


def test_what_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(OptOutError, match="nope: no such file of opt-outs"):
        OptOuts.read(str(tmp_path / "nope"))
    with pytest.raises(OptOutError, match="an empty folder"):
        OptOuts.read(str(tmp_path))
    (tmp_path / "a").write_bytes(b"\xff")
    with pytest.raises(OptOutError, match="/a: not a text in UTF-8"):
        OptOuts.read(str(tmp_path))


@pytest.mark.s3
@pytest.mark.parametrize("scheme", ["file", "s3"])
def test_a_folder_of_lists(scheme: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    place = tmp_path.as_uri() if scheme == "file" else request.getfixturevalue("s3_bucket")
    store_for(place).write(f"{place}/lists/a.txt", b"\xef\xbb\xbfrepository o/n\r\n")
    store_for(place).write(f"{place}/lists/2026/b.jsonl", b'{"repository": "p/m"}')
    listed = OptOuts.read(f"{place}/lists")
    assert covers(listed, "o/n/a.py")
    assert covers(listed, "p/m/a.py")
    assert len(OptOuts.read(f"{place}/lists/a.txt")) == 1


def test_the_digest_is_that_of_what_is_said() -> None:
    one = opt_outs("repository o/n", f"sha256 {SHA}", "# comment")
    same = opt_outs(f"sha256 {SHA}", '{"repository": "O/n"}', "repository o/n")
    assert one.digest == same.digest
    assert one.digest != opt_outs("repository o/n").digest


def test_a_long_list_is_asked_quickly() -> None:
    listed = opt_outs(
        *(f"repository owner{i}/name" for i in range(50_000)),
        *(f"path owner{i}/other/src/*/a?.py" for i in range(50_000)),
    )
    started = time.process_time()
    for i in range(20_000):
        assert covers(listed, f"owner{i}/name/x.py")
        assert not covers(listed, f"owner0/other/src/{i}/b.py")
    assert time.process_time() - started < 5  # some 10 microseconds each; a scan of all takes 1,000


NAMES = st.text(st.characters(categories=["L", "N"], include_characters="._- "), min_size=1).filter(
    lambda name: name.strip() == name and name not in (".", "..") and not name.endswith(".git")
)
PLACES = st.lists(NAMES, min_size=3, max_size=6).map("/".join)


@given(PLACES)
def test_what_is_listed_is_covered(place: str) -> None:
    owner, name, path = place.split("/", 2)
    folder = place.rpartition("/")[0]
    for line in (
        f"repository {owner}/{name}",
        f"repository {owner}/*",
        f"path {place}",
        f"path {folder}/**",
        f"path {folder}/*",
        f"path **/{path}",
        json.dumps({"path": place}),
    ):
        assert covers(opt_outs(line), place), line
    assert not covers(opt_outs(f"path {place}x"), place)


@given(st.text(max_size=80))
def test_any_line_is_read_or_refused(line: str) -> None:
    try:
        entry = OptOut.of_line(line)
    except OptOutError:
        return
    if entry is not None:
        assert OptOut.of_line(json.dumps({entry.kind: entry.value})) == entry
        covers(OptOuts.of([entry]), "o/n/a.py")
