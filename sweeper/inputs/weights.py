"""Weights of hub models, fetched once into a results folder before the jobs that need them start.

They land whole in `weights/<owner>--<name>@<revision>/`, from where models are made of them without a network, however
many differ in template or warm start alone. What is interrupted goes on with the first file that is not whole.

    python -m sweeper.inputs.weights REPOSITORY REVISION FOLDER FILE ...      (the child process that fetches)
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from data_prep.files.atomic_folder import make_once
from rewards.bounded_file import open_regular, read_json
from sweeper.host.amounts import duration, number_of, size
from sweeper.host.errors import ConfigError, RunFailedError
from sweeper.host.process import run_child
from sweeper.spec.model import Model, ModelSource

DONE = "config.json"  # a file that no model lacks
FOLDER = "weights"
# Of a repository's own level: below it lie other programs' copies of the same weights (original/, onnx/).
_SMALL = (".json", ".jinja", ".model", ".tiktoken", ".txt")
_WEIGHTS = (".safetensors", ".bin")  # the second only where there is none of the first
_POINTER = b"version https://git-lfs"  # what git leaves in the place of a large file
_AT_ONCE = 4  # files; an interruption loses what of these was there
_TOLD_EVERY = 10.0  # seconds
_GATED = "is gated"
_LOG_IN = "log in (hf auth login, or HF_TOKEN in cluster.secrets_file)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One revision of a hub repository, and where it lies in a results folder."""

    repository: str
    revision: str | None  # None: the newest
    folder: Path

    @classmethod
    def of(cls, model: Model, results_dir: Path) -> "Weights | None":
        """What a model is fetched as; None: it is built here, shipped by a package, or a folder of the user's."""
        if model.source is not ModelSource.hub or model.path is None or Path(model.path).expanduser().is_dir():
            return None
        name = f"{model.path}@{model.revision or 'newest'}".replace("/", "--")
        return cls(repository=model.path, revision=model.revision, folder=results_dir / FOLDER / name)

    @property
    def are_here(self) -> bool:
        """Whether they are fetched, whole."""
        return (self.folder / DONE).is_file()

    @property
    def partial(self) -> Path:
        """Where they lie until they are whole."""
        return self.folder.with_name(f".{self.folder.name}.partial")

    @property
    def bytes_here(self) -> int:
        """Bytes on the disk of what an interrupted fetch left."""
        found = 0
        for file in self.partial.rglob("*"):
            with suppress(FileNotFoundError):  # moved to its name just now
                found += file.stat().st_blocks * 512 if file.is_file() else 0
        return found


def refuse_no_folder(model: Model) -> None:
    """Refuse a `model.path` that can only be a folder (a hub id has one slash at most), where none with a model lies.

    Raises:
        ConfigError: there is no such folder, or no `config.json` in it.
    """
    if model.source is not ModelSource.hub or model.path is None:
        return
    path, folder = model.path, Path(model.path).expanduser()
    if not folder.is_dir() and (path.startswith(("/", ".", "~")) or path.count("/") > 1):
        raise ConfigError(
            f"model.path={path} of {model.name} is no folder here, and no hub id (OWNER/NAME); correct it"
        )
    if folder.is_dir() and not (folder / DONE).is_file():
        raise ConfigError(
            f"model.path={path} of {model.name} has no {DONE}; point it at a model's folder in Hugging Face's format"
        )


