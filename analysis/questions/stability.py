"""Overfitting, narrowing and collapse: the base model at high k, training against held-out, KL, entropy, reward.

Narrowing: paired difference of pass@k to the base model at every k, and the budget k* from which the base model is
ahead (`analysis.passk.paired`). The other signs are thresholds on a run's own curve; they are stated in the table
and prove nothing by themselves: each flag says where to look.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Chart, Figure, Guide, Scale, Trace
from analysis.estimates.panel import LOWER_BOUND
from analysis.estimates.points import all_ks, clear_gains, gain
from analysis.passk.estimate import Estimate
from analysis.passk.paired import Crossover, crossover, pair
from analysis.passk.sample import Sample
from analysis.questions import Question, Settings
from analysis.questions.curriculum import MIXED
from analysis.questions.levels import joined
from analysis.questions.reply import left_out, missing, reply
from analysis.questions.strata import configurations
from analysis.runs.counts import Counts, Floats
from analysis.runs.selection import Point, Run, Selection

WINDOW = 5  # steps over which a curve is averaged before it is compared with its peak
REWARD_LEFT = 0.5  # share of the peak reward below which the end counts as collapse
ENTROPY_LEFT = 0.2  # share of the first entropy likewise
OF_REWARD = ("reward collapse", "overfitting")  # signs of the training reward
LARGEST_KL = 1.0  # nats per token to the reference
LENGTH_FACTOR = 2.0  # response length at the end over that at the start, or its inverse
GAP_POINTS = 0.02  # rise of (training reward - validation) that counts as overfitting, with a falling validation
DRAWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A threshold on a curve: `value` None where the curve was not measured."""

    sign: str
    value: float | None
    threshold: str
    flagged: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """A configuration beside its base model.

    Attributes:
        label: Of the configuration.
        point: Of its runs with a base model.
        seeds: Of the configuration.
        gains: Trained minus base pass@k, by k.
        turn: From which k the base model is ahead; None: fewer than two ks.
    """

    label: str
    point: Point
    seeds: int
    gains: dict[int, Estimate]
    turn: Crossover | None


def _narrowed(compared: list[_Compared]) -> int:
    """How many trained models are clearly below their base model at the largest k."""
    return clear_gains([(item.point, max(item.gains), "all") for item in compared if item.gains]).count(-1)


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    if not selection.completed:
        return missing(question, "no run was completed", notes)
    signs = [(run, sign) for run in selection.completed for sign in signs_of(run)]
    known = [(run, sign) for run, sign in signs if sign.flagged is not None]
    arms = configurations(selection.completed)
    compared = [found for arm in arms if (found := _against_base(arm.label, arm.runs, notes)) is not None]
    differences = [
        {"runs": item.label, "k": k, **found.columns("difference")}
        for item in compared
        for k, found in item.gains.items()
    ]
    if not known and not differences:
        return missing(question, "neither curves nor base models were measured", notes)
    texts = [_compared_text(compared)] if differences else []
    texts += [_signs_text(known)] if known else []
    notes.append(_THRESHOLDS)
    once = sum(_saw_each_once(run) for run in selection.completed)
    if once:
        notes.append(
            f"{once} of {len(selection.completed)} runs saw no problem twice: no overfitting is read from them"
        )
    if any(_is_ordered(run) for run, _ in signs):
        notes.append("In an ordered curriculum the training reward follows the problems: no sign is read from it")
    if differences and all(item.seeds == 1 for item in compared):
        notes.append(LOWER_BOUND)
    notes.append("Intervals of differences of pass@k pair problems and are 95% each, not corrected for their number")
    tables = {
        "signs": pd.DataFrame([{"run": run.row.run_id, **asdict(sign)} for run, sign in signs]),
        "against_base": pd.DataFrame(differences),
        "crossover": pd.DataFrame([_crossing_row(item) for item in compared]),
    }
    figures: dict[str, Figure] = {"against_base": _chart(compared)} if compared else {}
    said = f"{' and '.join(_verdict(compared if differences else [], known))}."
    return reply(question, selection.completed, said, joined(texts), tables=tables, figures=figures, notes=notes)


