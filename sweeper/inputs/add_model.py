"""`python -m sweeper add-model PATH_OR_ID`: write the one file that a new model needs, from its `config.json`.

Where the weights' parameter count can be read (safetensors headers of a folder, or the hub's own count), it must agree
with what the architecture gives: a model that our formulas do not describe is refused, not planned wrongly.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from rewards.bounded_file import read_json, shallow
from sweeper.host.errors import ConfigError
from sweeper.inputs.safetensors_header import count, git_lfs, shapes
from sweeper.spec.bounds import Text, validated
from sweeper.spec.model import Architecture

# What `sweeper.spec.run.Architecture` describes, with where biases and norms of attention are.
_SUPPORTED: dict[str, dict[str, Any]] = {
    "qwen2": {"attention_bias": True},
    "qwen2_moe": {"attention_bias": True},
    "qwen3": {"attention_bias": False, "qk_norm": True},
    "qwen3_moe": {"attention_bias": False, "qk_norm": True},
    "llama": {"attention_bias": False},
    "mistral": {"attention_bias": False},
    "mixtral": {"attention_bias": False},
    "olmo2": {"attention_bias": False, "qk_norm": True, "qk_norm_all_heads": True},
    "smollm3": {"attention_bias": False},
}
_OPTIONAL = (
    "head_dim",
    "moe_intermediate_size",
    "num_experts",
    "num_experts_per_tok",
    "num_key_value_heads",
    "num_local_experts",
)
_NEEDED = (
    "hidden_size",
    "intermediate_size",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "vocab_size",
)
# Files of which a tokenizer has one at least.
VOCABULARIES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
_TOKENIZERS = (*VOCABULARIES, "tokenizer_config.json")
_LARGEST = 10**9  # of a dimension; more is a damaged file
# The shortest template that works for any tokenizer: the bare problem, which a base model continues.
_TEMPLATE = "{% for m in messages %}{{ m.content }}{{ eos_token if m.role == 'assistant' else '\\n' }}{% endfor %}"
# Of a file name, a value on the command line and a value in YAML alike, and a part of every run's name.
_NAME = re.compile(r"[a-z][a-z0-9._-]{0,79}")
_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "nan", "inf")  # values of another kind in YAML or Hydra


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a folder or the hub says about a model."""

    config: Mapping[str, Any]  # config.json
    path: str
    revision: str | None  # commit, of hub models
    n_params: int | None  # counted in the weights; None: cannot be read
    has_template: bool


def name_of(where: str, given: str | None) -> str:
    """The name of a model in commands, file names and run ids: as given, or the last part of where it lies.

    Raises:
        ConfigError: it cannot be all of these.
    """
    name = given if given is not None else Path(where).expanduser().absolute().name.lower()
    if _NAME.fullmatch(name) is None or name in _WORDS:
        raise ConfigError(
            f"add-model {where}: {name!r} cannot be a model's name, which begins with a letter, has only a-z, 0-9, "
            "'.', '_' and '-', and is no word for a value such as null; add --name NAME"
        )
    return name


def find(where: str) -> Found:
    """Read a local folder, or ask the hub.

    Raises:
        ConfigError: neither has such a model, or the hub cannot be reached.
    """
    if not where.strip():
        raise ConfigError("add-model: the model's name is empty; give a folder or a hub id")
    validated(Text, "add-model", where)
    folder = Path(where).expanduser()
    if folder.is_dir():
        return _in_folder(folder.resolve())
    if folder.is_absolute() or where.startswith(("./", "~")):
        raise ConfigError(f"add-model {where}: there is no such folder")
    return _on_hub(where)