def refuse_no_weights(folder: Path, named: str) -> None:
    """Refuse a model's folder that has no weights, or not all that its index lists; `named` is who wants them.

    Raises:
        ConfigError: with the first file that is absent, or only git-lfs's pointer to it.
    """
    listed = [path for path in folder.glob("*.index.json") if path.name.removesuffix(".index.json").endswith(_WEIGHTS)]
    found = sorted([*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")])
    if listed:
        try:
            names = sorted(set(read_json(listed[0])["weight_map"].values()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"{listed[0]} of {named} cannot be read ({error}): fetch it again") from None
        found = [folder / name for name in names]
    if not found:
        raise ConfigError(f"{named}: {folder} has no weights ({', '.join(_WEIGHTS)}); put them there")
    for path in found:
        if not path.is_file():
            raise ConfigError(f"{named}: {folder} lacks {path.name}, which {listed[0].name} lists; fetch it")
        with open_regular(path) as stream:
            if stream.read(len(_POINTER)) == _POINTER:
                raise ConfigError(f"{named}: {path} is a git-lfs pointer; run: git lfs pull")


def fetch(wanted: Sequence[Weights], *, say: Callable[[str], None], variables: Mapping[str, str] | None = None) -> None:
    """Fetch what is not here yet, one repository after the other; another process that fetches the same is waited for.

    Args:
        wanted: What to fetch.
        say: Gets lines about what is fetched, how far it is and how long it will take.
        variables: More of them than this process has, for HF_TOKEN.

    Raises:
        ConfigError: no such repository, revision or right to read it; not enough room on the disk for all of them.
        RunFailedError: the hub cannot be reached, or fetching stopped.
    """
    absent = [weights for weights in dict.fromkeys(wanted) if not weights.are_here]
    token = (variables or {}).get("HF_TOKEN")
    listed = {weights: _files(weights, token) for weights in absent}
    _refuse_a_full_disk(listed)
    for weights, files in listed.items():
        make = partial(_fetch, weights, files, say, variables or {})
        make_once(weights.folder, done=DONE, make=make)


def _files(weights: Weights, token: str | None) -> dict[str, int]:
    """Bytes of the files to fetch, by name."""
    from httpx import HTTPError
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError, RevisionNotFoundError
    from huggingface_hub.hf_api import RepoFile

    what = f"{weights.repository} at {weights.revision or 'its newest revision'}"
    try:
        listed = [*HfApi(token=token).list_repo_tree(weights.repository, revision=weights.revision)]
    except (HFValidationError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise ConfigError(
            f"the hub has no {what} for you ({_first(error)}). Check model.path and model.revision, {_LOG_IN}, or set "
            "model.path to a folder"
        ) from None
    except (HTTPError, OSError) as error:
        raise RunFailedError(
            f"the hub cannot be asked for {what} ({_first(error)}). Fetch it with python -m sweeper prepare and the "
            "overrides of the launch, on a host that reaches the hub and writes to the same results_dir; or set "
            "model.path to a folder"
        ) from None
    sizes = {item.path: item.size for item in listed if isinstance(item, RepoFile)}
    kinds = next((kind for kind in _WEIGHTS if any(name.endswith(kind) for name in sizes)), None)
    if kinds is None or DONE not in sizes:
        raise ConfigError(f"{what} has no {DONE} or no weights ({', '.join(_WEIGHTS)}): set model.path to another")
    return {name: n for name, n in sizes.items() if name.endswith((kinds, *_SMALL))}


def _first(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _refuse_a_full_disk(listed: Mapping[Weights, Mapping[str, int]]) -> None:
    needed = sum(max(0, sum(files.values()) - weights.bytes_here) for weights, files in listed.items())
    for weights in listed:
        place = next(path for path in weights.folder.parents if path.exists())
        free = shutil.disk_usage(place).free
        if needed > free:
            names = ", ".join(one.repository for one in listed)
            raise ConfigError(
                f"weights of {names} need {size(needed)} more below {weights.folder.parent}, where {size(free)} are "
                "free; make room, or set results_dir to another disk. Nothing was fetched"
            )


def _fetch(
    weights: Weights, files: Mapping[str, int], say: Callable[[str], None], variables: Mapping[str, str], out: Path
) -> None:
    part, total = weights.partial, sum(files.values())
    part.mkdir(exist_ok=True)
    for left in part.rglob("*.incomplete"):
        left.unlink()
    log = part.with_suffix(".log")
    here = weights.bytes_here
    begun = f", {size(here)} of them here" if here else ""
    say(f"fetching {weights.repository}: {size(total)} in {number_of(len(files), 'file')}{begun}")
    command = [sys.executable, "-m", "sweeper.inputs.weights", weights.repository, weights.revision or "", str(part)]
    try:
        run_child(
            [*command, *files],
            log=log,
            env={"HF_HUB_DISABLE_PROGRESS_BARS": "1", **variables},
            on_tick=_Teller(weights, total, say).tick,
        )
    except RunFailedError as error:
        if _GATED in str(error):
            raise ConfigError(f"{weights.repository} {_GATED}: {_LOG_IN}, once its owners let you in") from None
        raise RunFailedError(
            f"fetching {weights.repository} stopped ({error}); files that are whole stay in {part}, and the same "
            "command goes on"
        ) from None
    finally:
        log.unlink(missing_ok=True)
    for name, n in files.items():
        if (found := (part / name).stat().st_size) != n:
            raise RunFailedError(f"{part / name} has {found:,} bytes, and the hub says {n:,}; remove it, and try again")
    shutil.rmtree(part / ".cache", ignore_errors=True)
    part.rename(out)
    say(f"{weights.repository}: {size(total)} in {weights.folder}")


class _Teller:
    """Says now and then how far a fetch is."""

    def __init__(self, weights: Weights, total: int, say: Callable[[str], None]) -> None:
        self._weights, self._total, self._say = weights, total, say
        self._began = self._told = time.monotonic()
        self._first = weights.bytes_here

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._told < _TOLD_EVERY:
            return
        self._told, here = now, self._weights.bytes_here
        rate = (here - self._first) / (now - self._began)
        left = f", {duration(max(0, self._total - here) / rate)} left" if rate > 0 else ""
        self._say(
            f"{self._weights.repository}: {size(min(here, self._total))} of {size(self._total)}, {size(rate)}/s{left}"
        )


def take(folder: Path, out: Path) -> None:
    """Put fetched weights into a model's folder: links to the same files, and copies of what a template changes."""
    out.mkdir(exist_ok=True)
    for file in filter(Path.is_file, folder.iterdir()):
        if file.suffix in _WEIGHTS:
            try:
                os.link(file, out / file.name)
                continue
            except OSError:  # this file system has no links
                pass
        shutil.copyfile(file, out / file.name)


def main(repository: str, revision: str, folder: Path, files: Sequence[str]) -> None:
    """Fetch files of a repository into a folder; what is whole there is not fetched again."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError

    try:
        snapshot_download(
            repository, revision=revision or None, local_dir=folder, allow_patterns=list(files), max_workers=_AT_ONCE
        )
    except GatedRepoError:
        raise PermissionError(f"{repository} {_GATED}") from None


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
