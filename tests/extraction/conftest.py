"""Extraction from the text of one file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

import pytest

from c2c_tasks.config import ExtractionOptions
from c2c_tasks.curation.tokens import canonical_digest_of
from c2c_tasks.extraction import extract_functions
from c2c_tasks.records import Function, SourceFile
from c2c_tasks.shards import Stage, StepReport


@dataclass
class Extraction:
    """Extracts from files and adds the counts up."""

    report: StepReport = field(default_factory=lambda: StepReport("extract", "memory:"))

    def extract(self, content: str, **options: Any) -> list[Function]:
        """Return the functions of a file with this text, checking that the counts add up."""
        file = SourceFile(
            content=content,
            path="package/module.py",
            repository="owner/name",
            licence="MIT",
            dump="file:///dump.jsonl",
            sha256=hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest(),
        )
        functions = list(
            extract_functions(
                file, ExtractionOptions(**options), self.report, identify=canonical_digest_of
            )
        )
        for stage in self.report.stages:
            stage.check()
        return functions

    def stage(self, name: str) -> Stage:
        return self.report.stage(name, "")

    def program(self, content: str) -> str:
        """Return the program of the last function of an indented text."""
        return self.extract(dedent(content))[-1].program

    def reason(self, content: str, **options: Any) -> str:
        """Return why the one function of an indented text that is dropped is no candidate."""
        before = dict(self.stage("functions").dropped)
        # With a function that is kept the text is parsed, whatever the other one looks like.
        self.extract(f"{dedent(content)}\ndef kept(x):\n    return x\n", **options)
        after = self.stage("functions").dropped
        (reason,) = (name for name in after if after[name] != before.get(name))
        return reason


@pytest.fixture
def extraction() -> Extraction:
    return Extraction()
