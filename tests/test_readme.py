"""What README.md and CONTRIBUTING.md say is so."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from c2c_tasks.config import BuildConfig

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_make_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|\$ )make ([a-z-]+)", (ROOT / page).read_text())) <= targets


def test_help_lists_every_command() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("demo", "test", "lint", "bench", "up", "down", "help"):
        assert re.search(rf"^  make {target} ", listed.stdout, re.MULTILINE), target


def test_options_that_are_named_exist() -> None:
    options = {name for model in BuildConfig.sections().values() for name in model.model_fields}
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"^- \*\*(\w+)\*\*:", text, re.MULTILINE))
    named |= set(re.findall(r"`(\w+_field)`", text)) | {"writer", "endpoint", "launcher"}
    named |= set(re.findall(r"`(\w+_seconds|\w+_megabytes|cpus|pids)`", text))
    assert named <= options


def test_the_tree_is_the_tree() -> None:
    text = (ROOT / "README.md").read_text()
    (tree,) = re.findall(r"## Where things are\n\n```\n(.*?)```", text, re.DOTALL)
    folder = ROOT
    for line in tree.splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = ROOT / name
            assert folder.exists(), name
        else:
            assert (folder / name).exists(), name


def test_environment_variables_are_those_that_are_read() -> None:
    named = set(VARIABLE.findall((ROOT / "README.md").read_text()))
    assert named - variables_read_in("c2c_tasks", "plugins") == set()
    assert variables_read_in("c2c_tasks") - named == set()
    # The set-up's and a deployment's own have their place in the documents of these.
    documents = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    assert variables_read_in("plugins") - named - set(VARIABLE.findall(documents)) == set()


VARIABLE = re.compile(r"`(C2C_[A-Z_]+)`")


def variables_read_in(*folders: str) -> set[str]:
    """The variables of the environment that code in these folders names."""
    files = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return {name for path in files for name in re.findall(r"\"(C2C_[A-Z_]+)\"", path.read_text())}
