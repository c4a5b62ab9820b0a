"""Which lines of the program a call runs, and which it could.

`sys.monitoring` where the interpreter has it (3.12), else `sys.settrace`. This module is the
sandbox's: it imports the standard library alone.
"""

import sys
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any


def executable_lines(code: CodeType) -> set[int]:
    """Return the lines of a function's body that hold code, nested functions included.

    The line of ``def`` is none of them, unless the body is on it.
    """
    own = set(_lines(code))
    inner = {line for nested in _nested(code) for line in _lines(nested)}
    return (own | inner) - {code.co_firstlineno} or own


def line_recorder(code: CodeType) -> "LineRecorder":
    """Return what records the lines that run of a compiled module, its own level excluded."""
    return _Monitor(code) if sys.version_info >= (3, 12) else _Tracer(code)


class LineRecorder:
    """Records lines between `start` and `stop`; does nothing by itself."""

    def __init__(self) -> None:
        self._lines: set[int] = set()

    def clear(self) -> None:
        """Forget what was recorded."""
        self._lines.clear()

    def start(self) -> None:
        """Record."""

    def stop(self) -> None:
        """Record no more."""

    def close(self) -> None:
        """Give the interpreter back what recording took."""

    def lines(self) -> list[int]:
        """Return the lines recorded since `clear`, sorted."""
        return sorted(self._lines)


class _Tracer(LineRecorder):
    def __init__(self, code: CodeType) -> None:
        super().__init__()
        self._filename = code.co_filename

    def start(self) -> None:
        sys.settrace(self._on_call)

    def stop(self) -> None:
        sys.settrace(None)

    def _on_call(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._on_line if frame.f_code.co_filename == self._filename else None

    def _on_line(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            self._lines.add(frame.f_lineno)
        return self._on_line


class _Monitor(LineRecorder):
    def __init__(self, code: CodeType) -> None:
        super().__init__()
        # By name: type checkers of 3.11 do not know it.
        self._tool: Any = vars(sys)["monitoring"]
        self._tool.use_tool_id(self._tool.COVERAGE_ID, "case2code")
        event = self._tool.events.LINE
        self._tool.register_callback(self._tool.COVERAGE_ID, event, self._on_line)
        for nested in _nested(code):
            self._tool.set_local_events(self._tool.COVERAGE_ID, nested, event)

    def start(self) -> None:
        self._tool.restart_events()

    def close(self) -> None:
        self._tool.free_tool_id(self._tool.COVERAGE_ID)

    def _on_line(self, code: CodeType, line: int) -> Any:
        self._lines.add(line)
        return self._tool.DISABLE


def _lines(code: CodeType) -> Iterator[int]:
    return (line for _, _, line in code.co_lines() if line is not None)


def _nested(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _nested(constant)