def architecture(config: Mapping[str, Any]) -> Architecture:
    """The shape that a `config.json` states.

    Raises:
        ConfigError: a kind of model that our counts of parameters, FLOPs and memory do not describe; says why.
    """
    kind = config.get("model_type")
    if kind not in _SUPPORTED:
        raise ConfigError(f"model_type={kind} is not supported; supported are {', '.join(_SUPPORTED)}")
    absent = [key for key in _NEEDED if not _is_count(config.get(key))]
    if absent:
        raise ConfigError(f"it states no whole number above 0 for {', '.join(absent)}")
    wrong = [key for key in _OPTIONAL if config.get(key) is not None and not _is_count(config[key])]
    if wrong:
        raise ConfigError(f"{wrong[0]}={config[wrong[0]]!r} is no whole number above 0")
    if "quantization_config" in config:
        raise ConfigError("its weights are quantised (quantization_config), and training needs plain ones")
    if config.get("hidden_act", "silu") != "silu":
        raise ConfigError(f"hidden_act={config['hidden_act']}: feed-forward layers other than SwiGLU are not supported")
    for key in ("mlp_bias", "attention_bias"):
        if config.get(key):
            raise ConfigError(f"{key}=true: biases beyond Qwen2's are not supported")
    if config.get("mlp_only_layers") or config.get("decoder_sparse_step", 1) != 1:
        raise ConfigError("it mixes dense and expert layers (mlp_only_layers, decoder_sparse_step): not supported")
    heads = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads") or heads
    head_dim = config.get("head_dim")
    if heads % kv_heads or (head_dim is None and config["hidden_size"] % heads):
        raise ConfigError(
            f"num_attention_heads={heads} is no multiple of num_key_value_heads={kv_heads}, or does not divide "
            f"hidden_size={config['hidden_size']}: no model has that shape"
        )
    experts = config.get("num_local_experts") or config.get("num_experts")
    moe: dict[str, Any] = {
        "num_experts": experts,
        "experts_per_token": config.get("num_experts_per_tok"),
        "expert_size": config.get("moe_intermediate_size"),
        "shared_expert_size": config.get("shared_expert_intermediate_size"),
    }
    return Architecture(
        hidden_size=config["hidden_size"],
        intermediate_size=config["intermediate_size"],
        num_layers=config["num_hidden_layers"],
        num_heads=heads,
        num_kv_heads=kv_heads,
        vocab_size=config["vocab_size"],
        tie_word_embeddings=config.get("tie_word_embeddings", False),
        max_position_embeddings=config["max_position_embeddings"],
        head_size=head_dim if head_dim and head_dim != config["hidden_size"] // heads else None,
        **(moe if experts else {}),
        **_SUPPORTED[kind],
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < _LARGEST


def settings_of(found: Found, *, name: str, family: str) -> dict[str, Any]:
    """The values of `conf/model/<name>.yaml`, without resources.

    Raises:
        ConfigError: the architecture is not supported, or gives another parameter count than the weights have.
    """
    arch = architecture(found.config)
    # Some repositories hold the output matrix a second time (Qwen3-0.6B and 1.7B), though it is the embedding table.
    twice = arch.n_params_head if arch.tie_word_embeddings else 0
    if found.n_params is not None and found.n_params not in (arch.n_params, arch.n_params + twice):
        raise ConfigError(
            f"{found.path}: its config.json gives {arch.n_params:,} parameters, but its weights have "
            f"{found.n_params:,}; our formulas do not describe this model, so its costs would be wrong"
        )
    values: dict[str, Any] = {"name": name, "family": family, "source": "hub", "path": found.path}
    if found.revision is not None:
        values["revision"] = found.revision
    values["architecture"] = {key: value for key, value in asdict(arch).items() if value is not None}
    if not found.has_template:
        values["prompt_style"] = "base"
    return values


def model_file(found: Found, values: Mapping[str, Any], *, guess: Mapping[str, Any], gpu: str) -> str:
    """The text of `conf/model/<name>.yaml`.

    Args:
        found: Where the values are from.
        values: As `settings_of` gives them.
        guess: Resources that differ from what every model has.
        gpu: The type of GPU that the guess is for.
    """
    counted = "as counted in its weights" if found.n_params is not None else "by its shape; the weights were not seen"
    head = (
        f"# {values['name']}: {architecture(found.config).n_params:,} parameters, {counted}. Written by add-model.\n"
        f"# family: whose training settings it gets. resources: a first guess for {gpu}, which a plan checks.\n"
    )
    return head + yaml.safe_dump({**values, "resources": dict(guess)}, sort_keys=False)


def _in_folder(folder: Path) -> Found:
    config = folder / "config.json"
    if not config.is_file():
        raise ConfigError(f"{folder} has no config.json; add-model takes a folder in Hugging Face's format")
    shape = _read(config)
    try:
        architecture(shape)  # what is wrong with the model goes before what its tokenizer lacks
    except ConfigError as error:
        raise ConfigError(f"{config}: {error}") from None
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise ConfigError(
            f"{folder} has no tokenizer ({_TOKENIZERS[0]} or the like): copy the files that belong to the model there"
        )
    parts = sorted(folder.glob("*.safetensors"))
    settings = folder / "tokenizer_config.json"
    template = settings.is_file() and _read(settings).get("chat_template")
    if not template and not (folder / "chat_template.jinja").is_file():
        raise ConfigError(
            f"{folder}: its tokenizer has no chat template, and a folder is used as it is. Write the one that it was "
            f"trained with to {folder / 'chat_template.jinja'}; for a base model this line is enough: {_TEMPLATE}"
        )
    return Found(
        config=shape,
        path=str(folder),
        revision=None,
        n_params=sum(count(shapes(part)) for part in parts) if parts else None,
        has_template=True,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        value = shallow(read_json(path))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not JSON: {error}{git_lfs(path)}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{path} holds a {type(value).__name__}, not an object")
    return value


def _on_hub(model_id: str) -> Found:
    from httpx import HTTPError
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import HFValidationError

    try:
        info = HfApi().model_info(model_id)
        files = {item.rfilename for item in info.siblings or ()}
        read = {
            name: _read(Path(hf_hub_download(model_id, name, revision=info.sha)))
            for name in ("config.json", "tokenizer_config.json")
            if name in files
        }
    except (HTTPError, HFValidationError, OSError) as error:
        first = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"add-model {model_id}: no such folder here, and the hub gave no such model ({first}). Give the path of "
            "a folder with its config.json, or a hub id, OWNER/NAME (its commit is written down); gated models want a "
            "login (hf auth login)"
        ) from None
    if "config.json" not in read:
        raise ConfigError(f"add-model {model_id}: that repository has no config.json")
    if not files.intersection(_TOKENIZERS):
        raise ConfigError(f"add-model {model_id}: that repository has no tokenizer ({_TOKENIZERS[0]} or the like)")
    return Found(
        config=read["config.json"],
        path=model_id,
        revision=info.sha,
        n_params=info.safetensors.total if info.safetensors else None,
        has_template="chat_template" in read.get("tokenizer_config.json", {}) or "chat_template.jinja" in files,
    )
