"""A language model in vLLM's in-process engine, on this worker's own GPUs.

The engine runs in a child process, under the interpreter that has vLLM: vLLM's pins and those
of Airflow need not agree, a task that was forked cannot use CUDA, and when the task ends,
however it ends, the GPU's memory is given back.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

from c2c_tasks.config import EngineOptions
from c2c_tasks.inputs.completions import (
    Completion,
    ContextTooShort,
    Request,
    RequestFailed,
    RequestRefused,
    Statistics,
)
from c2c_tasks.inputs.errors import EngineDown, InputError
from c2c_tasks.inputs.json_lines_process import JsonLinesProcess
from c2c_tasks.inputs.model_folder import local_model

SCRIPT = Path(__file__).with_name("engine_process.py")
_CONTEXT = "maximum context length"

log = logging.getLogger(__name__)


class InProcessEngine:
    """Holds a `vllm.LLM` in a child process, and asks it as many requests at once as there are."""

    def __init__(self, options: EngineOptions) -> None:
        """Name the model. Raises InputError where there is none; it is loaded when first asked."""
        if not options.model:
            raise InputError("vllm: the engine `in_process` needs the option `model`")
        if options.model.startswith(("/", ".", "~")) and not Path(options.model).is_dir():
            raise InputError(f"vllm: the model {options.model} is no folder of this worker")
        self.options = options
        self.model = options.model
        self.python = os.environ.get("C2C_VLLM_PYTHON") or sys.executable
        self.statistics = Statistics(facts={"engine": "in_process"})
        self._process: JsonLinesProcess | None = None
        self._loaded: asyncio.Task[JsonLinesProcess] | None = None
        self._receiver: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0

    async def complete(self, request: Request) -> Completion:
        """Return the model's answers: see `Engine`."""
        if self._loaded is None:
            self._loaded = asyncio.ensure_future(self._load())
            # That nobody waits for it any more is no news.
            self._loaded.add_done_callback(lambda task: task.cancelled() or task.exception())
        process = await asyncio.shield(self._loaded)
        self._number += 1
        number = self._number
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        try:
            if self._receiver is None or self._receiver.done():
                raise self._ended(process)
            await self._send(process, number, request)
            async with asyncio.timeout(self.options.request_seconds):
                answer = await reply
        except TimeoutError:
            raise RequestFailed(f"no answer in {self.options.request_seconds:g} s") from None
        finally:
            self._waiting.pop(number, None)
        if refused := answer.get("refused"):
            raise (ContextTooShort if _CONTEXT in refused else RequestRefused)(refused)
        return Completion(
            answer["texts"],
            answer["prompt_tokens"],
            answer["completion_tokens"],
            len(answer["truncated_texts"]),
            answer["truncated_texts"],
        )

    async def _send(self, process: JsonLinesProcess, number: int, request: Request) -> None:
        try:
            await process.send({
                "number": number,
                "prompt": request.prompt,
                "sampling": request.sampling,
                "grammar": request.grammar,
            })  # fmt: skip
        except ConnectionError:
            raise self._ended(process) from None

    async def _load(self) -> JsonLinesProcess:
        loaded_from = await asyncio.to_thread(local_model, self.model)
        started = time.monotonic()
        log.info("vllm: loading %s in a process of %s", self.model, self.python)
        self._process = process = await self._start()
        try:
            await process.send(self._arguments(loaded_from))
            ready = await process.receive() or {}
        except ConnectionError:
            ready = {}
        if "version" not in ready:
            await process.end()
            failure = ready.get("failure", process.last_words())
            if "No module named 'vllm'" in failure:
                raise InputError(
                    f"vllm: {self.python} has no vLLM; install docker/gpu/requirements.txt into an "
                    "environment, or `make vllm-engine` without a GPU, and name its interpreter in "
                    "C2C_VLLM_PYTHON"
                )
            raise InputError(f"vllm: {self.model} cannot be loaded: {failure}")
        self.statistics.facts |= {
            "engine_version": f"vllm {ready['version']}",
            "context_tokens": ready["context_tokens"],
        }
        self.statistics.load_seconds = time.monotonic() - started
        log.info("vllm: %s is loaded after %.0f s", self.model, self.statistics.load_seconds)
        self._receiver = asyncio.ensure_future(self._receive(process))
        return process

    def _arguments(self, model: str) -> dict[str, Any]:
        """Return the arguments of `vllm.LLM`."""
        options = self.options
        return {
            **options.engine_arguments,
            "model": model,
            "revision": options.revision or None,
            "tensor_parallel_size": options.tensor_parallel_size,
            "gpu_memory_utilization": options.gpu_memory_share,
            "max_model_len": options.context_tokens or None,
        }

    async def _start(self) -> JsonLinesProcess:
        # Paths of this interpreter's packages are not for that one.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        # Isolated: the script's own folder has a `vllm` as well.
        command = [self.python, "-I", str(SCRIPT)]
        try:
            return await JsonLinesProcess.start(command, environment)
        except OSError as error:
            raise InputError(
                f"vllm: C2C_VLLM_PYTHON names {self.python}, which cannot be run ({error.strerror})"
            ) from None

    async def _receive(self, process: JsonLinesProcess) -> None:
        """Hand answers to who waits for them; when there are no more, tell who still does."""
        try:
            while (answer := await process.receive()) is not None:
                reply = self._waiting.get(answer["number"])
                if reply is not None and not reply.done():
                    reply.set_result(answer)
        finally:
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(self._ended(process))

    def _ended(self, process: JsonLinesProcess) -> EngineDown:
        return EngineDown(f"vllm: the engine of {self.model} ended: {process.last_words()}")

    async def close(self) -> None:
        """End the engine and all that it started."""
        if self._process is not None:
            await self._process.end()
        if self._receiver is not None:
            await asyncio.gather(self._receiver, return_exceptions=True)
