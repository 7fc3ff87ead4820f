"""Reward functions of the user's own: read when a spec is made, and frozen with it.

rewards/<digest>/my_rewards.py      and the modules of its folder that it imports; what runs load
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_prep.files.atomic_folder import make_once
from data_prep.files.manifest import read_manifest
from rewards.own.covering import EVERYTHING, covered_as
from rewards.own.own_scorer import examine
from rewards.own.reward_file import BadRewardFile, RewardFile, split_reference
from rewards.problem.domains import UnknownDataSource, canonical
from rewards.route.scorers import limit_of, scorer_of
from sweeper.host.errors import ConfigError
from sweeper.spec.reward import FOLDER, Reward


def with_scorers(reward: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `reward` with absolute paths, and with what the functions that they name are known by.

    Raises:
        ConfigError: a file or function that is not there, does not load, or does not take verl's arguments.
    """
    for name in ("scorers", "versions"):
        if reward[name]:
            raise ConfigError(f"reward.{name} is filled in from reward.path and reward.sources; set those")
    found, scorers = dict(reward) | {"limits": _limits(reward["limits"])}, []
    if reward["path"] is not None:
        found["path"], own = _read("reward.path", reward["path"], EVERYTHING)
        scorers.append(own)
    found["sources"] = {}
    for source, text in reward["sources"].items():
        key = f"reward.sources.{source}"
        name = canonical(str(source))
        if not name.strip("_") or "=" in str(source):
            raise ConfigError(f"{key}: {str(source)!r} is no data_source, nor the beginning of one")
        if name in [own["source"] for own in scorers]:
            raise ConfigError(f"{key}: two entries of reward.sources name the source {name}; leave one")
        found["sources"][str(source)], own = _read(key, text, name)
        scorers.append(own)
    return found | {"scorers": sorted(scorers, key=lambda own: str(own["source"]))}


def _limits(limits: Mapping[str, Any]) -> dict[str, Any]:
    """Limits of programs by their sources, each in one spelling."""
    found: dict[str, Any] = {}
    for source, seconds in limits.items():
        key, name = f"reward.limits.{source}", canonical(str(source))
        try:
            is_code = scorer_of(name).rules is not None
        except UnknownDataSource:
            is_code = False
        if not is_code:
            raise ConfigError(f"{key}: {str(source)!r} is no data_source of programs, nor the beginning of one")
        if name in found:
            raise ConfigError(f"{key}: two entries of reward.limits name the source {name}; leave one")
        found[name] = seconds
    return found


def _read(key: str, text: object, source: str) -> tuple[str, dict[str, Any]]:
    try:
        path, function = split_reference(str(text))
        path = path.expanduser().resolve()
        file = examine(f"{path}:{function}")
    except BadRewardFile as error:
        raise ConfigError(f"{key}={text}: {error}") from None
    known = {"source": source, "file": file.name, "function": function, "digest": file.digest, "version": file.version}
    return f"{path}:{function}", known


def frozen(reward: Reward, results_dir: Path) -> Path:
    """The folder with the functions' files as they were when the spec was made; copied there if they are not yet.

    Raises:
        ConfigError: a file has changed since, and no run kept it.
    """
    folder = results_dir / FOLDER
    originals = {canonical(source): text for source, text in reward.sources.items()}
    if reward.path is not None:
        originals[EVERYTHING] = reward.path
    for own in reward.scorers:
        if not (folder / own.digest / own.file).is_file():
            path, _ = split_reference(originals[own.source])
            try:
                file = RewardFile.read(path)
            except BadRewardFile as error:
                raise ConfigError(str(error)) from None
            if file.digest != own.digest:
                raise ConfigError(f"{path} is not the file that the run was planned with. Restore it, or plan again.")
            make_once(folder / own.digest, done=own.file, make=file.write)
    return folder


def refuse_idle(reward: Reward, manifest: Path) -> None:
    """Refuse a function that scores nothing, credit that nothing gives, a limit of nothing: the run would be a twin.

    Args:
        reward: Of the run.
        manifest: Of the run's prepared data.

    Raises:
        ConfigError: with the data sources that there are.
    """
    if not reward.scorers and not reward.partial_credit and not reward.limits:
        return
    files = read_manifest(manifest)["files"]
    sources = sorted({source for file in files.values() for source in file["by_data_source"]})
    own, trained = reward.references(Path()), sorted(files["train"]["by_data_source"])
    if reward.partial_credit and all(scorer_of(source, own).family != "zebra" for source in trained):
        raise ConfigError(
            f"reward.partial_credit=true changes nothing: it is of zebra puzzles, and none of {', '.join(trained)} is; "
            "leave it out"
        )
    programs = [source for source in sources if scorer_of(source, own).rules is not None]
    for limit in reward.program_limits:
        if all(limit_of(source, (limit,)) is None for source in programs):
            name = limit.partition("=")[0]
            raise ConfigError(
                f"reward.limits.{name} limits no program of this run, whose data_source is {' or '.join(sources)}; "
                "correct the name, or leave it out"
            )
    used = {covered_as(source, own) for source in sources}
    for scorer in reward.scorers:
        if scorer.source not in used:
            key = "reward.path" if scorer.source == EVERYTHING else f"reward.sources.{scorer.source}"
            raise ConfigError(
                f"{key} scores no problem of this run, whose data_source is {' or '.join(sources)}; correct the name, "
                "or leave it out"
            )
