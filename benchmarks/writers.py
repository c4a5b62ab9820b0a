"""The vllm writer against vLLM's own benchmark client, on the same prompts and the same engine.

The engine is real; its model, two layers with random weights, is made here, so that the client
is what is measured: a GPU serves larger models at no higher a rate. Its interpreter is
`C2C_VLLM_PYTHON`, or `.vllm/bin/python`. Prompts are those of the Case2Code functions; the
benchmark client (`vllm bench serve`) is given their text with the chat template applied. Tokens a
second are tokens written over the seconds from first request to last answer. Before each run the
engine forgets what it has cached.

What a shared prefix saves is shown by prompts that begin with a number of their own, which share
nothing; what the grammars cost, by the writer with and without, though answers are shorter where a
grammar ends them. `--gpu` takes a model of the shape of Qwen2.5-0.5B and more prompts.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.case2code import DATA, written_inputs
from benchmarks.measuring import arguments, verdict
from c2c_tasks.config import InputOptions, project_root
from c2c_tasks.inputs import prompts
from c2c_tasks.inputs.vllm import VllmWriter
from c2c_tasks.records import Function
from c2c_tasks.shards import StepReport
from tests.end_to_end.vllm.server import VllmServer

BAR = 1 / 0.95
"""Of the seconds a token that the benchmark client takes."""
INPUTS = 30
TOKENS = 128
CONCURRENCY = 128
CLIENT, FREE, GRAMMAR, ALONE, IN_PROCESS = (
    "vllm bench serve",
    "writer, endpoint",
    "writer, endpoint, grammars",
    "vllm bench serve, no shared prefix",
    "writer, in process",
)
RENDER = """
import json, sys
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
for line in sys.stdin:
    options = {"tokenize": False, "add_generation_prompt": True}
    print(json.dumps(tokenizer.apply_chat_template(json.loads(line), **options)))
"""


@dataclass(frozen=True)
class Run:
    """What one run came to."""

    prompt_tokens: int
    completion_tokens: int
    seconds: float

    @property
    def rate(self) -> float:
        """Tokens written a second."""
        return self.completion_tokens / self.seconds


def main() -> int:
    """Run the benchmark; return the exit status."""
    chosen = arguments(__doc__, gpu="a model and a load for a GPU")
    logging.disable(logging.WARNING)
    python = Path(os.environ.get("C2C_VLLM_PYTHON", project_root() / ".vllm" / "bin" / "python"))
    if not DATA.is_file() or not python.is_file():
        missing = DATA if python.is_file() else python
        print(f"{missing} is not there; set C2C_TEST_DATA and C2C_VLLM_PYTHON", file=sys.stderr)
        return 2
    os.environ |= {
        "C2C_VLLM_PYTHON": str(python),
        "HF_HUB_OFFLINE": "1",
        "VLLM_CPU_KVCACHE_SPACE": "2",
        "VLLM_SERVER_DEV_MODE": "1",  # for /reset_prefix_cache
    }
    functions: list[Function] = list(written_inputs())[:: 5 if chosen.quick else 1]
    if chosen.gpu:
        functions = [_another(function, copy) for copy in range(8) for function in functions]
    with tempfile.TemporaryDirectory(prefix="c2c-writers-") as name:
        folder = Path(name)
        runs = _measure(functions, folder, python, 1 if chosen.quick else 3, gpu=chosen.gpu)
    _show(runs, len(functions))
    ratios = [
        ours.rate / theirs.rate for ours, theirs in zip(runs[FREE], runs[CLIENT], strict=True)
    ]
    print(
        f"the writer's tokens a second to those of vLLM's client: {statistics.median(ratios):.3f}"
    )
    return verdict(1 / statistics.median(ratios), BAR, chosen.check)


def _measure(
    functions: list[Function], folder: Path, python: Path, turns: int, *, gpu: bool
) -> dict[str, list[Run]]:
    model = folder / "model"
    script = project_root() / "tests/end_to_end/vllm/make_model.py"
    shape = "small" if gpu else "tiny"
    subprocess.run([python, script, model, shape], check=True, capture_output=True)
    shared = _rendered(functions, folder, python, model, "shared")
    alone = _rendered(functions, folder, python, model, "alone")
    server = VllmServer(python, model, folder / "server.log", eager=not gpu)
    contestants: dict[str, Callable[[], Run]] = {
        CLIENT: lambda: _client(shared, len(functions), python, server, model, folder),
        FREE: lambda: _writer(functions, server, constrained="off"),
        GRAMMAR: lambda: _writer(functions, server, constrained="auto"),
        ALONE: lambda: _client(alone, len(functions), python, server, model, folder),
    }
    runs: dict[str, list[Run]] = {name: [] for name in contestants}
    try:
        for turn in range(turns + 1):
            for name, contestant in contestants.items():
                httpx.post(f"{server.url[:-3]}/reset_prefix_cache").raise_for_status()
                run = contestant()
                if turn:  # the first is to warm up
                    runs[name].append(run)
    finally:
        server.kill()
    runs[IN_PROCESS] = [_in_process(functions, model, eager=not gpu)]
    return runs


def _another(function: Function, copy: int) -> Function:
    """Return a function that differs from its copies in the beginning of what is shown of it."""
    program = f"# {copy}\n{function.program}"
    return dataclasses.replace(function, program=program)


def _rendered(
    functions: list[Function], folder: Path, python: Path, model: Path, kind: str
) -> Path:
    """Write the prompts as the benchmark client reads them; return the file."""
    chats = []
    for number, function in enumerate(functions):
        chat = prompts.chat(function, INPUTS)
        assert chat is not None
        if kind == "alone":
            chat = [{**chat[0], "content": f"{number}. {chat[0]['content']}"}, *chat[1:]]
        chats.append(json.dumps(chat))
    texts = subprocess.run(
        [python, "-c", RENDER, model],
        input="\n".join(chats),
        capture_output=True,
        text=True,
        check=True,
    )
    path = folder / f"{kind}.jsonl"
    with path.open("w") as file:
        for line in texts.stdout.splitlines():
            file.write(json.dumps({"prompt": json.loads(line), "output_tokens": TOKENS}) + "\n")
    return path


def _client(
    data: Path, count: int, python: Path, server: VllmServer, model: Path, folder: Path
) -> Run:
    """Run vLLM's benchmark client."""
    with (folder / "client.log").open("ab") as log:
        subprocess.run(
            [
                *(python.with_name("vllm"), "bench", "serve", "--backend", "openai"),
                *("--base-url", server.url.removesuffix("/v1"), "--endpoint", "/v1/completions"),
                *("--model", "tiny", "--tokenizer", model, "--dataset-name", "custom"),
                *("--dataset-path", data, "--skip-chat-template", "--disable-shuffle"),
                *("--custom-output-len", str(TOKENS), "--num-prompts", str(count)),
                *("--max-concurrency", str(CONCURRENCY), "--temperature", "0.8", "--top-p", "0.95"),
                *("--save-result", "--result-dir", folder, "--result-filename", "client.json"),
            ],
            check=True,
            stdout=log,
            stderr=log,
        )
    result = json.loads((folder / "client.json").read_text())
    assert result["completed"] == count, result["completed"]
    return Run(result["total_input_tokens"], result["total_output_tokens"], result["duration"])


