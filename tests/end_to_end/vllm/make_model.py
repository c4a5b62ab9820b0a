"""Makes a language model of Qwen2's kind with random weights, in the folder given.

Runs in the environment of vLLM. `tiny` has two layers, `least` as many and narrower ones, quick to
train, `small` the shape of Qwen2.5-0.5B. The
tokenizer is a byte-level BPE learnt from the standard library, so that Python text is as short as
to a real model; what the model says is noise.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, set_seed

CONTEXT = 4_096
END, START = "<|im_end|>", "<|im_start|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


SHAPES = {
    "least": {
        "vocab_size": 1_024,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
    },
    "tiny": {
        "vocab_size": 4_096,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    },
    "small": {
        "vocab_size": 32_768,
        "hidden_size": 896,
        "intermediate_size": 4_864,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
        "tie_word_embeddings": True,
    },
}


def main(folder: str, shape: str = "tiny") -> None:
    trained = ByteLevelBPETokenizer()
    modules = sorted(Path(sysconfig.get_path("stdlib")).glob("**/*.py"))
    trained.train_from_iterator(
        (
            path.read_text(errors="replace")
            for path in modules[: 1_000 if shape == "small" else 200]
        ),
        vocab_size=SHAPES[shape]["vocab_size"],
        special_tokens=[END, START],
        show_progress=False,
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer,
        eos_token=END,
        pad_token=END,
        additional_special_tokens=[START],
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    set_seed(0)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            **SHAPES[shape],
            max_position_embeddings=CONTEXT,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    model.to(torch.bfloat16).save_pretrained(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
