"""Models that an installed package ships as a GGUF file."""

import importlib.util
from pathlib import Path

from sweeper.host.errors import ConfigError
from sweeper.spec.model import Model


def file_of(model: Model) -> Path:
    """The file that an installed package ships.

    Raises:
        ConfigError: there is no such package, or no such file in it.
    """
    package, _, name = (model.path or "").partition("/")
    found = importlib.util.find_spec(package) if package.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        raise ConfigError(
            f"model={model.name} is read from a package, PACKAGE/FILE, and model.path={model.path} names none that is "
            "here; SmolLM2's is installed by: pip install '.[cpu,real]'"
        )
    files = [path for root in found.submodule_search_locations for path in Path(root).rglob(Path(name).name)]
    if not files:
        raise ConfigError(f"model.path={model.path}: the package {package} has no file {Path(name).name}")
    return files[0]


def convert(model: Model, out: Path) -> None:
    """Dequantise a GGUF file that an installed package ships into a normal checkpoint."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file = file_of(model)
    where = {"gguf_file": file.name}
    AutoTokenizer.from_pretrained(file.parent, **where).save_pretrained(out)
    AutoModelForCausalLM.from_pretrained(file.parent, dtype=torch.float32, **where).save_pretrained(out)
