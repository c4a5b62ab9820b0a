"""The engine takes the grammars, and what it lets through is inputs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.inputs.grammar import inputs_grammar
from c2c_tasks.inputs.parsing import parse_answer

PROGRAMS = (
    "def f(x): return x",
    "def f(): return 1",
    "def f(grösse, a=1, b='x'): return grösse",
    "def f(a, b=1, *args, c, d=2, **kwargs): return kwargs.get('width')",
    "def f(n: int, x: float, s: str | None = None, t: bytes = b''): return n",
    "def f(xs: list[int], d: dict[str, list[float]], q: set[str]): return xs",
)
# Bytes and a few words stand for tokens: what is let through does not depend on the vocabulary.
SAMPLE = r"""
import json, random, sys
import xgrammar
from vllm.sampling_params import SamplingParams, StructuredOutputsParams
from vllm.v1.structured_output.backend_xgrammar import validate_xgrammar_grammar

words = [b'"),\n', b", ", b"dict(", "…".encode(), b"    "]
pieces = [bytes([byte]) for byte in range(256)] + words
stop = len(pieces)
vocabulary = pieces + [b"<stop>"]
info = xgrammar.TokenizerInfo(vocabulary, stop_token_ids=[stop])
compiler = xgrammar.GrammarCompiler(info, max_threads=2)
mask = xgrammar.allocate_token_bitmask(1, len(vocabulary))
answers = []
for number, grammar in enumerate(json.load(sys.stdin)):
    outputs = StructuredOutputsParams(grammar=grammar)
    validate_xgrammar_grammar(SamplingParams(structured_outputs=outputs))
    compiled = compiler.compile_grammar(grammar)
    answers.append([])
    for seed in range(10):
        choice = random.Random(100 * number + seed)
        matcher = xgrammar.GrammarMatcher(compiled)
        text, token = b"", None
        while token != stop:
            matcher.fill_next_token_bitmask(mask)
            bits = [word & 0xFFFFFFFF for word in mask[0].tolist()]
            allowed = [t for t in range(len(vocabulary)) if bits[t // 32] >> t % 32 & 1]
            ends = [t for t in allowed if t == stop or pieces[t][0] in b'")]},\n']
            token = choice.choice(ends if ends and choice.random() < 0.4 else allowed)
            assert matcher.accept_token(token)
            text += b"" if token == stop else pieces[token]
        # XGrammar lets some bytes pass that are no UTF-8; engines put U+FFFD for them.
        answers[-1].append(text.decode(errors="replace"))
print(json.dumps(answers))
"""


@pytest.mark.vllm
@pytest.mark.slow
def test_what_the_engine_lets_through_is_taken(vllm_python: Path, function_of: Any) -> None:
    functions = [function_of(program) for program in PROGRAMS]
    grammars = [inputs_grammar(function, 5) for function in functions]
    run = subprocess.run(
        [vllm_python, "-c", SAMPLE],
        input=json.dumps(grammars),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2_000:]
    answers = json.loads(run.stdout.splitlines()[-1])
    for function, texts in zip(functions, answers, strict=True):
        for text in texts:
            read = parse_answer(text, function)
            assert read.refused.keys() <= {"repeated"}, text
            assert len(read.arguments) + read.refused.get("repeated", 0) == text.count("\ndict(")
