"""Tokens as a tokenizer counts them, with its chat template and without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from c2c_tasks.training.counting import TokenCounter
from c2c_tasks.training.documents import Document
from c2c_tasks.training.errors import TrainingError

CHAT = Document("1", (("user", "one two"), ("assistant", "three")))
TEXT = Document("2", text="one two three")
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }} {{ message['content'] }} {{ eos_token }} "
    "{% endfor %}"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tokenizer of whole words."""
    words = ["?", "one", "two", "three", "user", "assistant", "end"]
    model = models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="?")
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_a_text_has_a_token_for_its_end(folder: Path) -> None:
    count = TokenCounter(str(folder))
    assert count([TEXT, CHAT]) == [4, 4]
    assert not count.uses_template
    assert TokenCounter(str(folder / "tokenizer.json"))([TEXT]) == [4]


@pytest.mark.parametrize("alone", [True, False])
def test_a_chat_is_counted_as_the_template_renders_it(folder: Path, alone: bool) -> None:
    config = {"eos_token": {"content": "end"}} | ({} if alone else {"chat_template": TEMPLATE})
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    if alone:
        (folder / "chat_template.jinja").write_text(TEMPLATE)
    count = TokenCounter(str(folder))
    assert count.uses_template
    assert count([CHAT, TEXT]) == [
        len(["user", "one", "two", "end", "assistant", "three", "end"]),
        4,
    ]


def test_a_template_of_a_stranger_reaches_nothing(folder: Path) -> None:
    attack = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    (folder / "chat_template.jinja").write_text(attack)
    with pytest.raises(TrainingError, match="the chat template refuses a row"):
        TokenCounter(str(folder))([CHAT])


def test_without_a_tokenizer_o200k_base_counts() -> None:
    count = TokenCounter()
    assert count.name == "o200k_base" and count([TEXT]) == [4]
