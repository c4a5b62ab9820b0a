"""A language model in vLLM's in-process engine, on this worker's own GPUs.

The engine runs in a child process, under the interpreter that has vLLM: vLLM's pins and those
of Airflow need not agree, a task that was forked cannot use CUDA, and when the task ends,
however it ends, the GPU's memory is given back.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.completions import (
    Completion,
    ContextTooShort,
    Request,
    RequestRefused,
    Statistics,
)
from c2c_tasks.inputs.errors import EngineDown, InputError

SCRIPT = Path(__file__).with_name("engine_process.py")
MAX_LINE = 64 << 20
"""Bytes of one message of the engine."""
KEPT_LINES = 15
"""Last lines of what the engine wrote to its log that an error shows."""
_CONTEXT = "maximum context length"

log = logging.getLogger(__name__)


class InProcessEngine:
    """Holds a `vllm.LLM` in a child process, and asks it as many requests at once as there are."""

    def __init__(self, options: InputOptions) -> None:
        """Name the model. Raises InputError where there is none; it is loaded when first asked."""
        if not options.model:
            raise InputError("vllm: the engine `in_process` needs the option `model`")
        self.options = options
        self.model = options.model
        self.python = os.environ.get("C2C_VLLM_PYTHON", sys.executable)
        self.statistics = Statistics(facts={"engine": "in_process"})
        self._process: asyncio.subprocess.Process | None = None
        self._start: asyncio.Task[None] | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._said: deque[str] = deque(maxlen=KEPT_LINES)

    async def complete(self, request: Request) -> Completion:
        """Return the model's answers: see `Engine`."""
        if self._start is None:
            self._start = asyncio.ensure_future(self._load())
        await asyncio.shield(self._start)
        if self._readers[-1].done():
            raise self._ended()
        self._number += 1
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        number, self._waiting[self._number] = self._number, reply
        await self._send({
            "number": number,
            "prompt": request.prompt,
            "sampling": request.sampling,
            "grammar": request.grammar,
        })  # fmt: skip
        answer = await reply
        if refused := answer.get("refused"):
            raise (ContextTooShort if _CONTEXT in refused else RequestRefused)(refused)
        return Completion(
            answer["texts"],
            answer["prompt_tokens"],
            answer["completion_tokens"],
            answer["truncated"],
        )

    async def _load(self) -> None:
        options = self.options
        started = time.monotonic()
        log.info("vllm: loading %s in a process of %s", self.model, self.python)
        await self._spawn()
        await self._send({
            "model": self.model,
            "revision": options.revision or None,
            "tensor_parallel_size": options.tensor_parallel_size,
            "gpu_memory_utilization": options.gpu_memory_share,
            "max_model_len": options.context_tokens or None,
            "enable_prefix_caching": True,
            **options.engine_arguments,
        })  # fmt: skip
        assert self._process is not None and self._process.stdout is not None
        line = await self._process.stdout.readline()
        ready = json.loads(line) if line else {}
        if "version" not in ready:
            await self.close()
            failure = ready.get("failure", self._last_words())
            if "No module named 'vllm'" in failure:
                raise InputError(
                    f"vllm: {self.python} has no vLLM; install docker/gpu/requirements.txt into an "
                    "environment, and name its interpreter in C2C_VLLM_PYTHON"
                )
            raise InputError(f"vllm: {self.model} cannot be loaded: {failure}")
        self.statistics.facts |= {
            "engine_version": f"vllm {ready['version']}",
            "context_tokens": ready["context_tokens"],
        }
        self.statistics.load_seconds = time.monotonic() - started
        log.info("vllm: %s is loaded after %.0f s", self.model, self.statistics.load_seconds)
        self._readers.append(asyncio.ensure_future(self._receive()))

    async def _spawn(self) -> None:
        # Paths of this interpreter's packages are not for that one.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        try:
            self._process = await asyncio.create_subprocess_exec(
                self.python,
                "-I",  # the script's own folder has a `vllm` as well
                str(SCRIPT),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=MAX_LINE,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise InputError(
                f"vllm: C2C_VLLM_PYTHON, {self.python}, cannot be run ({error.strerror})"
            ) from None
        self._readers.append(asyncio.ensure_future(self._listen()))

    async def _send(self, message: dict[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            await self._process.stdin.drain()
        except ConnectionError:
            raise self._ended() from None

    async def _receive(self) -> None:
        """Hand answers to who waits for them; when there are no more, tell who still does."""
        assert self._process is not None and self._process.stdout is not None
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            reply = self._waiting.pop(answer["number"])
            if not reply.done():
                reply.set_result(answer)
        for reply in self._waiting.values():
            if not reply.done():
                reply.set_exception(self._ended())

    def _ended(self) -> EngineDown:
        return EngineDown(f"vllm: the engine of {self.model} ended: {self._last_words()}")

    async def _listen(self) -> None:
        """Keep the engine's last words, and pass all of them on for those who debug."""
        assert self._process is not None and self._process.stderr is not None
        while line := await self._process.stderr.readline():
            text = line.decode(errors="replace").rstrip()
            log.debug("engine: %s", text)
            self._said.append(text[:500])

    def _last_words(self) -> str:
        lines = [line for line in self._said if line.strip()]
        errors = [line for line in lines if "Error" in line]
        return (errors or lines or ["it said nothing"])[-1]

    async def close(self) -> None:
        """End the engine: it goes when its input ends, and takes its own processes along."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()
        await asyncio.gather(*self._readers, return_exceptions=True)
