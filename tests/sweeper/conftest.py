from dataclasses import asdict
from pathlib import Path

import pytest

from sweeper.spec.model import Architecture

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

# The same, for a configuration that names the folder of such a model.
SHAPE_OVERRIDES = tuple(
    f"model.architecture.{name}={value}"
    for name, value in asdict(SHAPE).items()
    if type(value) is int and name != "max_position_embeddings"
)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model with its tokenizer."""
    from data_prep.synthetic.tasks import SPECIAL_STRINGS
    from sweeper.inputs import tiny

    out = tmp_path_factory.mktemp("tiny") / "model"
    tiny.build(out, SHAPE, special_strings=SPECIAL_STRINGS, seed=0)
    return out
