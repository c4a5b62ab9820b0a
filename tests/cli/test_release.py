"""`c2c release`, as a person and as a program calls it."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from c2c_tasks.cli import app, main
from c2c_tasks.cli.bar import Bar
from c2c_tasks.consuming.comparing import compare
from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.listing import list_releases
from c2c_tasks.consuming.views import print_difference, print_list
from c2c_tasks.publishing.manifest import Manifest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

BOXES = set("─│┃━╭╮╰╯┏┓┗┛╷╵┌┐└┘")
VERSION = "2026.11.24-1"


def call(*arguments: str, code: int = 0) -> Result:
    """Call the command in this process."""
    result = CliRunner().invoke(app, ["release", *arguments])
    assert result.exit_code == code, result.output
    return result


def as_json(*arguments: str, code: int = 0) -> Any:
    return json.loads(call(*arguments, "--json", code=code).stdout)


def test_list(target: Path) -> None:
    lines = call("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["version", VERSION, "2026.11.23-1"]
    assert lines[1].split()[1:4] == ["latest", "16", "48"]
    assert all(line == line.rstrip() for line in lines)
    listed = [json.loads(line) for line in call("list", "--json").stdout.splitlines()]
    assert [release["version"] for release in listed] == [VERSION, "2026.11.23-1"]
    assert listed[0].keys() >= {"states", "uri", "date", "parent", "build", "bytes", "note"}
    empty = target.parent / "empty"
    assert call("list", "--target", str(empty)).stdout == f"no release in {empty.as_uri()}\n"
    assert call("list", "--target", str(empty), "--json").stdout == ""


def test_show(target: Path) -> None:
    for arguments in ((), ("latest",), (VERSION,), (str(target),)):
        text = call("show", *arguments).stdout
        assert text.startswith(f"Case2Code {VERSION}  latest\n")
        assert not BOXES & set(text)
    shown = as_json("show", "2026.11.23-1")
    assert shown["states"] == []
    assert Manifest.model_validate(shown["manifest"]).build_id == "earlier"


def test_diff(target: Path) -> None:
    text = call("diff", "2026.11.23-1", "latest", "--details", "--limit", "2").stdout
    assert re.search(r"^programs: 12 → 16$", text, re.MULTILINE)
    assert re.search(r"^added +8$", text, re.MULTILINE)
    assert len(re.findall(r"^removed +[0-9a-f]{64} +divide", text, re.MULTILINE)) == 2
    found = as_json("diff", "2026.11.23-1", "latest")
    assert found["programs"] == {
        **{"before": 12, "after": 16, "added": 8, "removed": 4, "changed": 0, "same": 8}
    }
    assert found["details"] == []


def test_verify(target: Path) -> None:
    text = call("verify", "latest").stdout
    assert re.search(r"^sound: ", text, re.MULTILINE)
    damaged = target / "releases" / VERSION / "sft" / "test-00000-of-00001.parquet"
    content = bytearray(damaged.read_bytes())
    content[20] ^= 1
    damaged.write_bytes(content)
    text = call("verify", VERSION, code=3).stdout
    assert "sft/test-00000-of-00001.parquet: has SHA-256" in text
    assert text.endswith("NOT sound: 1 faults in 1 files\n")
    found = as_json("verify", "latest", code=3)
    assert (found["sound"], found["version"]) == (False, VERSION)
    outcomes = {check["name"]: check["outcome"] for check in found["checks"]}
    assert outcomes["bytes and SHA-256"] == "fault" and outcomes["claim"] == "ok"


def test_pull(target: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    pulled = as_json("pull", "latest", str(copy), "--config", "sft", "--split", "train")
    assert (pulled["version"], pulled["parts"], pulled["is_all"]) == (VERSION, ["sft/train"], False)
    text = call("pull", "latest", str(copy)).stdout
    assert text.startswith(f"{VERSION} in {copy}: all of it\n")
    assert call("verify", str(copy)).stdout.count("not checked") == 4


def test_a_uri_is_no_folder(target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("pull", "latest", "s3://bucket/x", code=2)
    assert "s3://bucket/x: a path is wanted, not a URI" in result.output
    assert not (tmp_path / "s3:").exists()


def test_a_release_and_itself(target: Path) -> None:
    text = call("diff", "latest", VERSION).stdout
    assert text.startswith(f"{VERSION} → {VERSION}\nprograms: 16 → 16\n")


def test_function_ids_are_whole_in_a_narrow_terminal(target: Path) -> None:
    found = compare(find_release("2026.11.23-1"), find_release("latest"), details=1)
    text = io.StringIO()
    print_difference(found, Console(file=text, width=80, force_terminal=True, color_system=None))
    for item in found.details:
        assert re.search(rf"^{item.change} +{item.function_id}  divide ", text.getvalue(), re.M)


@pytest.mark.parametrize("formats", [["sft", "programs"], ["pretrain"]])
def test_push(target: Path, monkeypatch: pytest.MonkeyPatch, formats: list[str]) -> None:
    path = target / "releases" / VERSION / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["splits"] = {name: manifest["splits"][name] for name in formats}
    path.write_text(json.dumps(manifest))
    pushed = {"repository": "me/it", "version": VERSION, "commit": "ab", "latest": True}
    monkeypatch.setattr("c2c_tasks.publishing.hub.push_release", lambda *_, **__: pushed)
    said = f'load_dataset("me/it", "{formats[0]}", revision="{VERSION}")\n'
    assert call("push", "latest", "me/it").stdout == said
    assert as_json("push", "latest", "me/it") == pushed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "2020.01.01-1"), r"has no release 2020.01.01-1; it has 2026.11.24-1, 2026.11"),
        (("diff", "latest", "2026.11.24-9"), "has no release 2026.11.24-9"),
        (("verify", "nowhere/at/all"), "nothing is published here"),
        (("verify", "ftp://host/x"), "the scheme must be file:// or s3://"),
        (("pull", "latest", "copy", "--config", "chat"), "has no config 'chat'"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    target: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = CliRunner().invoke(app, ["release", *arguments])
    assert result.exit_code == 1
    assert re.fullmatch(rf"c2c: .*{message}.*\n?", result.output)


def test_the_process(target: Path, c2c: Command) -> None:
    """Streams and exit codes, as a shell sees them."""
    wrong = c2c("release", "show", "2020.01.01-1")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("c2c: ") and wrong.stderr.count("\n") == 1
    unknown = c2c("release", "lst")
    assert unknown.returncode == 2 and "lst" in unknown.stderr and not BOXES & set(unknown.stderr)


def test_an_output_that_is_not_utf_8(
    target: Path, c2c: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}.items():
        monkeypatch.setenv(name, value)
    done = c2c("release", "diff", "2026.11.23-1", "latest")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(rf"2026.11.23-1 \u2192 {VERSION}")


def test_the_reader_of_the_output_goes_away(target: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "c2c_tasks.cli", "release", "show"]
    with os.fdopen(writer, "w") as output:
        process = subprocess.run(
            command, stdout=output, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert (process.returncode, process.stderr) == (1, b"")


def test_an_interrupt_is_quiet(
    target: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("c2c_tasks.consuming.finding.find_release", interrupted)
    monkeypatch.setattr(sys, "argv", ["c2c", "release", "verify", "latest"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130
    assert capsys.readouterr() == ("", "")


def test_a_narrow_terminal_has_fewer_columns(target: Path) -> None:
    text = io.StringIO()
    releases = list_releases(target.as_uri())
    print_list(releases, str(target), Console(file=text, width=40))
    lines = text.getvalue().splitlines()
    assert len(lines) == 3 and max(map(len, lines)) <= 40
    assert lines[1].split()[:2] == [VERSION, "latest"]


def test_a_bar_counts_bytes() -> None:
    with Bar("pull") as bar:
        bar.expect(10)
        bar.expect(5)
        bar.tick(15)
        (task,) = bar._progress.tasks
        assert (task.total, task.completed) == (15, 15)