def _verdict(compared: list[_Compared], known: list[tuple[Run, Sign]]) -> Iterator[str]:
    if compared:
        k = max(k for item in compared for k in item.gains)
        n, total = _narrowed(compared), len(compared)
        falls = "falls" if n == 1 else "fall"
        yield f"{n} of {total} configurations clearly {falls} below the base model at k = {k} (Holm over {total})"
    if known:
        crossing, total = _crossing(known)
        yield f"{crossing} of {total} runs {'crosses' if crossing == 1 else 'cross'} a warning threshold"


def _crossing(known: list[tuple[Run, Sign]]) -> tuple[int, int]:
    """(runs that cross a threshold, runs that could)."""
    return (
        len({run.row.run_id for run, sign in known if sign.flagged}),
        len({run.row.run_id for run, _ in known}),
    )


_THRESHOLDS = (
    f"Thresholds: mean reward of the last {WINDOW} steps under {REWARD_LEFT:g} of its peak; last entropy under "
    f"{ENTROPY_LEFT:g} of the first; KL over {LARGEST_KL:g} nats per token; response length changed by a factor of "
    f"{LENGTH_FACTOR:g}; training reward minus validation widened by {GAP_POINTS:g} while validation fell"
)


def _compared_text(compared: list[_Compared]) -> str:
    k = max(k for item in compared for k in item.gains)
    total = len(compared)
    ahead = sum(item.turn is not None and item.turn.verdict == "crossover" for item in compared)
    return (
        f"At the largest k (up to {k}) the trained model is clearly below its base model in {_narrowed(compared)} "
        f"of {total} configurations (Holm over {total}), and the base model overtakes it within the ks measured in "
        f"{ahead}"
    )


def _signs_text(known: list[tuple[Run, Sign]]) -> str:
    flagged = [(run, sign) for run, sign in known if sign.flagged]
    names = sorted({f"{sign.sign} ({run.row.run_id})" for run, sign in flagged})
    runs, total = _crossing(known)
    listed = f": {', '.join(names[:3])}{' and more' if len(names) > 3 else ''}" if names else ""
    return f"{runs} of {total} runs {'crosses' if runs == 1 else 'cross'} a threshold on their curves{listed}"


def signs_of(run: Run) -> list[Sign]:
    """The thresholds of a run's curve."""
    points = sorted((point for point in run.row.curve if point.step > 0), key=lambda point: point.step)
    series = {
        name: np.array([value for point in points if (value := getattr(point, name)) is not None], dtype=np.float64)
        for name in ("reward", "entropy", "kl", "response_length")
    }
    reward, entropy, kl, length = (series[name] for name in ("reward", "entropy", "kl", "response_length"))
    found = [
        _sign("reward collapse", _left_of_peak(reward), f"< {REWARD_LEFT:g} of the peak", below=REWARD_LEFT),
        _sign("entropy collapse", _last_over_first(entropy), f"< {ENTROPY_LEFT:g} of the first", below=ENTROPY_LEFT),
        _sign("large KL", float(kl.max()) if len(kl) else None, f"> {LARGEST_KL:g} nats per token", above=LARGEST_KL),
    ]
    change = _last_over_first(length)
    factor = None if change is None or change <= 0 else max(change, 1 / change)
    found.append(_sign("response length", factor, f"x {LENGTH_FACTOR:g} or 1/{LENGTH_FACTOR:g}", above=LENGTH_FACTOR))
    found.append(replace(_overfitting(run), flagged=None) if _saw_each_once(run) else _overfitting(run))
    if _is_ordered(run):
        return [replace(sign, flagged=None) if sign.sign in OF_REWARD else sign for sign in found]
    return found


