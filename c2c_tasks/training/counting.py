"""Tokens of a row, as the tokenizer of a model counts them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from c2c_tasks.inputs.errors import InputError
from c2c_tasks.inputs.model_folder import TOKENIZER_FILES, local_model
from c2c_tasks.publishing.tokens import TOKENIZER, count_tokens
from c2c_tasks.training.documents import Document
from c2c_tasks.training.errors import TrainingError

Count = Callable[[Sequence[Document]], list[int]]


class TokenCounter:
    """Counts what a row comes to, the token that ends it included.

    A chat is counted as the tokenizer's own chat template renders it. Where it has none, the
    contents of its messages are, and one token for the end.
    """

    def __init__(self, tokenizer: str = "") -> None:
        """Load a tokenizer: a folder, its URI, a file, or a name on the Hub; empty: o200k_base.

        Raises TrainingError where there is none, StoreError where it cannot be fetched.
        """
        self.name = tokenizer or TOKENIZER
        self.uses_template = False
        self._count: Callable[[list[str]], list[int]] = count_tokens
        self._render: Any = None
        if tokenizer:
            self._load(tokenizer)

    def __call__(self, documents: Sequence[Document]) -> list[int]:
        """Return the tokens of each document."""
        texts = [self._text(document) for document in documents]
        counts = self._count(texts)
        return [
            count + (0 if document.turns and self._render else 1)
            for count, document in zip(counts, documents, strict=True)
        ]

    def _text(self, document: Document) -> str:
        if not document.turns:
            return document.text
        if self._render is None:
            return "\n".join(content for _, content in document.turns)
        messages = [{"role": role, "content": content} for role, content in document.turns]
        try:
            return str(self._render(messages=messages, add_generation_prompt=False))
        except Exception as error:  # a template may fail in any way
            raise TrainingError(
                f"tokenizer {self.name}: the chat template refuses a row: {error}"
            ) from None

    def _load(self, name: str) -> None:
        from tokenizers import Tokenizer

        try:
            path = Path(local_model(name, TOKENIZER_FILES)).expanduser()
        except InputError as error:
            raise TrainingError(f"tokenizer: {error}") from None
        if name.startswith(("/", ".", "~")) and not path.exists():
            raise TrainingError(f"tokenizer {name}: there is none; name a folder or file")
        folder = path if path.is_dir() else path.parent
        try:
            if path.exists():
                file = path / "tokenizer.json" if path.is_dir() else path
                loaded = Tokenizer.from_file(str(file))
            else:
                loaded, folder = Tokenizer.from_pretrained(name), _of_the_hub(name)
        except Exception as error:  # the library raises Exception itself
            said = " ".join(str(error).split())[:200]
            raise TrainingError(
                f"tokenizer {name}: cannot be loaded ({said}); name a folder with tokenizer.json"
            ) from None
        loaded.no_truncation()
        loaded.no_padding()
        self._render = _template(folder)
        self.uses_template = self._render is not None

        def count(texts: list[str]) -> list[int]:
            found = loaded.encode_batch_fast(texts, add_special_tokens=False)
            return [len(encoding) for encoding in found]

        self._count = count


def _of_the_hub(name: str) -> Path:
    """Return a folder with what tells a tokenizer's chat template."""
    from huggingface_hub import snapshot_download

    patterns = ["tokenizer_config.json", "chat_template.jinja"]
    return Path(snapshot_download(name, allow_patterns=patterns))


def _template(folder: Path) -> Any:
    """Return what renders a chat as `transformers` does; None where the tokenizer has no template.

    Templates come with models of strangers: they are rendered in Jinja's sandbox.
    """
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    settings = folder / "tokenizer_config.json"
    config = json.loads(settings.read_text()) if settings.is_file() else {}
    alone = folder / "chat_template.jinja"
    text = alone.read_text() if alone.is_file() else config.get("chat_template")
    if not isinstance(text, str):
        return None
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)

    def refuse(message: str) -> None:
        raise ValueError(message)

    special = {name: config.get(name) for name in ("bos_token", "eos_token", "pad_token")}
    special = {
        name: value.get("content", "") if isinstance(value, dict) else value or ""
        for name, value in special.items()
    }
    template = environment.from_string(text, globals={"raise_exception": refuse, **special})
    return template.render
