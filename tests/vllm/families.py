"""Models of each family's architecture at a hundredth of its smallest member's size, with its chat template.

Made here without a hub, with random weights. Vocabularies are bytes, the family's special tokens under their real
names, and the strings of the synthetic tasks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_prep.synthetic.tasks import SPECIAL_STRINGS

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
QWEN2 = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a "
    "helpful assistant.<|im_end|>\n' }}{% endif %}" + CHATML
)
QWEN3 = CHATML + (
    "{% if add_generation_prompt and enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\n\n</think>\n\n' }}{% endif %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
OLMO2 = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
LLAMA3_ROPE = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "high_freq_factor": 4.0}
LLAMA3_ROPE |= {"low_freq_factor": 1.0, "original_max_position_embeddings": 256}


@dataclass(frozen=True, kw_only=True)
class Family:
    """What a family's models have in common; `stops` are the tokens that end a response, the first the tokenizer's."""

    config: str  # of transformers
    tokenizer: str  # likewise
    template: str
    specials: tuple[str, ...]
    stops: tuple[str, ...]
    pad: str
    bos: str | None = None
    sizes: Mapping[str, Any] = field(default_factory=dict)


def sizes(hidden: int, layers: int, heads: int, kv_heads: int, mlp: int, *, tied: bool, **more: Any) -> dict[str, Any]:
    """vLLM's attention on CPU needs heads of 32 or more dimensions."""
    return {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": mlp,
        "tie_word_embeddings": tied,
        **more,
    }


FAMILIES = {
    "qwen2": Family(
        config="Qwen2Config",
        tokenizer="Qwen2Tokenizer",
        template=QWEN2,
        specials=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        stops=("<|im_end|>", "<|endoftext|>"),
        pad="<|endoftext|>",
        sizes=sizes(256, 6, 8, 2, 768, tied=True),
    ),
    "qwen3": Family(
        config="Qwen3Config",
        tokenizer="Qwen2Tokenizer",
        template=QWEN3,
        specials=("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"),
        stops=("<|im_end|>", "<|endoftext|>"),
        pad="<|endoftext|>",
        sizes=sizes(256, 6, 8, 4, 768, tied=True, head_dim=64),
    ),
    "llama": Family(
        config="LlamaConfig",
        tokenizer="PreTrainedTokenizerFast",
        template=LLAMA3,
        specials=(
            *("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>"),
            *("<|eot_id|>", "<|finetune_right_pad_id|>"),
        ),
        stops=("<|eot_id|>", "<|end_of_text|>", "<|eom_id|>"),
        pad="<|finetune_right_pad_id|>",
        bos="<|begin_of_text|>",
        sizes=sizes(384, 7, 6, 2, 1024, tied=True, rope_parameters=LLAMA3_ROPE),
    ),
    "olmo2": Family(
        config="Olmo2Config",
        tokenizer="GPT2Tokenizer",
        template=OLMO2,
        specials=("<|endoftext|>", "<|pad|>", "<|user|>", "<|assistant|>"),
        stops=("<|endoftext|>",),
        pad="<|pad|>",
        bos="<|endoftext|>",
        sizes=sizes(384, 8, 6, 6, 1024, tied=False),
    ),
    "smollm": Family(
        config="LlamaConfig",
        tokenizer="GPT2Tokenizer",
        template=CHATML,
        specials=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        stops=("<|im_end|>", "<|endoftext|>"),
        pad="<|im_end|>",
        bos="<|im_start|>",
        sizes=sizes(192, 3, 3, 1, 512, tied=True),
    ),
}


def build(out: Path, name: str, *, seed: int = 0, context: int = 512, padded: bool = True) -> Path:
    """Write a model of a family and its tokenizer; returns the folder.

    `padded`: with rows for tokens that there are not, as published models have them.
    """
    import torch
    import transformers

    family = FAMILIES[name]
    tokenizer = _tokenizer(family)
    ids = tokenizer.convert_tokens_to_ids
    config = getattr(transformers, family.config)(
        vocab_size=-(-len(tokenizer) // 32) * 32 if padded else len(tokenizer),
        max_position_embeddings=context,
        bos_token_id=None if family.bos is None else ids(family.bos),
        eos_token_id=ids(family.stops[0]),
        pad_token_id=ids(family.pad),
        initializer_range=0.06,  # wider than a real model's: so small, it would be nearly uniform
        **family.sizes,
    )
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.generation_config.eos_token_id = [ids(stop) for stop in family.stops]
    model.generation_config.pad_token_id = ids(family.pad)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    return out


def _tokenizer(family: Family) -> Any:
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from tokenizers.pre_tokenizers import ByteLevel

    vocab = {symbol: i for i, symbol in enumerate(sorted(ByteLevel.alphabet()))}
    named: dict[str, Any] = {"eos_token": family.stops[0], "pad_token": family.pad, "bos_token": family.bos}
    if family.tokenizer == "PreTrainedTokenizerFast":
        plain = Tokenizer(models.BPE(vocab=vocab, merges=[]))
        plain.pre_tokenizer, plain.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        named["tokenizer_object"] = plain
    else:
        named |= {"vocab": vocab, "merges": [], "unk_token": None}
    tokenizer = getattr(transformers, family.tokenizer)(**named)
    tokenizer.add_special_tokens({"additional_special_tokens": list(family.specials)})
    # None that begins with a newline: it would join the end of a template's prompt with the answer's beginning.
    strings = [text for text in SPECIAL_STRINGS if not text.startswith("\n")]
    tokenizer.add_tokens([transformers.AddedToken(text, special=False, normalized=False) for text in strings])
    tokenizer.chat_template = family.template
    return tokenizer
