"""Whether a folder of weights in Hugging Face's format is whole, told without reading the weights."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from rewards.bounded_file import read_json
from sweeper.host.errors import ConfigError, DamagedError
from sweeper.host.files import undamaged
from sweeper.inputs.add_model import VOCABULARIES, architecture
from sweeper.inputs.safetensors_header import Shapes, count, shapes

CURE = "restore it: it is part of the run's last checkpoint"
_INDEX = "model.safetensors.index.json"


def refuse_damaged(folder: Path) -> None:
    """Refuse a folder that transformers could not open, or would fill up with random weights.

    Raises:
        DamagedError: a file is absent or cut, or there are more or fewer weights than `config.json` states.
    """
    config = _object(folder / "config.json")
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise DamagedError(f"{folder / VOCABULARIES[0]} is not there; {CURE}")
    parts = {path.name for path in folder.glob("*.safetensors")}
    index = folder / _INDEX
    named: dict[str, str] = {}
    if index.exists():
        with undamaged(index, cure=CURE):
            named = {str(name): str(file) for name, file in read_json(index)["weight_map"].items()}
    if absent := sorted({*named.values()} - parts):
        raise DamagedError(f"{folder / absent[0]} is not there, and {_INDEX} names it; {CURE}")
    found: Shapes = {}
    for name in sorted(parts):
        try:
            found |= shapes(folder / name)
        except ConfigError as error:
            raise DamagedError(f"{error}; {CURE}") from None
    if lost := sorted(named.keys() - found.keys()):
        raise DamagedError(f"{folder / named[lost[0]]} lacks {lost[0]}, which {_INDEX} says is there; {CURE}")
    _refuse_other_count(folder, config, found)


def _object(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DamagedError(f"{path} is not there; {CURE}")
    with undamaged(path, cure=CURE):
        return dict(read_json(path).items())


def _refuse_other_count(folder: Path, config: dict[str, Any], found: Shapes) -> None:
    with suppress(ConfigError):  # a kind of model whose parameters nobody counts here
        shape = architecture(config)
        own = {name: size for name, size in found.items() if ".lora_" not in name}
        if shape.tie_word_embeddings:  # a second name of the embeddings
            own = {name: size for name, size in own.items() if not name.endswith("lm_head.weight")}
        if (n := count(own)) != shape.n_params:
            raise DamagedError(
                f"{folder}: its weights hold {n:,} parameters, and config.json states {shape.n_params:,}; {CURE}"
            )
