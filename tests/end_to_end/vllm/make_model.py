"""Makes a tiny language model: two layers of Qwen2 with random weights, in the folder given.

Runs in the environment of vLLM. Its tokenizer is a byte-level BPE learnt from the standard
library, so that Python text is as short as to a real model; what it says is noise.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, set_seed

END, START = "<|im_end|>", "<|im_start|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def main(folder: str, vocabulary: int = 4_096, context: int = 4_096) -> None:
    trained = ByteLevelBPETokenizer()
    modules = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    trained.train(
        [str(path) for path in modules],
        vocab_size=vocabulary,
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
            vocab_size=vocabulary,
            hidden_size=128,
            intermediate_size=256,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=context,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    model.save_pretrained(folder)


if __name__ == "__main__":
    main(sys.argv[1])
