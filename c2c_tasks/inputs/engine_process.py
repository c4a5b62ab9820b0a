"""The in-process engine of vLLM, in a process and an environment of its own.

Run by path under an interpreter that has vLLM: it imports that and the standard library alone.
It reads JSON, an object a line, from standard input: first the arguments of `vllm.LLM`, then
requests as they come. It writes an object a line: first what it has loaded, then answers as
they are ready. Requests join the running batch at once, so the engine never drains between two.
It ends, and all that it started, when its input does.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

Send = Callable[[dict[str, Any]], None]


def main() -> None:
    """Serve one parent."""
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def send(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")

    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    arguments = json.loads(sys.stdin.readline())
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    try:
        engine = _Engine(arguments, send)
    except Exception as error:  # whatever vLLM may raise: the parent tells it
        send({"failure": f"{type(error).__name__}: {error}"})
        return
    engine.serve(requests)


def _read(requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        requests.put(json.loads(line))
    os.killpg(0, signal.SIGKILL)  # the parent has gone; the engine's own processes go too


class _Engine:
    def __init__(self, arguments: dict[str, Any], send: Send) -> None:
        import vllm

        self.vllm = vllm
        self.send = send
        self.llm = vllm.LLM(**arguments)
        self.numbers: dict[str, int] = {}
        """The parent's number of a request, by vLLM's name of it."""
        config = self.llm.llm_engine.model_config
        send({"version": vllm.__version__, "context_tokens": config.max_model_len})

    def serve(self, requests: queue.SimpleQueue[dict[str, Any]]) -> None:
        """Answer requests for ever."""
        engine = self.llm.llm_engine
        while True:
            idle = not engine.has_unfinished_requests()
            while idle or not requests.empty():
                self.add(requests.get())
                idle = idle and not engine.has_unfinished_requests()
            for output in engine.step():
                if output.finished:
                    self.answer(output)

    def add(self, request: dict[str, Any]) -> None:
        """Put a request into the batch, or refuse it."""
        try:
            sampling = self.vllm.SamplingParams(**request["sampling"], **self.constraint(request))
            prompt = request["prompt"]
            ask = self.llm.enqueue if isinstance(prompt, str) else self.llm.enqueue_chat
            (name,) = ask([prompt], [sampling], use_tqdm=False)
        except Exception as error:  # whatever vLLM may raise: it concerns this request alone
            self.send({"number": request["number"], "refused": f"{type(error).__name__}: {error}"})
        else:
            # vLLM makes its names unique by a suffix, which its outputs do not carry.
            self.numbers[name.partition("-")[0]] = request["number"]

    def constraint(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the parameter of sampling that makes answers follow the grammar."""
        if request["grammar"] is None:
            return {}
        from vllm.sampling_params import StructuredOutputsParams

        return {"structured_outputs": StructuredOutputsParams(grammar=request["grammar"])}

    def answer(self, output: Any) -> None:
        """Send the answers to a request."""
        reasons = [choice.finish_reason for choice in output.outputs]
        self.send({
            "number": self.numbers.pop(output.request_id),
            "texts": [choice.text for choice in output.outputs],
            "prompt_tokens": len(output.prompt_token_ids),
            "completion_tokens": sum(len(choice.token_ids) for choice in output.outputs),
            "truncated_texts": [i for i, reason in enumerate(reasons) if reason == "length"],
        })  # fmt: skip


if __name__ == "__main__":
    main()
