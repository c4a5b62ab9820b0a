"""Call a program with its cases and print those that come out otherwise.

A reader of releases on its own: of ours it uses nothing but the notation of values.
"""

from __future__ import annotations

import inspect
import json
import sys
from types import ModuleType
from typing import Any

from c2c_tasks.literals import dumps, loads


def call(function: Any, arguments: dict[str, Any]) -> Any:
    positional: list[Any] = []
    named: dict[str, Any] = {}
    parameters = inspect.signature(function).parameters
    starred = any(p.kind is p.VAR_POSITIONAL and p.name in arguments for p in parameters.values())
    for parameter in parameters.values():
        if parameter.name not in arguments:
            continue
        value = arguments[parameter.name]
        match parameter.kind:
            case parameter.VAR_POSITIONAL:
                positional.extend(value)
            case parameter.VAR_KEYWORD:
                named.update(value)
            case parameter.POSITIONAL_ONLY:
                positional.append(value)
            case parameter.POSITIONAL_OR_KEYWORD if starred:
                positional.append(value)
            case _:
                named[parameter.name] = value
    return function(*positional, **named)


def main() -> None:
    program = json.load(sys.stdin)
    faults = []
    for case in program["cases"]:
        module = ModuleType("program")
        sys.modules["program"] = module
        exec(program["program"], module.__dict__)
        try:
            value = call(module.__dict__[program["entry_point"]], loads(case["arguments"]))
            found = ["returned", dumps(value), None, None]
        except Exception as error:
            found = ["raised", None, type(error).__name__, str(error)]
        names = ("outcome", "output", "exception_type", "exception_message")
        recorded = [case[name] for name in names]
        if found != recorded:
            faults.append({"arguments": case["arguments"], "found": found, "recorded": recorded})
    json.dump(faults, sys.stdout)


if __name__ == "__main__":
    main()
