"""docker-compose.yaml: valid for both generations of Compose, and its policies."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from tests.conftest import ROOT, unavailable

TEXT = (ROOT / "docker-compose.yaml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"airflow-init", "bucket", "sandbox-image"}
LONG_RUNNING = sorted(SERVICES.keys() - ONCE)
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
PROFILES = "engine,s3,gpu,vllm,observability"


def make_env(folder: Path) -> Path:
    subprocess.run([sys.executable, ROOT / "docker/make-env", folder], check=True)
    return folder / ".env"


def interpolate(value: str) -> str:
    """Return what Compose makes of a value whose variables are not set."""
    return VARIABLE.sub(lambda found: found[3] if found[2] == "-" else "", value)


def programs() -> list[list[str]]:
    found = []
    if shutil.which("docker-compose"):
        found.append(["docker-compose"])
    if shutil.which("docker"):
        probe = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if probe.returncode == 0:
            found.append(["docker", "compose"])
    return found


def test_each_compose_that_is_here_takes_the_file(tmp_path: Path) -> None:
    if not programs():
        unavailable("compose", "neither docker-compose nor the plugin of docker is here")
    environment = os.environ | {"COMPOSE_PROFILES": PROFILES}
    env_file = str(make_env(tmp_path))
    for program in programs():
        command = [*program, "--env-file", env_file, "config"]
        run = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        config = yaml.safe_load(run.stdout)
        assert config["services"].keys() == SERVICES.keys()
        assert config["services"]["engine"]["environment"] == {"DOCKER_TLS_CERTDIR": "/certs"}


def test_without_secrets_compose_refuses_and_says_what_to_do() -> None:
    if not programs():
        unavailable("compose", "neither docker-compose nor the plugin of docker is here")
    command = [*programs()[0], "--env-file", str(ROOT / ".env.example"), "config"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert re.search(r"C2C_\w+.*make up fills .env", run.stderr, re.DOTALL)


def test_an_env_file_gets_a_secret_of_its_own_for_each_name_and_is_never_overwritten(
    tmp_path: Path,
) -> None:
    path = make_env(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_text()
    values = dict(re.findall(r"^(\w+)=(.*)$", content, re.MULTILINE))
    empty = re.findall(r"^(\w+)=$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    secrets = [values[name] for name in empty]
    assert len(set(secrets)) == len(secrets) == 10
    assert all(len(value) >= 40 and re.fullmatch(r"[\w=-]+", value) for value in secrets)
    Fernet(values["C2C_FERNET_KEY"])
    make_env(tmp_path)
    assert path.read_text() == content
    ignored = ["git", "check-ignore", "--quiet", ".env"]
    if (ROOT / ".git").exists():
        assert subprocess.run(ignored, cwd=ROOT, check=False).returncode == 0


def test_secrets_that_an_env_file_lacks_are_added_and_the_others_stay(tmp_path: Path) -> None:
    path = make_env(tmp_path)
    complete = path.read_text()
    # As after an upgrade that brought a secret, or where somebody copied the example.
    old = re.sub(r"^C2C_JWT_SECRET=.*\n", "", complete, flags=re.MULTILINE)
    old = re.sub(r"^(C2C_REDIS_PASSWORD)=.*$", r"\1=", old, flags=re.MULTILINE)
    path.write_text(f"{old.rstrip()}\nC2C_DUMPS=/mine")
    make_env(tmp_path)
    values = dict(re.findall(r"^(\w+)=(.*)$", path.read_text(), re.MULTILINE))
    before = dict(re.findall(r"^(\w+)=(.+)$", old, re.MULTILINE))
    assert (before | {"C2C_DUMPS": "/mine"}).items() <= values.items()
    assert len(values["C2C_JWT_SECRET"]) == len(values["C2C_REDIS_PASSWORD"]) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_secret_has_a_default_and_each_is_in_the_example() -> None:
    required = {name for name, kind, _ in VARIABLE.findall(TEXT) if kind == "?"}
    example = set(re.findall(r"^(\w+)=$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert required == example
    for name, kind, default in VARIABLE.findall(TEXT):
        # A key to the model's server may be left out, then the server asks for none.
        if re.search("PASSWORD|SECRET|KEY|TOKEN", name) and name not in required:
            assert (kind, default) == ("-", ""), name
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|_KEY$|REDISCLI_AUTH", name):
                assert re.fullmatch(VARIABLE.pattern, value), name


def test_each_variable_of_the_example_is_one_of_the_file() -> None:
    known = {name for name, _, _ in VARIABLE.findall(TEXT)} | {"COMPOSE_PROFILES"}
    example = re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert set(example) <= known


def test_each_variable_of_the_file_is_in_the_documentation() -> None:
    pages = [ROOT / "README.md", ROOT / ".env.example", *(ROOT / "docs").glob("*.md")]
    named = set(re.findall(r"\b\w+", " ".join(page.read_text() for page in pages)))
    assert {name for name, _, _ in VARIABLE.findall(TEXT)} - named == set()


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_service_is_watched_limited_and_started_again(name: str) -> None:
    service = SERVICES[name]
    check = service["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert check.keys() >= {"interval", "timeout", "retries"}
    assert service["restart"] == "unless-stopped"
    assert service.keys() >= {"mem_limit", "cpus", "pids_limit"}
    assert service["logging"] == {"driver": "local"}, "its log would grow until the disk is full"
    # A limit above what a host has makes Docker refuse the container.
    assert float(interpolate(str(service["cpus"]))) <= (4 if name in ("worker-gpu", "vllm") else 2)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    if name == "engine":
        assert service["privileged"] is True
        assert "rootless" in interpolate(service["image"])
        return
    assert "privileged" not in service
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"pid", "ipc", "network_mode", "userns_mode", "devices"}
    added = set(service.get("cap_add", ()))
    assert not added or name in ("postgres", "s3")


def test_no_service_sees_the_host_s_engine_or_more_of_the_host_than_it_is_given() -> None:
    assert "docker.sock:" not in TEXT
    named = set(COMPOSE["volumes"])
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source, target, *mode = interpolate(volume).split(":")
            assert source in named or mode == ["ro"], f"{name} may write to {source} of the host"
            assert source in named or source.startswith("./") or source == "/dev/null"
            assert target != "/var/run/docker.sock"


def test_only_the_sandbox_worker_reaches_the_engine() -> None:
    on_network = {name for name, service in SERVICES.items() if "engine" in service["networks"]}
    assert on_network == {"engine", "worker-sandbox", "sandbox-image"}
    assert SERVICES["engine"]["networks"] == SERVICES["sandbox-image"]["networks"] == ["engine"]
    has_key = {
        name
        for name, service in SERVICES.items()
        for volume in service.get("volumes", ())
        if "engine-certificates" in volume
    }
    assert has_key == on_network
    for name in ("worker-sandbox", "sandbox-image"):
        environment = SERVICES[name]["environment"]
        assert interpolate(environment["DOCKER_HOST"]) == "tcp://engine:2376"
        assert environment["DOCKER_TLS_VERIFY"] == "1"
        folder = environment["DOCKER_CERT_PATH"]
        assert any(volume.endswith(f":{folder}:ro") for volume in SERVICES[name]["volumes"])
    assert "ports" not in SERVICES["engine"]


def test_only_the_web_interface_listens_on_all_interfaces() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", ()):
            published = interpolate(port)
            if name == "api-server":
                assert published == "8080:8080"
            else:
                assert published.startswith("127.0.0.1:"), f"{name} publishes {published}"


def test_each_image_is_public_and_of_a_version_or_built_here() -> None:
    built = {s["image"] for s in SERVICES.values() if "build" in s}
    for name, service in SERVICES.items():
        image = interpolate(service["image"])
        if service["image"] in built:
            assert image.startswith("case2code-")
        else:
            assert re.fullmatch(r"[a-z/-]+:v?\d[\w.-]*", image), f"{name}: {image}"
    for service in SERVICES.values():
        if "build" in service:
            file = (ROOT / service["build"]["dockerfile"]).read_text()
            default = re.search(r"^ARG BASE_IMAGE=(\S+)", file, re.MULTILINE)
            assert default
            assert interpolate(service["build"]["args"]["BASE_IMAGE"]) == default[1]


def test_the_build_context_has_what_the_image_copies() -> None:
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    dockerfile = (ROOT / "docker/airflow/Dockerfile").read_text().replace("\\\n", "")
    copied = [line.split()[1:-1] for line in re.findall(r"^COPY .+$", dockerfile, re.MULTILINE)]
    assert len(copied) >= 6
    for source in (source for sources in copied for source in sources):
        assert source in allowed
        assert (ROOT / source).exists()


def test_each_queue_of_the_dags_has_a_worker_with_and_without_a_gpu() -> None:
    def queues(name: str) -> set[str]:
        (option,) = (p for p in SERVICES[name]["command"] if p.startswith("--queues="))
        return set(interpolate(option).removeprefix("--queues=").split(","))

    dags = "".join(path.read_text() for path in (ROOT / "dags").glob("*.py"))
    used = set(re.findall(r'queue"?[=:] ?"(\w+)"', dags))
    assert used == {"default", "gpu", "sandbox"}
    assert queues("worker-default") | queues("worker-sandbox") == used
    assert queues("worker-gpu") == {"gpu"}
    assert queues("worker-sandbox") == {"sandbox"}


def test_services_of_airflow_share_what_they_must() -> None:
    airflow = [s for s in SERVICES.values() if "AIRFLOW__API_AUTH__JWT_SECRET" in str(s)]
    assert len(airflow) == 8
    shared = COMPOSE["x-airflow-environment"]
    for service in airflow:
        assert shared.items() <= service["environment"].items()


def test_what_code_reads_of_the_environment_reaches_all_services_of_airflow() -> None:
    read = re.compile(r"(?:environ(?:\.get\(|\[)|_number\()\"(C2C_\w+)\"")
    code = [
        p.read_text() for folder in ("c2c_tasks", "plugins") for p in (ROOT / folder).rglob("*.py")
    ]
    names = {name for text in code for name in read.findall(text)}
    of_set_up = {"C2C_ADMIN_PASSWORD", "C2C_ADMIN_USER", "C2C_VLLM_API_KEY", "C2C_VLLM_ENDPOINT"}
    of_the_image = {"C2C_CACHE", "C2C_VLLM_PYTHON"}
    assert len(names) > 14
    shared = COMPOSE["x-airflow-environment"]
    assert names - of_set_up - of_the_image <= shared.keys()
    assert of_set_up <= SERVICES["airflow-init"]["environment"].keys()
    # Unset, it must not be there: to Airflow, an empty one is a Connection.
    assert shared["AIRFLOW_CONN_CASE2CODE_ALERTS"] is None


def test_options_and_the_connection_of_alerts_are_taken_from_the_env_file_as_they_are(
    tmp_path: Path,
) -> None:
    if not programs():
        unavailable("compose", "neither docker-compose nor the plugin of docker is here")
    values = {
        "C2C_OPTIONS": '{"dump": "s3://bucket/{date}", "writer": "vllm"}',
        "AIRFLOW_CONN_CASE2CODE_ALERTS": '{"conn_type": "http", "password": "T0/B0/X"}',
    }
    path = make_env(tmp_path)
    path.write_text(path.read_text() + "".join(f"{k}='{v}'\n" for k, v in values.items()))
    # What is set there would win over the file.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("C2C_", "AIRFLOW"))}
    for program in programs():
        command = [*program, "--env-file", str(path), "config"]
        run = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        told = yaml.safe_load(run.stdout)["services"]["triggerer"]["environment"]
        assert values.items() <= told.items()
        assert told["C2C_PRESET"] == "nightly"


def said(command: list[str], environment: dict[str, str]) -> bytes:
    return subprocess.run(command, env=environment, capture_output=True, check=False).stdout


def test_redis_ends_when_it_is_asked_to_and_has_its_password_in_no_command_line(
    tmp_path: Path,
) -> None:
    if shutil.which("redis-server") is None:
        unavailable("redis", "it is not installed")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    script = SERVICES["redis"]["command"][-1].replace("$$", "$")
    script = script.replace("dir /data", f"dir {tmp_path}\nport {port}")
    environment = os.environ | {"REDIS_PASSWORD": "secret", "REDISCLI_AUTH": "secret"}
    # The shell is process 1 of the container, which no signal ends that it does not handle.
    with subprocess.Popen(
        ["sh", "-c", f"trap '' TERM; {script}"], env=environment, stdout=subprocess.DEVNULL
    ) as process:
        ask = ["redis-cli", "-p", str(port), "ping"]
        deadline = time.monotonic() + 10
        while b"PONG" not in said(ask, environment):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        process.terminate()
        try:
            assert process.wait(5) == 0
        except subprocess.TimeoutExpired:
            subprocess.run([*ask[:-1], "shutdown", "nosave"], env=environment, check=False)
            raise
    assert command.startswith(b"redis-server")
    assert b"secret" not in command


def test_devices_are_counted_as_docker_compose_1_29_can() -> None:
    # It takes a variable in `config`, and fails at every command that does something.
    (device,) = COMPOSE["x-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["count"] == "all"
