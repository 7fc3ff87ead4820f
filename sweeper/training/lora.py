"""Merge the low-rank adapters of a verl checkpoint into plain weights: `python -m sweeper.training.lora ACTOR_DIR OUT`.

verl 0.9.1 saves a LoRA model's weights under PEFT's names. transformers finds none of the names it looks for,
initialises every weight at random and says so only in a warning, so such a folder must never be evaluated.
"""

import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.files.atomic_folder import make_once
from rewards.bounded_file import read_json
from sweeper.training.checkpoint import weights

if TYPE_CHECKING:
    import torch

_PREFIX = "base_model.model."
_WEIGHTS = "model.safetensors"


def merge(actor: Path, out: Path) -> None:
    """Write the weights of `actor` with its adapters merged in to `out`, whole or not at all.

    Args:
        actor: A `checkpoint.policy`, with verl's `lora_train_meta.json` beside its `checkpoint.weights`.
        out: A folder in Hugging Face's format; left as it is if it has weights.
    """
    make_once(out, done=_WEIGHTS, make=partial(_merge, actor))


def _merge(actor: Path, out: Path) -> None:
    from safetensors.torch import load_file, save_file

    meta = read_json(actor / "lora_train_meta.json")
    shutil.copytree(weights(actor), out, dirs_exist_ok=True)
    parts = sorted(out.glob("*.safetensors"))
    state = {name: value for part in parts for name, value in load_file(part).items()}
    for part in parts:
        part.unlink()
    (out / f"{_WEIGHTS}.index.json").unlink(missing_ok=True)
    whole = merged(state, meta["lora_alpha"] / meta["r"])
    save_file(whole, out / _WEIGHTS, metadata={"format": "pt"})


def merged(state: "dict[str, torch.Tensor]", scale: float) -> "dict[str, torch.Tensor]":
    """W + scale B A for every adapted matrix W (arXiv:2106.09685, section 4.1), under the model's own names."""
    weights = {}
    for key, value in state.items():
        name = key.removeprefix(_PREFIX)
        if ".lora_A." in name or ".lora_B." in name:
            continue
        module, _, kind = name.rpartition(".")
        if module.endswith(".base_layer"):
            adapter = key.rpartition(".base_layer.")[0]
            down = state.get(f"{adapter}.lora_A.default.weight")
            if kind == "weight" and down is not None:
                up = state[f"{adapter}.lora_B.default.weight"]
                value = (value.float() + scale * (up.float() @ down.float())).to(value.dtype)
            name = f"{module.removesuffix('.base_layer')}.{kind}"
        weights[name] = value.contiguous()
    return weights


if __name__ == "__main__":
    merge(Path(sys.argv[1]), Path(sys.argv[2]))
