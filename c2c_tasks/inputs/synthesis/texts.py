"""Texts that a program can make something of."""

from __future__ import annotations

import random
import re
import string
from typing import Any, cast

from c2c_tasks.inputs.synthesis.uses import Use
from c2c_tasks.syntax import without_warnings

WORDS = (
    "apple", "banana", "cherry", "hello", "world", "python", "code", "test", "data", "alpha",
    "beta", "gamma", "level", "noon", "racecar", "cat", "dog", "bird", "fox", "river", "stone",
    "cloud", "green", "blue", "red", "night", "music", "paper", "value", "key", "name", "user",
    "admin", "foo", "bar", "baz", "abc", "xyz", "aab", "zoo", "mississippi", "anna", "bob",
    "Alice", "Carol", "London", "Paris",
)  # fmt: skip
SENTENCES = (
    "the quick brown fox jumps over the lazy dog",
    "Hello, World!",
    "to be or not to be",
    "A man, a plan, a canal: Panama",
    "I have 2 apples and 13 pears",
    "  padded  text  ",
    "first line\nsecond line\nthird",
    "snake_case_name",
    "camelCaseName",
    "kebab-case-name",
    "MiXeD CaSe 42",
    "a,b,c",
    "key=value",
    "x: 1, y: 2",
    "(a + b) * [c - d]",
    "aaabbbccd",
    "naïve café",
    "日本語 text",
    "3.14",
    "-7",
    "2024",
    "0",
)
FORMS: dict[str, tuple[str, ...]] = {
    "date": ("2021-03-05", "1999-12-31", "2024-02-29", "2000-01-01", "2021-13-40", "15/08/2020"),
    "time": ("12:30:45", "00:00:00", "23:59", "07:05:09", "01:02 PM"),
    "path": (
        "/home/user/file.txt", "data/report.csv", "image.png", "/tmp", "archive.tar.gz",
        "../relative/path", "folder/", "README", "C:\\Users\\me\\notes.doc", ".hidden", "a/b/c.py",
    ),
    "url": (
        "http://example.com", "https://www.example.com/a/b?x=1&y=2", "ftp://host/file.txt",
        "https://example.org:8080/index.html#top", "example.com", "http://sub.example.co.uk/",
    ),
    "email": ("user@example.com", "first.last@mail.org", "a@b.co", "no-at-sign", "x+y@z.net"),
    "dna": ("ACGT", "GATTACA", "AAAA", "CCGGTTAA", "ATGCATGC", "ACGUACGU", "TTTTTTTAGC"),
    "version": ("1.2.3", "0.10.0", "2.0", "10.4.12", "1.0.0-beta", "3"),
    "encoding": ("utf-8", "ascii", "latin-1", "utf-16", "cp1252", "no-such-encoding"),
    "error_handler": ("strict", "ignore", "replace", "backslashreplace"),
    "json": ('{"a": 1, "b": [1, 2]}', "[1, 2, 3]", '"text"', "null", "{}", '{"key": "value"}'),
}  # fmt: skip
_ALPHABETS = (
    "ab",
    "abc",
    string.ascii_lowercase,
    string.ascii_letters,
    "01",
    string.digits,
    string.ascii_letters + string.digits + " .,-_",
)
_PREDICATES = {
    "isdigit": string.digits,
    "isnumeric": string.digits,
    "isdecimal": string.digits,
    "isalpha": string.ascii_letters,
    "isupper": string.ascii_uppercase,
    "islower": string.ascii_lowercase,
    "isspace": " \t\n",
    "isalnum": string.ascii_letters + string.digits,
}


