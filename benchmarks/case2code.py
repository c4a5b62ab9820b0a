"""The functions of the Case2Code test set, each with the inputs that a language model wrote."""

from __future__ import annotations

import ast
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from c2c_tasks.headers import parameters_of
from c2c_tasks.inputs.parsing import parse_answer
from c2c_tasks.records import Function, Inputs, extend

DATA = Path(os.environ.get("C2C_TEST_DATA", "../shared/data"), "case2code_test_half.jsonl")


def written_inputs() -> Iterator[Inputs]:
    """Yield each function of the set; its arguments are empty where none can be read."""
    for line in DATA.read_text().splitlines():
        row = json.loads(line)
        function = record_of(row["program"], row["entry_point"])
        arguments = parse_answer(row["written_inputs"], function).arguments
        yield extend(Inputs, function, arguments=arguments, writer="paper")


def record_of(program: str, entry_point: str) -> Function:
    """Return the record of a program's function, as extraction would make it."""
    (node,) = (
        node
        for node in ast.parse(program).body
        if isinstance(node, ast.FunctionDef) and node.name == entry_point
    )
    return Function(
        function_id=hashlib.sha256(program.encode()).hexdigest(),
        program=program,
        entry_point=entry_point,
        parameters=parameters_of(node, ast.unparse),
        repository="case2code",
        path="test.jsonl",
        first_line=node.lineno,
        last_line=node.end_lineno or node.lineno,
        licence=None,
        dump=DATA.name,
        source_sha256="",
    )
