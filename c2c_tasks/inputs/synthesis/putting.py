"""Arguments changed so that an expression has a value, by working it backwards."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from c2c_tasks.inputs.constants import NotConstant, listed, written
from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis.reading import MAX_DEPTH, MAX_LENGTH, MAX_READS, Reading
from c2c_tasks.inputs.synthesis.uses import hashable


class Putting(Reading):
    """Works expressions of one function backwards to its parameters."""

    def start(self, arguments: Arguments) -> None:
        """Take the arguments to change."""
        super().start(arguments)
        self.pinned: set[str] = set()
        """Parameters whose value is not to be changed again."""

    def put(self, node: ast.expr, value: Any) -> bool:
        """Change the arguments so that an expression has a value; tell whether it could be."""
        self.depth += 1
        self.reads += 1
        try:
            if self.depth > MAX_DEPTH or self.reads > MAX_READS:
                return False
            return self._put(node, value)
        except (TypeError, ValueError, ArithmeticError, NotConstant, IndexError):
            return False
        finally:
            self.depth -= 1

    def _put(self, node: ast.expr, value: Any) -> bool:
        match node:
            case ast.Name(id=name) if name in self.layout.loops:
                return self.insert(self.layout.loops[name], value)
            case ast.Name(id=name) if name in self.arguments:
                if name in self.pinned:
                    return False
                self.arguments[name] = value
                return True
            case ast.Name(id=name) if name in self.layout.definitions:
                return self.put(self.layout.definitions[name], value)
            case ast.Subscript(value=owner, slice=index):
                return self._put_item(owner, index, value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.put(operand, -value)
            case ast.BinOp(left=left, op=op, right=right):
                return self._put_operand(left, op, right, value)
            case ast.Call(func=ast.Name(id=name), args=[inner, *_]):
                return self._put_argument(name, inner, value)
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=given):
                return self._put_owner(owner, name, given, value)
        return False

    def _put_item(self, owner: ast.expr, index: ast.expr, value: Any) -> bool:
        held = self.maybe(owner)
        if isinstance(index, ast.Slice):
            return self._put_slice(owner, held, index, value)
        key = self.maybe(index)
        if isinstance(held, dict) and isinstance(key, str | int):
            return self.put(owner, {**held, key: value})
        if not isinstance(held, list | tuple | str):
            if isinstance(key, str):
                return self.put(owner, {key: value})
            held = []
        if not isinstance(key, int) or isinstance(key, bool):
            return self.insert(owner, value)
        items = list(held)
        filler = items[0] if items else value
        items += [filler] * max(0, min(MAX_LENGTH, key + 1 if key >= 0 else -key) - len(items))
        items[key] = value
        return self.put(owner, _like(held, items))

    def _put_slice(self, owner: ast.expr, held: Any, part: ast.Slice, value: Any) -> bool:
        """Put a text in the place of a part of one, or items in the place of some."""
        if not isinstance(held, str | list | tuple) or type(held) is not type(value):
            return False
        size = len(value)
        start = 0 if part.lower is None else self.maybe(part.lower)
        if not isinstance(start, int) or abs(start) > MAX_LENGTH:
            return False
        before, after = held[: max(len(held) - size, 0)], held[:0]
        if start >= 0 or part.upper is not None:
            if start > len(held) and held:
                held = (held * (start // len(held) + 1))[:start]
            before, after = held[:start], held[start + size :]
        return self.put(owner, _like(held, [*before, *value, *after]))

    def _put_operand(self, left: ast.expr, op: ast.operator, right: ast.expr, value: Any) -> bool:
        for target, other, forwards in ((left, right, True), (right, left, False)):
            try:
                known = self.read(other)
            except NotConstant:
                continue
            inverse = (_INVERSE if forwards else _INVERSE_RIGHT).get(type(op))
            numbers = isinstance(value, int | float) and isinstance(known, int | float)
            if inverse is None or not numbers:
                continue
            if self.put(target, inverse(value, known, self.rng.randint(0, 9))):
                return True
        return False

    def _put_argument(self, name: str, inner: ast.expr, value: Any) -> bool:
        current = self.maybe(inner)
        match name:
            case "len" if isinstance(value, int) and 0 <= value <= MAX_LENGTH:
                held = current if isinstance(current, str | list | tuple) and current else [1, 2, 3]
                return self.put(inner, (held * (value // len(held) + 1))[:value])
            case "int" | "float" | "abs" | "round":
                return self.put(inner, written(value) if isinstance(current, str) else value)
            case "str":
                return self.put(inner, int(value) if isinstance(current, int) else value)
            case "sum" | "max" | "min":
                return self.put(inner, [value] if isinstance(value, int | float) else value)
            case "ord" if isinstance(value, int):
                return self.put(inner, chr(value))
            case "set" | "list" | "tuple" | "sorted" if isinstance(value, list | tuple | set | str):
                return self.put(inner, listed(value))
        return False

    def _put_owner(self, owner: ast.expr, name: str, given: list[ast.expr], value: Any) -> bool:
        match name:
            case "lower" | "upper" | "strip" | "lstrip" | "rstrip" | "title" | "casefold":
                return self.put(owner, value)
            case "get" if given:
                return self._put_item(owner, given[0], value)
            case "count" if given and isinstance(value, int) and 0 <= value <= MAX_LENGTH:
                item, held = self.maybe(given[0]), self.maybe(owner)
                if isinstance(held, str):
                    return self.put(owner, written(item) * value if item else held)
                return self.put(owner, [item] * value)
            case "find" | "rfind" | "index" | "rindex" if given and isinstance(value, int):
                item = self.maybe(given[0])
                if isinstance(item, str) and -1 <= value <= MAX_LENGTH:
                    return self.put(owner, "x" * value + item + "y" if value >= 0 else "zz")
            case "split":
                return self.put(owner, " ".join(map(written, listed(value))))
        return False

    def insert(self, container: ast.expr, value: Any) -> bool:
        """Change the arguments so that a container holds a value."""
        match container:
            case ast.Call(func=ast.Name(), args=[inner, *_]):
                return self.insert(inner, value)
            case ast.Call(func=ast.Attribute(value=owner, attr="split"), args=given):
                separator = self.maybe(given[0]) if given else " "
                text = self.maybe(owner)
                if isinstance(text, str) and isinstance(separator, str):
                    return self.put(
                        owner, f"{text}{separator}{written(value)}" if text else written(value)
                    )
                return False
            case ast.Call(func=ast.Attribute(value=owner, attr="values")):
                held = self.maybe(owner)
                keys = list(held) if isinstance(held, dict) and held else ["a"]
                base = held if isinstance(held, dict) else {}
                return self.put(owner, {**base, self.rng.choice(keys): value})
            case ast.Call(func=ast.Attribute(value=owner)):
                return self.insert(owner, value)
            case ast.Subscript(value=owner, slice=ast.Slice()):
                return self.insert(owner, value)
        held = self.maybe(container)
        if isinstance(held, dict | set):
            if not hashable(value):
                return False
            if isinstance(held, set):
                return self.put(container, {*held, value})
            return self.put(container, {**held, value: next(iter(held.values()), 1)})
        items = list(held) if isinstance(held, list | tuple | str) else []
        at = self.rng.randint(0, len(items))
        if items and self.rng.random() < 0.5:
            items[at % len(items)] = value
        else:
            items.insert(at, value)
        if isinstance(held, str) and not isinstance(value, str):
            return False
        return self.put(container, _like(held, items[:MAX_LENGTH]))


def _like(held: Any, items: list[Any]) -> Any:
    if isinstance(held, str) and all(isinstance(item, str) for item in items):
        return "".join(items)
    return tuple(items) if isinstance(held, tuple) else items


_INVERSE: dict[type[ast.operator], Callable[[Any, Any, int], Any]] = {
    ast.Add: lambda value, known, _: value - known,
    ast.Sub: lambda value, known, _: value + known,
    ast.Mult: lambda value, known, _: value // known if value % known == 0 else value / known,
    ast.Div: lambda value, known, _: value * known,
    ast.FloorDiv: lambda value, known, more: value * known + more % known,
    ast.Mod: lambda value, known, more: value + known * more,
    ast.BitAnd: lambda value, known, more: value & known,
}
_INVERSE_RIGHT: dict[type[ast.operator], Callable[[Any, Any, int], Any]] = {
    ast.Add: lambda value, known, _: value - known,
    ast.Sub: lambda value, known, _: known - value,
    ast.Mult: lambda value, known, _: value // known if value % known == 0 else value / known,
}
