"""What base models take once for all runs that start from them: which are measured here already, and what that took."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sweeper.host import amounts
from sweeper.host.amounts import number_of
from sweeper.plan.cost import Cost
from sweeper.rows.device_time import built
from sweeper.rows.row import ResultRow
from sweeper.spec.identity import agent_settings
from sweeper.spec.run import RunSpec
from sweeper.spec.training import LAST

# Beginnings of settings that decide what a base model is and what of it is measured.
_DECIDES = (
    *("eval.", "reward.", "data.root", "data.digest", "training.max_response_length"),
    *("model.source", "model.path", "model.revision", "model.prompt_style", "model.architecture.", "model.warm_start."),
)

Decisive = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModels:
    """Of a results folder.

    Attributes:
        measured: The settings that decide a base model's pass@k, of each that rows hold, by model.
        hours: Device-hours that building and measuring each took, by model; models without a measured run none.
    """

    measured: Mapping[str, Sequence[Decisive]] = field(default_factory=dict)
    hours: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[ResultRow]) -> "BaseModels":
        """What some rows say."""
        measured: dict[str, list[Decisive]] = {}
        for row in rows:
            decisive, known = _decisive(row.settings or {}), measured.setdefault(row.model, [])
            if row.base and row.settings and decisive not in known:
                known.append(decisive)
        return cls(measured=measured, hours=built(rows))

    def to_measure(self, due: Iterable[tuple[RunSpec, Cost]]) -> list[Cost]:
        """The cost of one run for each base model that some runs still have to measure, once for all of them."""
        found: dict[tuple[object, ...], tuple[RunSpec, Cost]] = {}
        for spec, cost in due:
            agent = repr(spec.agent) if spec.agent.acts else None
            measured = replace(spec.eval, checkpoints=LAST)
            found.setdefault((spec.model.name, measured, agent), (spec, cost))
        return [cost for spec, cost in found.values() if not self._is_measured(spec)]

    def _is_measured(self, spec: RunSpec) -> bool:
        """Settings that an earlier version did not have, or that are unset, differ from nothing; an agent's do."""
        wanted = _decisive(spec.settings())
        of_model = self.measured.get(spec.model.name, ())
        return any(
            _agent(known) == _agent(wanted) and all(known[key] == wanted[key] for key in known.keys() & wanted.keys())
            for known in of_model
        )

    def text(self, n: int) -> str:
        """A sentence about so many base models that are still to be built; empty: there is none."""
        if not n:
            return ""
        said = f"building {number_of(n, 'base model')}, once per model, is not in it"
        if not self.hours:
            return f"{said}: not measured here yet"
        least, most = min(self.hours.values()), max(self.hours.values())
        took = amounts.hours(least)
        if amounts.hours(most) != took:
            took = f"{took} to {amounts.hours(most)}"
        models = number_of(len(self.hours), "model")
        return f"{said}; with its pass@k it took {took} device-hours per model here ({models})"


def _decisive(settings: Mapping[str, Any]) -> Decisive:
    found = {key: value for key, value in settings.items() if key.startswith(_DECIDES) and key != "eval.checkpoints"}
    return found | agent_settings(settings)


def _agent(decisive: Decisive) -> Decisive:
    return {key: value for key, value in decisive.items() if key.startswith("agent.")}