def text(use: Use, rng: random.Random, length: int | None = None) -> str:
    """Return a text in the form that the use asks for; `length` is a wish."""
    if use.lengths == {1: None} or (length == 1 and 1 in use.lengths):
        return character(use, rng)
    forms = [flag for flag in use.flags if flag in FORMS]
    roll = rng.random()
    if use.patterns and roll < 0.5:
        made = _of_pattern(rng.choice(list(use.patterns)), rng)
        if made is not None:
            return made
    if ("integer_text" in use.flags or "number_text" in use.flags) and roll < 0.8:
        return number_text(rng, whole="integer_text" in use.flags or roll < 0.3)
    if forms and roll < 0.75:
        return rng.choice(FORMS[rng.choice(forms)])
    if roll < 0.6 and (use.fragments or use.prefixes or use.suffixes):
        return _with_fragments(use, rng)
    alphabet = alphabet_of(use)
    if alphabet and rng.random() < 0.75:
        size = length if length is not None else rng.choice((1, 2, 3, 4, 5, 6, 8, 12))
        return "".join(rng.choices(alphabet, k=size))
    return plain_text(rng, length)


def as_bytes(made: str) -> bytes:
    """Return a text's bytes: each character is one, where they are no more than 255."""
    try:
        return made.encode("latin-1")
    except UnicodeEncodeError:
        return made.encode(errors="replace")


def plain_text(rng: random.Random, length: int | None = None) -> str:
    """Return a word, some words, a sentence, or a run of letters."""
    roll = rng.random()
    if length is not None and length > 0 and roll < 0.7:
        letters = "abcde" if roll < 0.3 else string.ascii_lowercase
        return "".join(rng.choices(letters, k=length))
    if roll < 0.35:
        return rng.choice(WORDS)
    if roll < 0.55:
        return " ".join(rng.choices(WORDS, k=rng.randint(2, 5)))
    if roll < 0.75:
        return rng.choice(SENTENCES)
    return "".join(rng.choices(rng.choice(_ALPHABETS), k=rng.randint(1, 10)))


def character(use: Use, rng: random.Random) -> str:
    """Return one character."""
    alphabet = alphabet_of(use) or [
        str(value) for value in use.literals.values() if isinstance(value, str) and len(value) == 1
    ]
    if alphabet and rng.random() < 0.6:
        return rng.choice(alphabet)
    return rng.choice("abcxyzAEIOUB0159 .-+!" if rng.random() < 0.85 else "éßλЖא日½²\u200b\t\n")


def number_text(rng: random.Random, whole: bool) -> str:
    """Return the text of a number."""
    number = rng.choice((0, 1, 2, 5, 7, 10, 12, 42, 99, 123, 1000, -1, -15, rng.randint(0, 9999)))
    return str(number) if whole else rng.choice((f"{number}.5", f"{number / 4}", f"{number}"))


def alphabet_of(use: Use) -> list[str]:
    """Return the characters that the program tells apart in a text, with one or two others."""
    letters: dict[str, None] = {}
    inner = use.item.root() if use.item is not None else None
    for found in (inner, use.value.root() if use.value is not None else None):
        for value in found.literals.values() if found is not None else ():
            if isinstance(value, str) and value:
                letters.update(dict.fromkeys(value))
    for flag in inner.flags if inner is not None else ():
        if flag in _PREDICATES:
            letters.update(dict.fromkeys(_PREDICATES[flag][:12] + "a1 Z"))
        elif flag == "integer_text":
            letters.update(dict.fromkeys("0123456789"))
    if letters and "0" not in letters:
        letters.update(dict.fromkeys("ax"))
    return list(letters)


def _with_fragments(use: Use, rng: random.Random) -> str:
    filling = [plain_text(rng, rng.randint(0, 4)), rng.choice(WORDS)]
    pieces = [rng.choice(filling)]
    for fragment in rng.sample(list(use.fragments), min(len(use.fragments), rng.randint(0, 3))):
        pieces += [fragment, rng.choice(filling)]
    made = "".join(pieces)
    if use.prefixes and rng.random() < 0.8:
        made = rng.choice(list(use.prefixes)) + made
    if use.suffixes and rng.random() < 0.8:
        made += rng.choice(list(use.suffixes))
    return made


_DIRECTIVES = {
    "Y": (1970, 2030), "m": (1, 12), "d": (1, 28), "H": (0, 23), "M": (0, 59), "S": (0, 59),
    "y": (0, 99), "I": (1, 12), "j": (1, 365), "f": (0, 999999),
}  # fmt: skip
_NAMED_DIRECTIVES = {
    "b": ("Jan", "Mar", "Dec"), "B": ("January", "May", "October"), "p": ("AM", "PM"),
    "a": ("Mon", "Sun"), "A": ("Monday", "Sunday"), "z": ("+0000", "-0530"), "%": ("%",),
}  # fmt: skip


