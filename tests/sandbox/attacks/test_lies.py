"""Lies to the host: lines that no honest child writes, and literals that are hard to parse.

The host is under attack here. It must tell each for a lie, in little time and memory, whatever
options it was given.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.sandbox.attacks.arena import Batch, attack

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack

# Each lie ends its runner: two at a time take turns in starting.
OPTIONS = {"output_characters": 100_000, "determinism_runs": False, "workers": 2}


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch) -> None:
    batch.check_the_rest()


@attack("dropped: protocol_violation", arguments=("{'x': 'noise'}",))
def writes(x: str) -> None:
    import os

    os.write(3, x.encode("latin-1"))
    os._exit(0)


@attack("dropped: protocol_violation", arguments=("{'x': '1 + 1'}",))
def returns(x: str) -> str:
    """Changes the runner's line on its way out: what is returned is not what is answered."""
    import json
    import os

    write = os.write

    def change(descriptor: int, data: bytes) -> int:
        write(descriptor, bytes(data).replace(b"\"'honest'\"", json.dumps(x).encode()))
        return len(data)

    os.write = change
    return "honest"


LIES = [
    replace(writes, name=f"writes_{name}", arguments=(repr({"x": text}),))
    for name, text in {
        "noise": "\x00\xff\xfe\n" * 20,
        "empty_lines": "\n" * 50,
        "deep_json": "[" * 9_000 + "\n",
        "long_number": '{"body_lines": [' + "1" * 8_000 + "]}\n",
        "surrogate": '{"failed_to_load": "\\ud800"}\n',
        "lines_it_does_not_have": '{"body_lines": [1, 1000000]}\n',
        "cases_it_does_not_have": '{"body_lines": []}\n[7, "returned", "1", null, null, [], 9]\n',
        "a_negative_duration": '{"body_lines": []}\n[0, "returned", "1", null, null, [], -1]\n',
        "an_unknown_outcome": '{"body_lines": []}\n[0, "owned", "1", null, null, [], 9]\n',
        "code": '{"body_lines": []}\n[0, "returned", "exit(1)", null, null, [], 9]\n',
        "head_of_another": '2 1 exit 0\n{"body_lines": []}\n',
    }.items()
]


LITERALS = [
    replace(returns, name=f"returns_{name}", arguments=(repr({"x": text}),))
    for name, text in {
        "deeper_list": "[" * 45_000 + "]" * 45_000,
        "many_signs": "-" * 90_000 + "1",
        "a_long_sum": "1" + "+1" * 45_000,
        "long_attributes": "a" + ".a" * 45_000,
        "many_digits": "1" * 90_000,
        "many_hexadecimal_digits": "0x" + "f" * 90_000,
        "a_power": "9**9**9**9",
        "nested_text": "f'" + "{" * 140 + "1" + "}" * 140 + "'",
        "a_surrogate": "'\\ud800' '\ud800'",
        "nothing": "",
    }.items()
]
