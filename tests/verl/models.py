"""The smallest model and data that the tests of this folder share."""

from functools import cache
from pathlib import Path
from typing import Any

from data_prep.synthetic import SPECIAL_STRINGS
from sweeper import tiny
from sweeper.generation.cpu import CpuEngine
from sweeper.spec import Architecture

SHAPE = Architecture(
    hidden_size=32,
    intermediate_size=64,
    num_layers=2,
    num_heads=2,
    num_kv_heads=1,
    vocab_size=288,
    tie_word_embeddings=True,
    max_position_embeddings=128,
)


def build(folder: Path, *, seed: int = 0) -> Path:
    tiny.build(folder, SHAPE, special_strings=SPECIAL_STRINGS, seed=seed)
    return folder


@cache
def engine(folder: Path) -> CpuEngine:
    return CpuEngine.load(folder, pad_id=tokenizer(folder).pad_token_id)


@cache
def tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)
