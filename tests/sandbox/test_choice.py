from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.sandbox.docker import DockerLauncher
from c2c_tasks.sandbox.launchers import SandboxError
from c2c_tasks.sandbox.process import ProcessLauncher

NOWHERE = "unix:///nonexistent/docker.sock"


def test_without_an_engine_auto_is_processes_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    with caplog.at_level(logging.WARNING):
        launcher = choose_launcher(SandboxOptions())
    assert isinstance(launcher, ProcessLauncher)
    assert launcher.facts["launcher"] == "process"
    assert "no container" in caplog.text


def test_without_an_engine_docker_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    with pytest.raises(SandboxError, match="no Docker engine answers"):
        choose_launcher(SandboxOptions(launcher="docker"))


@pytest.mark.docker
def test_an_engine_with_the_image_is_taken(docker_client: Any) -> None:
    launcher = choose_launcher(SandboxOptions(), docker_client, {"case2code.test": "choice"})
    assert isinstance(launcher, DockerLauncher)
    assert launcher.facts["image_id"].startswith("sha256:")


@pytest.mark.docker
def test_a_missing_image_is_named(docker_client: Any) -> None:
    options = SandboxOptions(launcher="docker", image="case2code-absent:1")
    with pytest.raises(SandboxError, match=r"no image case2code-absent:1.*make sandbox-image"):
        choose_launcher(options, docker_client)
    assert isinstance(
        choose_launcher(options.model_copy(update={"launcher": "auto"}), docker_client),
        ProcessLauncher,
    )


def test_the_package_imports_the_standard_library_alone() -> None:
    code = "import sys, c2c_tasks.sandbox.runner; sys.exit('pyarrow' in sys.modules)"
    result = subprocess.run([sys.executable, "-s", "-S", "-c", code], env={"PYTHONPATH": "."})
    assert result.returncode == 0
