"""Specs from composed configs: a part that many points share is validated once and shared by their specs."""

from dataclasses import MISSING, fields, replace
from typing import Any, get_type_hints

import rewards
from sweeper.host.errors import ConfigError
from sweeper.inputs.agent import with_versions
from sweeper.inputs.data import with_digests
from sweeper.inputs.own_reward import with_scorers
from sweeper.inputs.scorer_versions import domains_of, versions
from sweeper.spec.bounds import validated
from sweeper.spec.data import Data, DomainMix
from sweeper.spec.dotted import dotted
from sweeper.spec.reward import Reward
from sweeper.spec.run import PARTS, RunSpec
from sweeper.spec.training import ALL, Evaluation, Training
from sweeper.training.owners import refuse_owned

# What parts name is looked up when a spec is made: files by their content.
_COMPLETED = {"data": with_digests, "reward": with_scorers, "agent": with_versions}
_NEEDED = [item.name for item in fields(RunSpec) if item.default is MISSING and item.default_factory is MISSING]
_NEEDED.remove("reward_suite")  # is the program's own
_HINTS = get_type_hints(RunSpec, include_extras=True)


class SpecMaker:
    """Makes specs; equal objects in, the same parts out."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, int], tuple[Any, Any]] = {}  # by field and the config object's id; keeps both
        self._equal: dict[tuple[str, str], Any] = {}

    def spec(self, config: dict[str, Any]) -> RunSpec:
        """The run specification of a composed config.

        Raises:
            ConfigError: a missing value, an ill-typed value, a data folder that cannot be read, a verl key that a
                setting of ours decides.
        """
        values = {name: self._part(name, config[name]) for name in _HINTS if name in config}
        if missing := next((name for name in _NEEDED if name not in values), None):
            raise ConfigError(f"{missing} has no value: set it")
        values["reward"] = self._with_versions(**values)
        values["eval"] = self._with_steps(**values)
        return RunSpec(**values, reward_suite=rewards.SUITE_VERSION)

    def _with_versions(self, reward: Reward, data: Data, domain_mix: DomainMix, eval: Evaluation, **_: Any) -> Reward:
        found = versions(reward, root=data.root, domains=domains_of(domain_mix, eval), tasks=data.tasks)
        if not found:
            return reward
        part = replace(reward, versions=found)
        shared: Reward = self._equal.setdefault(("reward", repr(part)), part)
        return shared

    def _with_steps(self, eval: Evaluation, training: Training, **_: Any) -> Evaluation:
        """`all` as what it means now: how often a run saves may change, what of it is evaluated may not."""
        if eval.checkpoints != ALL:
            return eval
        part = replace(eval, checkpoints=f"every:{training.save_freq}")
        shared: Evaluation = self._equal.setdefault(("eval", repr(part)), part)
        return shared

    def _part(self, name: str, value: Any) -> Any:
        if name not in PARTS:
            return _validated(name, value)
        known = self._parts.get((name, id(value)))
        if known is None:
            part = _validated(name, value)
            if name in _COMPLETED:  # its paths are text by now
                part = _validated(name, _COMPLETED[name](value))
            if name == "verl":
                refuse_owned(part)
            known = self._parts[name, id(value)] = (value, self._equal.setdefault((name, repr(part)), part))
        return known[1]


def _validated(name: str, value: Any) -> Any:
    missing = next((key for key, leaf in dotted({name: value}).items() if leaf == "???"), None)
    if missing is not None:
        raise ConfigError(f"{missing} has no value: set it, or choose an option of its group that does")
    return validated(_HINTS[name], name, value)
