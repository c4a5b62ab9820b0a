"""What an engine is asked, and what it answers, whichever way it is reached."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Protocol

Prompt = list[dict[str, str]] | str
"""The messages of a chat, or a text for a model that has no chat template."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a language model; equal requests have equal keys."""

    prompt: Prompt
    sampling: dict[str, Any]
    """Temperature, mass, seed and limits, named as OpenAI's API and vLLM both name them."""
    grammar: str | None = None
    """EBNF that every answer follows."""
    number: int = 0
    """Tells requests apart that are equal otherwise, for more answers than one request gives."""

    def key(self, model: str) -> str:
        """Return what tells this request to a model from all others: a SHA-256."""
        parts: list[Any] = [model, self.prompt, self.sampling, self.grammar]
        if self.number:  # without it, keys are those of answers kept by earlier versions
            parts.append(self.number)
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Completion:
    """What an engine answered to a request."""

    texts: list[str]
    """One text for each answer asked for."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Tokens of all answers together."""
    truncated: int = 0
    """Answers that ended at the limit of tokens."""
    truncated_texts: list[int] = field(default_factory=list)
    """Which these are, by position; empty in what earlier versions kept."""

    def to_json(self) -> dict[str, Any]:
        """Return the completion as what JSON can hold."""
        return dataclasses.asdict(self)


@dataclass(slots=True)
class Statistics:
    """What an engine did beside answering, for the report."""

    retries: int = 0
    """Requests that were made again."""
    outages: int = 0
    """Times that the engine was away and came back."""
    load_seconds: float = 0.0
    """Until the model was loaded, where it had to be."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the manifest records of the engine."""


class RequestRefused(Exception):
    """The engine does not take the request, and would not if it were asked again."""


class ContextTooShort(RequestRefused):
    """Prompt and answer together do not fit into the model's context."""


class RequestFailed(Exception):
    """No answer came, in spite of every repetition; the message says why."""


class Engine(Protocol):
    """A language model that can be asked many things at a time."""

    model: str
    statistics: Statistics

    async def complete(self, request: Request) -> Completion:
        """Return the model's answers.

        Raises RequestRefused, ContextTooShort or RequestFailed for this request alone,
        EngineDown where no request can be answered.
        """
        ...

    async def close(self) -> None:
        """Give back what the engine holds."""
        ...