MAX_MATCH = 200
"""Length of a text made for a regular expression."""
MAX_REPETITIONS = 30


def _of_pattern(pattern: str, rng: random.Random) -> str | None:
    if not pattern.startswith("strptime:"):
        return matching(pattern, rng)

    def fill(found: re.Match[str]) -> str:
        name = found.group(1)
        if name in _DIRECTIVES:
            low, high = _DIRECTIVES[name]
            return f"{rng.randint(low, high):0{4 if name == 'Y' else 2}d}"
        return rng.choice(_NAMED_DIRECTIVES.get(name, ("",)))

    return re.sub(r"%(.)", fill, pattern.removeprefix("strptime:"))


def matching(pattern: str, rng: random.Random) -> str | None:
    """Return a text that (nearly always) matches a regular expression; None for a bad one."""
    from re import _parser  # type: ignore[attr-defined]  # its tree has no public reader

    try:
        with without_warnings():
            tree = _parser.parse(pattern)
        made = _Expansion(rng).sequence(tree)
    except (re.error, RecursionError, OverflowError, ValueError):
        return None
    if rng.random() < 0.35:
        made = rng.choice(WORDS) + rng.choice((" ", "")) + made + rng.choice(("", " ", "x"))
    return made[:MAX_MATCH]


_CATEGORIES = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_SPACE": " \t",
    "CATEGORY_WORD": "abcxyzABC019_",
    "CATEGORY_NOT_DIGIT": "abc -",
    "CATEGORY_NOT_SPACE": "abc12-",
    "CATEGORY_NOT_WORD": " -.,!",
}


class _Expansion:
    """Makes one text that a parsed regular expression matches."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.groups: dict[int, str] = {}
        self.left = MAX_MATCH
        """Characters before repetitions stop: they may stand in each other."""

    def sequence(self, items: Any) -> str:
        return "".join([self.expand(str(op), argument) for op, argument in items])

    def expand(self, op: str, argument: Any) -> str:
        match op:
            case "BRANCH":
                return self.sequence(self.rng.choice(argument[1]))
            case "SUBPATTERN":
                text = self.sequence(argument[3])
                if argument[0] is not None:
                    self.groups[argument[0]] = text
                return text
            case "GROUPREF":
                return self.groups.get(argument, "")
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self.repeat(*argument)
            case "ATOMIC_GROUP":
                return self.sequence(argument)
            case "ASSERT":
                direction, inner = argument
                ahead = self.sequence(inner)
                return ahead if direction < 0 else ""
        self.left -= 1
        return self.character(op, argument)

    def repeat(self, low: int, high: int, inner: Any) -> str:
        times = self.rng.randint(low, max(low, min(int(high), low + 3)))
        texts = []
        for _ in range(min(times, MAX_REPETITIONS)):
            if self.left < 0:
                break
            texts.append(self.sequence(inner))
        return "".join(texts)

    def character(self, op: str, argument: Any) -> str:
        match op:
            case "LITERAL":
                return chr(argument)
            case "NOT_LITERAL":
                return "a" if argument != ord("a") else "b"
            case "ANY":
                return self.rng.choice("abcxyz 123")
            case "IN":
                return _one_of(argument, self.rng)
        return ""


def _one_of(choices: Any, rng: random.Random) -> str:
    if str(choices[0][0]) == "NEGATE":
        refused = "".join(_members(choices[1:]))
        return rng.choice([c for c in "abcxyz019 -_" if c not in refused] or ["~"])
    return rng.choice(_members(choices) or ["a"])


def _members(choices: Any) -> list[str]:
    found: list[str] = []
    for op, argument in choices:
        name = str(op)
        if name == "LITERAL":
            found.append(chr(argument))
        elif name == "RANGE":
            low, high = cast(tuple[int, int], argument)
            found.extend(chr(code) for code in range(low, min(high, low + 60) + 1))
        elif name == "CATEGORY":
            found.extend(_CATEGORIES.get(str(argument), "a"))
    return found
