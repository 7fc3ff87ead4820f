"""Tiny language models in Qwen2's shape with a byte-level tokenizer, built from nothing and always the same.

They exist so that the whole pipeline, real verl included, runs on a machine without a GPU.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sweeper.host.errors import ConfigError
from sweeper.spec.model import Architecture

# verl asks every Qwen2-like tokenizer for <|im_end|>.
PAD, END, USER, ASSISTANT = "<|pad|>", "<|im_end|>", "<|user|>", "<|assistant|>"
SYSTEM, TOOL = "<|system|>", "<|tool|>"  # roles that only agents have
_FRAME = 2  # tokens around a message: a tiny model's context is precious
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ '<|im_end|>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
# Tools are told by their names. verl puts a newline behind <|im_end|> before it appends what a tool says, as Qwen2's
# templates do: so does this one, or supervised conversations would have other tokens than rollouts.
AGENT_CHAT_TEMPLATE = (
    "{% if tools %}{{ '<|system|>' + tools | map(attribute='function.name') | join(',') }}{% endif %}"
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + (message['content'] or '') }}"
    "{% if message['role'] == 'assistant' %}{{ '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def build(out: Path, shape: Architecture, *, special_strings: Sequence[str], seed: int, acts: bool = False) -> None:
    """Write an initialised model and its tokenizer to `out`; the same arguments give the same bytes.

    Args:
        out: A folder in Hugging Face's format.
        shape: Its dimensions; `vocab_size` must hold 256 bytes, the special strings and four markers, an agent's six.
        special_strings: Frequent strings that become single tokens.
        seed: Of the initial weights.
        acts: Whether it is an agent's, whose template knows tools.

    Raises:
        ConfigError: `vocab_size` is too small.
    """
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = build_tokenizer(special_strings, acts=acts)
    if len(tokenizer) > shape.vocab_size:
        raise ConfigError(
            f"model.architecture.vocab_size={shape.vocab_size} is too small: the tokenizer has {len(tokenizer)}"
        )
    end, pad = tokenizer.convert_tokens_to_ids(END), tokenizer.convert_tokens_to_ids(PAD)
    config = Qwen2Config(
        vocab_size=shape.vocab_size,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.num_layers,
        num_attention_heads=shape.num_heads,
        num_key_value_heads=shape.num_kv_heads,
        max_position_embeddings=shape.max_position_embeddings,
        tie_word_embeddings=shape.tie_word_embeddings,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
        # Larger than Qwen2's 0.02: at widths of 32 to 192 that start would be nearly uniform and slow to leave.
        initializer_range=0.06,
    )
    torch.manual_seed(seed)
    model = Qwen2ForCausalLM(config)
    model.generation_config.eos_token_id = end
    model.generation_config.pad_token_id = pad
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def frame_of(tools: Sequence[str]) -> int:
    """Most tokens that the template puts around one message, after the names of tools."""
    return _FRAME + (1 + len(",".join(tools).encode()) if tools else 0)


def tokens_of(special_strings: Sequence[str], *, acts: bool = False) -> int:
    """How many tokens the tokenizer has that `build_tokenizer` makes."""
    return 256 + len({PAD, END, *_roles(acts), *special_strings})


def _roles(acts: bool) -> list[str]:
    return [USER, ASSISTANT, SYSTEM, TOOL] if acts else [USER, ASSISTANT]


def build_tokenizer(special_strings: Sequence[str], *, acts: bool = False) -> Any:
    """A byte tokenizer that also holds each of `special_strings` as one token; an agent's if it acts.

    It is Qwen2's own class, which transformers 5 loads for every model of type qwen2. That class splits text by a
    pattern before it merges, so strings that cross the pattern's borders cannot be merges: they are added tokens.
    """
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import AddedToken, Qwen2Tokenizer

    tokenizer = Qwen2Tokenizer(
        vocab={symbol: i for i, symbol in enumerate(sorted(ByteLevel.alphabet()))},
        merges=[],
        unk_token=None,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=_roles(acts),
    )
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in special_strings])
    tokenizer.chat_template = AGENT_CHAT_TEMPLATE if acts else CHAT_TEMPLATE
    return tokenizer
