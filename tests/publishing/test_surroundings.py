from __future__ import annotations

from typing import Any

import pytest

from c2c_tasks.config import BuildConfig, SandboxOptions
from c2c_tasks.publishing.facts import pythons
from c2c_tasks.publishing.manifest import Dump, Manifest, Writing
from c2c_tasks.publishing.surroundings import sandbox_in_words, writer_in_words
from c2c_tasks.sandbox.process import ProcessLauncher

CONTAINER = {
    "launcher": "docker",
    "image": "case2code-sandbox:latest",
    "image_id": "sha256:ab",
    "image_digests": [],
    "runtime": "default",
    "memory_megabytes": 2_048,
    "cpus": 1.0,
    "pids": 64,
    "tmp_megabytes": 16,
    "missing": [],
    "runner": {"python": "3.13.5", "process_1": True, "uid": 65532},
}
MODEL = {
    "name": "vllm",
    "model": "owner/name",
    "revision": None,
    "engine": "endpoint",
    "engine_version": "vllm 0.11.0",
    "context_tokens": 32_768,
    "constrained": True,
    "prompt_style": "chat",
    "prompt_sha256": "cd",
    "temperature": 0.8,
    "top_p": 0.95,
    "max_tokens": 1_024,
    "answers_per_function": 1,
    "inputs_per_answer": 30,
    "fallback": "synthesis",
}


def manifest(**changes: Any) -> Manifest:
    fields: dict[str, Any] = {
        "dataset_name": "x",
        "version": "2026.11.24-1",
        "parent": None,
        "build_id": "b",
        "created_for": "2026-11-24",
        "config": BuildConfig().model_dump(mode="json"),
        "code_version": "1",
        "dump": Dump(uri="file:///dump", objects=1),
        "writer": {"name": "synthesis"},
        "sandbox": CONTAINER,
        "funnel": [],
        "splits": {},
        "files": [],
    }
    return Manifest(**(fields | changes))


def test_a_container() -> None:
    assert dict(sandbox_in_words(manifest())) == {
        "functions ran in": "hardened containers: no network, read-only root, no capabilities",
        "Python": "3.13.5",
        "image": "`case2code-sandbox:latest`",
        "image ID": "`sha256:ab`",
        "OCI runtime": "the engine's default",
        "memory of a function": "2,048 MB",
        "cores of a container": "1.0",
        "processes of a container, at most": "64",
        "temporary files of a container": "16 MB",
        "time of a case and of a function": "1 s CPU and 5 s",
        "each function ran": "twice, in interpreters set up differently",
    }


def test_sandboxes_that_differ() -> None:
    runners = [{"python": "3.13.5"}, {"python": "3.11.2"}, {"python": "3.13.5"}]
    facts = {"launcher": ["docker", "process"], "missing": [[], ["cgroup"]], "runner": runners}
    words = dict(sandbox_in_words(manifest(sandbox=facts)))
    assert words["functions ran in"].startswith("hardened containers: ")
    assert words["functions ran in"].endswith("in no container")
    assert words["protections that could not be set up"].startswith("limits of all processes")
    assert words["Python"] == "3.13.5, 3.11.2"
    assert pythons(manifest(sandbox=facts).sandbox) == ["3.11.2", "3.13.5"]


def test_child_processes_have_words_for_all() -> None:
    facts = ProcessLauncher(SandboxOptions()).facts
    said = sandbox_in_words(manifest(sandbox=facts))
    assert not [name for name, _ in said if "_" in name]


def test_a_model_and_what_it_cost() -> None:
    cost: dict[str, Any] = {"seconds": 4_321.0, "cost": 3.2, "programs": 300}
    writing = Writing(prompt_tokens=200_000, completion_tokens=10_000, **cost)
    words = dict(writer_in_words(manifest(writer=MODEL, writing=writing)))
    assert not [name for name in words if "_" in name]
    assert words["writer"] == "`vllm`: a language model"
    assert words["where that failed"].startswith("`synthesis`")
    assert words["model"] == "`owner/name`"
    assert "revision of the model" not in words
    assert words["answers follow a grammar of the signature"] == "yes"
    assert words["tokens read and written"] == "200,000 and 10,000"
    assert words["seconds for each program"] == "14.4"
    assert words["cost of each program"] == "0.0106667"


def test_without_prices_nothing_is_said_of_cost() -> None:
    writing = Writing(prompt_tokens=1, completion_tokens=1, seconds=1, cost=0, programs=1)
    assert "cost of each program" not in dict(writer_in_words(manifest(writing=writing)))


@pytest.mark.parametrize("value", [{"a": True}, "x|y", ["<b>", 2]])
def test_what_is_not_known_is_named_as_it_is(value: Any) -> None:
    words = dict(sandbox_in_words(manifest(sandbox={"new_fact": value})))
    assert words["new fact"] in ("a: yes", "x\\|y", "\\<b\\>, 2")