def _writer(functions: list[Function], server: VllmServer, **options: Any) -> Run:
    """Run the writer on the endpoint."""
    return _write(
        functions,
        VllmWriter(_options(endpoint=server.url, concurrency=CONCURRENCY, **options)),
    )


def _in_process(functions: list[Function], model: Path, *, eager: bool) -> Run:
    """Run the writer on the engine in process, once it is loaded."""
    options = _options(
        engine="in_process",
        model=str(model),
        concurrency=CONCURRENCY,
        constrained="off",
        engine_arguments={"enforce_eager": eager},
    )
    writer = VllmWriter(options)
    return _write(functions, writer)


def _options(**options: Any) -> InputOptions:
    return InputOptions(writer="vllm", max_tokens=TOKENS, inputs_per_answer=INPUTS, **options)


def _write(functions: list[Function], writer: VllmWriter) -> Run:
    """Have functions written for; the time of loading a model does not count."""
    report = StepReport("write_inputs", "memory:")
    started = time.perf_counter()
    for _ in writer.write(functions, report):
        pass
    seconds = time.perf_counter() - started - writer.engine.statistics.load_seconds
    counters = report.counters
    return Run(counters["prompt_tokens"], counters["completion_tokens"], seconds)


def _show(runs: dict[str, list[Run]], functions: int) -> None:
    table = Table(
        title=f"{functions} functions, {TOKENS} tokens each at most, {CONCURRENCY} at a time",
        title_justify="left",
    )
    table.add_column("")
    for heading in ("tokens written/s", "tokens read/s", "functions/s", f"to {CLIENT}", "turns"):
        table.add_column(heading, justify="right")
    base = statistics.median(run.rate for run in runs[CLIENT])
    for name, turns in runs.items():
        rates = [run.rate for run in turns]
        table.add_row(
            name,
            f"{statistics.median(rates):,.0f}",
            f"{statistics.median(run.prompt_tokens / run.seconds for run in turns):,.0f}",
            f"{statistics.median(functions / run.seconds for run in turns):,.1f}",
            f"{statistics.median(rates) / base:.2f}",
            ", ".join(f"{rate:,.0f}" for rate in rates),
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    raise SystemExit(main())
