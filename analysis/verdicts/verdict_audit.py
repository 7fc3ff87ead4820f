"""How often a second scorer judges a run's kept samples differently, along training; the file that keeps it.

runs/<run_id>/second_scorer.json      what `analysis audit` found; the report reads it
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from analysis.passk.interval import of_difference, over_problems
from analysis.verdicts.kept_verdicts import KeptVerdict
from rewards.bounded_file import read_json
from rewards.strict_json import json_text
from sweeper.host.files import undamaged, write_atomic
from sweeper.rows.sample import Origin
from sweeper.runs.folder import RunDir
from sweeper.spec.bounds import adapter

FILE = "second_scorer.json"
LEAST_WITHOUT_SPREAD = 6  # problems that all moved up alike: by chance (1/2)^6, which is below 0.025
_SHOWN, _EXAMPLES = 300, 3
Judged = tuple[KeptVerdict, bool | None]  # and the second scorer's verdict; None: it was late, or failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share or a difference of shares with its 95% interval over problems; ends None where `reason` says why."""

    value: float
    low: float | None
    high: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One measurement: samples that both judged, and the shares of them that they judged differently.

    Attributes:
        origin: Which measurement.
        step: Of a validation.
        n: Samples that both judged.
        n_problems: Behind them.
        late: Samples on which the second scorer was late, or failed; they are in none of the others.
        differ: Judged differently, mean over problems.
        run_alone: Paid by the run and not by the second scorer.
        second_alone: Paid by the second scorer and not by the run.
    """

    origin: Origin
    step: int | None
    n: int
    n_problems: int
    late: int
    differ: Share | None
    run_alone: Share | None
    second_alone: Share | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The later half of validations less the earlier one, paired over problems; of an odd number without the middle.

    `value` None: it cannot be told, and `reason` says why. `grows`: the interval lies above 0, or there is no spread
    and at least `LEAST_WITHOUT_SPREAD` problems all moved up.
    """

    value: Share | None
    n_problems: int
    grows: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One sample that was judged differently."""

    step: int | None
    origin: Origin
    problem: str
    paid_by_run: bool
    gold: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictAudit:
    """Of one run.

    Attributes:
        scorers: The second scorer of each data source that was judged again.
        measurements: In their order.
        differ: Growth of the share that was judged differently.
        run_alone: Growth of the share that the run alone paid.
        left_out: Samples that were not judged again, by reason.
        alone: Samples of sources without a second scorer.
        examples: The last ones that the run alone paid, and the last that it alone did not.
    """

    scorers: dict[str, str]
    measurements: tuple[Compared, ...]
    differ: Growth
    run_alone: Growth
    left_out: dict[str, int]
    alone: dict[str, int]
    examples: tuple[Example, ...] = ()

    @property
    def grows(self) -> bool:
        """Whether either of the two grows along training."""
        return self.differ.grows or self.run_alone.grows


def audit_of(
    judged: Sequence[Judged], scorers: Mapping[str, str], left_out: Mapping[str, int], alone: Mapping[str, int]
) -> VerdictAudit:
    """Shares, growth and examples of what two scorers said."""
    order = dict.fromkeys((one.origin, one.step) for one, _ in judged)
    of_step = {place: [item for item in judged if (item[0].origin, item[0].step) == place] for place in order}
    validations = [of_step[place] for place in order if place[0] is Origin.validation]
    return VerdictAudit(
        scorers=dict(scorers),
        measurements=tuple(_compared(*place, found) for place, found in of_step.items()),
        differ=growth(validations, _differs),
        run_alone=growth(validations, _run_alone),
        left_out=dict(left_out),
        alone=dict(alone),
        examples=(*_examples(judged, _run_alone), *_examples(judged, _second_alone)),
    )


def _differs(paid: bool, second: bool) -> bool:
    return paid is not second


def _run_alone(paid: bool, second: bool) -> bool:
    return paid and not second


def _second_alone(paid: bool, second: bool) -> bool:
    return second and not paid


def _compared(origin: Origin, step: int | None, judged: Sequence[Judged]) -> Compared:
    both = [item for item in judged if item[1] is not None]
    return Compared(
        origin=origin,
        step=step,
        n=len(both),
        n_problems=len({one.problem for one, _ in both}),
        late=len(judged) - len(both),
        differ=_share(both, _differs),
        run_alone=_share(both, _run_alone),
        second_alone=_share(both, _second_alone),
    )


def _share(both: Iterable[Judged], kind: Callable[[bool, bool], bool]) -> Share | None:
    values = list(_by_problem(both, kind).values())
    if not values:
        return None
    found = over_problems(np.array(values))
    return Share(value=float(np.mean(values)), low=found.low, high=found.high, reason=found.reason)


def _by_problem(judged: Iterable[Judged], kind: Callable[[bool, bool], bool]) -> dict[str, float]:
    """The share of each problem's samples that both judged."""
    n, hits = Counter[str](), Counter[str]()
    for one, second in judged:
        if second is not None:
            n[one.problem] += 1
            hits[one.problem] += kind(one.paid, second)
    return {problem: hits[problem] / n[problem] for problem in n}


def growth(validations: Sequence[Sequence[Judged]], kind: Callable[[bool, bool], bool]) -> Growth:
    """How the share of a kind changed from the first half of the validations to the second."""
    half = len(validations) // 2
    if not half:
        said = "no validation" if not validations else "one validation"
        return Growth(value=None, n_problems=0, grows=False, reason=f"{said} with samples that both scorers judged")
    parts = validations[:half], validations[-half:]
    early, late = (_by_problem((item for step in part for item in step), kind) for part in parts)
    values = np.array([late[problem] - early[problem] for problem in early if problem in late])
    if not values.size:
        return Growth(value=None, n_problems=0, grows=False, reason="no problem was judged in both halves")
    found = of_difference(values)
    moved = found.low > 0 if found.low is not None else values.size >= LEAST_WITHOUT_SPREAD and bool(values.min() > 0)
    value = Share(value=float(values.mean()), low=found.low, high=found.high, reason=found.reason)
    return Growth(value=value, n_problems=values.size, grows=moved)


def _examples(judged: Sequence[Judged], kind: Callable[[bool, bool], bool]) -> list[Example]:
    found = [one for one, second in judged if second is not None and kind(one.paid, second)]
    return [
        Example(
            step=one.step,
            origin=one.origin,
            problem=one.problem,
            paid_by_run=one.paid,
            gold=str(one.item.ground_truth)[:_SHOWN],
            answer=one.item.solution_str[-_SHOWN:],
        )
        for one in found[-_EXAMPLES:]
    ]


def audit_path(run_dir: RunDir) -> Path:
    """Where the audit of a run is kept."""
    return run_dir.path / FILE


def write_audit(run_dir: RunDir, found: VerdictAudit) -> Path:
    """Keep it."""
    path = audit_path(run_dir)
    write_atomic(path, json_text(asdict(found), indent=1) + "\n")
    return path


def read_audit(run_dir: RunDir) -> VerdictAudit | None:
    """What was found of a run; None: it was not audited.

    Raises:
        DamagedError: the file is not what was written.
    """
    path = audit_path(run_dir)
    if not path.exists():
        return None
    with undamaged(path, cure="audit the run again"):
        audit: VerdictAudit = adapter(VerdictAudit).validate_python(read_json(path))
        return audit