def _is_ordered(run: Run) -> bool:
    """Whether the problems of later steps differ from those of earlier ones by design, and the reward with them."""
    return run.row.curriculum not in (None, MIXED)


def _saw_each_once(run: Run) -> bool:
    """Whether no problem was trained on twice, as far as the row knows: there is nothing to fit too closely then."""
    return run.row.reuse is not None and run.row.reuse <= 1


def _overfitting(run: Run) -> Sign:
    """Training reward moves away from validation while validation falls, first half against second."""
    both = [
        (point.reward, point.val_pass1)
        for point in sorted(run.row.curve, key=lambda point: point.step)
        if point.step > 0 and point.reward is not None and point.val_pass1 is not None
    ]
    threshold = f"> {GAP_POINTS:g} wider, validation lower"
    if len(both) < 4:
        return Sign(sign="overfitting", value=None, threshold=threshold, flagged=None)
    reward, held = (np.array(column) for column in zip(*both, strict=True))
    half = len(both) // 2
    gap = reward - held
    wider = float(gap[half:].mean() - gap[:half].mean())
    fell = float(held[half:].mean() - held[:half].mean()) < 0
    return Sign(sign="overfitting", value=wider, threshold=threshold, flagged=wider > GAP_POINTS and fell)


def _sign(
    name: str, value: float | None, threshold: str, *, below: float | None = None, above: float | None = None
) -> Sign:
    flagged = None
    if value is not None:
        flagged = (below is not None and value < below) or (above is not None and value > above)
    return Sign(sign=name, value=value, threshold=threshold, flagged=flagged)


def _left_of_peak(values: Floats) -> float | None:
    if len(values) < 2 * WINDOW:
        return None
    smooth = np.convolve(values, np.ones(WINDOW) / WINDOW, mode="valid")
    peak = float(smooth.max())
    return float(smooth[-1]) / peak if peak > 0 else None


def _last_over_first(values: Floats) -> float | None:
    if len(values) < 2 * WINDOW:
        return None
    first = float(values[:WINDOW].mean())
    return float(values[-WINDOW:].mean()) / first if first > 0 else None


def _against_base(label: str, runs: tuple[Run, ...], notes: list[str]) -> _Compared | None:
    """None without a base model on the same problems."""
    usable = tuple(run for run in runs if run.paired)
    if len(usable) < len(runs):
        notes.append(f"{len(runs) - len(usable)} runs of {runs[0].row.model} have no base model on the same problems")
    if not usable:
        return None
    point = Point(series="", runs=usable)
    gains = {k: found for k in all_ks([point]) if (found := gain(point, k)) is not None}
    both = pair(_sample(usable, base=True), _sample(usable, base=False), tuple(gains), draws=DRAWS)
    return _Compared(label=label, point=point, seeds=len(runs), gains=gains, turn=crossover(both))


def _sample(runs: tuple[Run, ...], *, base: bool) -> Sample:
    counts: list[Counts] = [found for run in runs if (found := run.base if base else run.trained) is not None]
    return Sample.of(line for item in counts for line in zip(item.problem_ids, item.n, item.c, strict=True))


def _crossing_row(item: _Compared) -> dict[str, object]:
    fields = ("k", "low", "high", "largest_k", "probability_none", "verdict")
    found = {name: getattr(item.turn, name) for name in fields} if item.turn else dict.fromkeys(fields)
    named = {"runs": item.label, "seeds": item.seeds, "crossover_k": found.pop("k")}
    return named | found | ({} if item.turn else {"verdict": "fewer than two ks"})


def _chart(compared: list[_Compared]) -> Chart:
    return Chart(
        title="Trained minus base pass@k",
        x=Scale(label="k (samples per problem)", log=True),
        y=Scale(label="difference in pass@k"),
        traces=tuple(Trace.of(item.label, item.label, item.gains, item.gains.values()) for item in compared),
        guides=(Guide(axis="y", value=0.0, label="base model"),),
    )
