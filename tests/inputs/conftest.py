"""Functions to write inputs for."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterator

import pytest

from c2c_tasks.inputs import answers, breaker, endpoint
from c2c_tasks.records import Function, Parameter, ParameterKind
from tests.inputs.stand_in import StandIn

FunctionOf = Callable[..., Function]


def parameters_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Parameter]:
    """The parameters of a header, as extraction reads them."""
    header = node.args
    found: list[Parameter] = []

    def add(argument: ast.arg | None, kind: ParameterKind, default: ast.expr | None = None) -> None:
        if argument is not None:
            texts = [part and ast.unparse(part) for part in (argument.annotation, default)]
            found.append(Parameter(argument.arg, kind, *texts))

    positional = [*header.posonlyargs, *header.args]
    required: list[ast.expr | None] = [None] * (len(positional) - len(header.defaults))
    for position, default in enumerate([*required, *header.defaults]):
        named = position >= len(header.posonlyargs)
        kind: ParameterKind = "positional_or_keyword" if named else "positional_only"
        add(positional[position], kind, default)
    add(header.vararg, "var_positional")
    for argument, default in zip(header.kwonlyargs, header.kw_defaults, strict=True):
        add(argument, "keyword_only", default)
    add(header.kwarg, "var_keyword")
    return found


@pytest.fixture(scope="session")
def function_of() -> FunctionOf:
    """Makes the record of a program's function: its last one, or the one that is named."""

    def make(program: str, name: str = "") -> Function:
        nodes = [
            node
            for node in ast.parse(program).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and name in ("", node.name)
        ]
        return Function(
            function_id=hashlib.sha256(program.encode(errors="replace")).hexdigest(),
            program=program,
            entry_point=nodes[-1].name,
            parameters=parameters_of(nodes[-1]),
            repository="owner/name",
            path="module.py",
            first_line=1,
            last_line=program.count("\n") + 1,
            licence="MIT",
            dump="memory:",
            source_sha256="",
        )

    return make


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """An endpoint that does what a test tells it to; waits are short."""
    monkeypatch.setattr(endpoint, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(endpoint, "LONGEST_WAIT", 0.05)
    monkeypatch.setattr(breaker, "PROBE_SECONDS", 0.02)
    monkeypatch.setattr(answers, "WRITE_SECONDS", 0.01)
    for name in ("C2C_VLLM_ENDPOINT", "C2C_VLLM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    made = StandIn()
    yield made
    made.stop()


@pytest.fixture
def functions(function_of: FunctionOf) -> list[Function]:
    """Twelve functions of one parameter."""
    return [function_of(f"def f(x):\n    return x + {i}\n") for i in range(12)]
