"""Who wrote the inputs of a release, and where its functions ran, in words for its card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from c2c_tasks.publishing.manifest import Manifest
from c2c_tasks.publishing.markdown import cell, code

Rows = list[tuple[str, str]]
"""What it is, and its value in words."""

_WRITERS = {
    "synthesis": "`synthesis`: no language model; inputs are made from the types and literals in "
    "a program, and varied by what came of them",
    "vllm": "`vllm`: a language model",
    "none": "`none`: nobody; every function of a signature was given the same values",
}
_LAUNCHERS = {
    "docker": "hardened containers: no network, read-only root, no capabilities",
    "process": "child processes with limits and a filter of system calls, in no container",
}
_MISSING = {
    "cgroup": "limits of all processes together (cgroup)",
    "own_user": "a user of their own",
    "seccomp": "the filter of system calls (seccomp)",
    "pid": "a namespace of process ids",
    "mount": "a namespace of mounts",
    "network": "a namespace without network",
    "ipc": "a namespace of shared memory",
}


def _mapped(words: Mapping[str, str]) -> Callable[[Any], str]:
    return lambda value: words.get(str(value), _plain(value))


def _code(value: Any) -> str:
    return code(str(value), in_table=True)


def _megabytes(value: Any) -> str:
    return f"{value:,} MB"


_WRITER: dict[str, tuple[str, Callable[[Any], str]]] = {
    "name": ("writer", _mapped(_WRITERS)),
    "fallback": ("where that failed", _mapped(_WRITERS)),
    "model": ("model", _code),
    "revision": ("revision of the model", _code),
    "engine": (
        "engine",
        _mapped({"endpoint": "a server, by the OpenAI API", "in_process": "in process"}),
    ),
    "engine_version": ("version of the engine", str),
    "context_tokens": ("context", lambda value: f"{value:,} tokens"),
    "constrained": (
        "answers follow a grammar of the signature",
        _mapped({"True": "yes", "False": "no"}),
    ),
    "prompt_style": ("prompt", _mapped({"chat": "a chat", "text": "a text to be continued"})),
    "prompt_sha256": ("SHA-256 of the prompt", _code),
    "temperature": ("temperature", str),
    "top_p": ("nucleus sampling mass (top p)", str),
    "max_tokens": ("longest answer", lambda value: f"{value:,} tokens"),
    "answers_per_function": ("answers for each function", str),
    "inputs_per_answer": ("inputs asked for in an answer", str),
}
_SANDBOX: dict[str, tuple[str, Callable[[Any], str]]] = {
    "launcher": ("functions ran in", _mapped(_LAUNCHERS)),
    "python": ("Python", str),
    "image": ("image", _code),
    "image_id": ("image ID", _code),
    "image_digests": ("image digest", _code),
    "runtime": ("OCI runtime", _mapped({"default": "the engine's default"})),
    "namespaces": ("namespaces of their own", str),
    "missing": ("protections that could not be set up", _mapped(_MISSING)),
    "memory_megabytes": ("memory of a function", _megabytes),
    "cpus": ("cores of a container", str),
    "pids": ("processes of a container, at most", str),
    "tmp_megabytes": ("temporary files of a container", _megabytes),
}


def writer_in_words(manifest: Manifest) -> Rows:
    """Return who wrote the first inputs, and what that cost; nothing where nobody wrote any."""
    rows = _in_words(manifest.writer.known(), _WRITER)
    writing = manifest.writing
    if not rows or writing is None:
        return rows
    rows += [
        ("tokens read and written", f"{writing.prompt_tokens:,} and {writing.completion_tokens:,}"),
        ("tokens for each program", f"{writing.tokens_per_program:,.0f}"),
        ("seconds for each program", f"{writing.seconds_per_program:.3g}"),
    ]
    if writing.cost:
        rows.append(("cost of each program", f"{writing.cost_per_program:.6g}"))
    return rows


def sandbox_in_words(manifest: Manifest) -> Rows:
    """Return where functions ran, and under which limits; nothing where none ran."""
    rows = _sandbox(manifest.sandbox.known())
    if not rows:
        return []
    options = manifest.config.get("sandbox", {})
    if "case_seconds" in options:
        seconds = (options["case_seconds"], options["function_seconds"])
        rows.append(("time of a case and of a function", "{:g} s CPU and {:g} s".format(*seconds)))
    if "determinism_runs" in options:
        twice = "twice, in interpreters set up differently" if options["determinism_runs"] else None
        rows.append(("each function ran", twice or "once: what differs between runs is not known"))
    return rows


def differences_in_words(manifest: Manifest) -> list[tuple[int, dict[str, str]]]:
    """Return, of each sandbox of several, how many shards it ran and what others have not."""
    sandboxes = [dict(_sandbox(sandbox.facts.known())) for sandbox in manifest.sandboxes]
    labels = dict.fromkeys(label for sandbox in sandboxes for label in sandbox)
    differing = [label for label in labels if len({s.get(label) for s in sandboxes}) > 1]
    return [
        (len(sandbox.shards), {label: words.get(label, "") for label in differing})
        for sandbox, words in zip(manifest.sandboxes, sandboxes, strict=True)
    ]


def _sandbox(facts: Mapping[str, Any]) -> Rows:
    # Whether it was the fallback is what the launcher says.
    known = {name: value for name, value in facts.items() if name not in ("fallback", "runner")}
    runners = _listed(facts.get("runner", []))
    known["python"] = [*dict.fromkeys(r["python"] for r in runners if "python" in r)]
    return _in_words(known, _SANDBOX)


def _in_words(
    facts: Mapping[str, Any], words: Mapping[str, tuple[str, Callable[[Any], str]]]
) -> Rows:
    """Return known facts in the order of `words`, then the others by their own name."""
    rows: Rows = []
    for name in [*(n for n in words if n in facts), *(n for n in facts if n not in words)]:
        label, format_ = words.get(name, (name.replace("_", " "), _plain))
        values = [value for value in _listed(facts[name]) if value not in (None, "", [], {})]
        if values:
            rows.append((label, ", ".join(format_(value) for value in _flat(values))))
    return rows


def _listed(value: Any) -> list[Any]:
    """Return a fact as a list: what differs between shards is one already."""
    return value if isinstance(value, list) else [value]


def _flat(values: list[Any]) -> list[Any]:
    return [item for value in values for item in _listed(value)]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(item)}" for name, item in value.items())
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else cell(str(value))
