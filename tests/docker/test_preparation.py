"""docker/airflow: what prepares and watches the composition's services."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

FOLDER = ROOT / "docker/airflow"


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_buckets_are_made_once(s3_bucket: str) -> None:
    create_buckets = load("create_bucket").create_buckets
    uris = [f"{s3_bucket}-new/dataset", f"{s3_bucket}-new/work", "/a/folder", f"{s3_bucket}/x"]
    assert create_buckets(uris) == [f"{s3_bucket}-new".removeprefix("s3://")]
    assert create_buckets(uris) == []


def test_a_server_that_is_still_starting_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [503, 500, 404]
    made = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(answers.pop(0))

        def do_PUT(self) -> None:
            made.append(self.path)
            self.answer(200)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        assert load("create_bucket").create_buckets(["s3://new/dataset"], patience=20) == ["new"]
        server.shutdown()
    assert made == ["/new"]


def test_a_server_that_never_answers_is_named() -> None:
    environment = os.environ | {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "C2C_TARGET": "s3://nowhere/dataset",
        "C2C_WORK": "s3://nowhere/work",
    }
    code = "import create_bucket as c; c.create_buckets.__defaults__ = (0,); c.main()"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("error: http://127.0.0.1:9: Could not connect")
    assert len(run.stderr.splitlines()) == 1


def test_the_catalogue_s_password_is_in_no_command_line(tmp_path: Path) -> None:
    psql = tmp_path / "psql"
    psql.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/arguments\ncat >{tmp_path}/input\n')
    psql.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "POSTGRES_USER": "airflow",
        "CATALOGUE_PASSWORD": "a password of tests",
    }
    script = ROOT / "docker/postgres/create-catalogue.sh"
    subprocess.run(["sh", str(script)], env=environment, check=True)
    assert "--username=airflow" in (tmp_path / "arguments").read_text()
    assert "a password" not in (tmp_path / "arguments").read_text()
    assert "\\getenv password CATALOGUE_PASSWORD\n" in (tmp_path / "input").read_text()


@pytest.mark.docker
def test_the_sandbox_image_is_built_in_the_engine_of_the_environment(
    docker_client: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = load("provide_sandbox_image")
    monkeypatch.setattr(module, "IMAGE", "case2code-sandbox:tests-provide")
    # Built upon itself: the base image that it was made of may not be on this machine any more.
    identity = module.provide("case2code-sandbox:latest", tmp_path / "no-archive.tar", patience=5)
    try:
        image = docker_client.inspect_image("case2code-sandbox:tests-provide")
        assert image["Id"] == identity
        assert image["Config"]["Entrypoint"][-1] == "c2c_tasks.sandbox.runner"
    finally:
        docker_client.remove_image("case2code-sandbox:tests-provide")


@pytest.fixture
def health(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, dict[str, str]]]:
    """The module, and the states that a server of Airflow's health check tells."""
    states = {"scheduler": "healthy", "dag_processor": "healthy"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = ", ".join(f'"{k}": {{"status": "{v}"}}' for k, v in states.items())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"{{{content}}}".encode())

        def log_message(self, *_: Any) -> None:
            pass

    module = load("healthy")
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(module, "API", f"http://127.0.0.1:{server.server_port}/")
        yield module, states
        server.shutdown()


def test_a_service_that_serves_nothing_is_healthy_as_the_api_server_says(
    health: tuple[Any, dict[str, str]],
) -> None:
    module, states = health
    assert module.is_healthy("dag-processor")
    states["dag_processor"] = "unhealthy"
    assert not module.is_healthy("dag-processor")


def test_a_service_that_does_not_answer_is_not_healthy() -> None:
    run = subprocess.run(
        [sys.executable, FOLDER / "healthy.py", "scheduler"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("scheduler: ")
