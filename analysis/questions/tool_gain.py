"""What a tool, or an environment, adds over one answer without it: paired by problem, at four budgets.

Equal samples: pass@1 of both. Equal generated tokens, equal FLOPs of answering: the cheaper arm gets as many samples
for each one of the other as cost the same on average, s, and its pass@k at k = s; between whole numbers it draws the
next larger one with the share of s behind the point, which costs s on average. Equal training FLOPs: both arms moved to
the same compute along their validation curves. FLOPs of answering are those of the evaluation, every token once.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from analysis.drawing.answer import Answer, Bar, Forest
from analysis.estimates.numerals import change, number, signed
from analysis.estimates.panel import Arm, Panel, panel
from analysis.passk.crossed import contrast_mean
from analysis.passk.estimate import NONE, Estimate
from analysis.questions import Question, Settings
from analysis.questions.equal_compute import at_equal_compute
from analysis.questions.levels import joined, within
from analysis.questions.reply import ALPHA, left_out, missing, reply
from analysis.questions.strata import Stratum, apart, arms, strata
from analysis.runs.acting import NO_AGENT, acts, agent_settings, agent_words, generated_tokens
from analysis.runs.counts import Floats
from analysis.runs.selection import ALL_RUNS, Point, Run, Selection
from sweeper.rows.clear_change import holm

SAMPLES, TOKENS, ANSWERING, TRAINING = (
    "equal samples",
    "equal generated tokens",
    "equal FLOPs of answering",
    "equal training FLOPs",
)
LITTLE = 1.005  # times as many samples, below which nothing is said of it


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pair:
    """An agent and none with otherwise the same settings, on common problems; the agent is the panel's first arm."""

    label: str  # of the stratum
    both: Panel

    @property
    def tool(self) -> Arm:
        """With the agent."""
        return self.both.arms[0]

    @property
    def none(self) -> Arm:
        """Without."""
        return self.both.arms[1]

    @property
    def model(self) -> str:
        """Of both."""
        return self.tool.runs[0].row.model


@dataclass(frozen=True, kw_only=True, eq=False)
class _Gain:
    """The agent minus none at one budget; `reason` says why there is no number."""

    pair: _Pair
    budget: str
    gap: Estimate = NONE
    p: float | None = None
    samples: tuple[float, float] | None = None  # per problem, of the agent and of none
    reason: str | None = None


def answer(question: Question, selection: Selection, _: Settings) -> Answer:
    """See the module."""
    notes = left_out(selection)
    with_it, without = ([run for run in selection.completed if acts(run.row) is side] for side in (True, False))
    if not with_it:
        return missing(question, NO_AGENT, notes)
    if not without:
        return missing(question, "every run has an agent: a gain needs the same runs with agent=none", notes)
    free = ["agent", *agent_settings([run.row for run in selection.completed])]
    pairs = [pair for stratum in strata(selection.completed, free=free) for pair in _pairs(stratum, notes)]
    gains = [gain for pair in pairs for gain in _gains(pair, notes)]
    if not gains:
        return missing(question, _why_no_pair(with_it, without, free, notes), notes)
    adjusted = holm([item.p for item in gains])
    decided = [p is not None and p < ALPHA for p in adjusted]
    tested = sum(p is not None for p in adjusted)
    notes += [
        f"Clear: Holm-corrected p below {ALPHA:g} over {tested} differences; intervals are 95% each",
        "FLOPs of answering are those of the evaluation: every token of a trajectory once, as with a prefix cache; "
        "what tools compute is not in them",
    ]
    tables = {"tool_gains": pd.DataFrame([_row(item, p) for item, p in zip(gains, adjusted, strict=True)])}
    bars = [
        Bar(label=_label(item), value=None, note=item.reason)
        if item.reason
        else Bar.of(_label(item), item.gap, "" if clear else "not clear")
        for item, clear in zip(gains, decided, strict=True)
    ]
    title = "Gain of a tool, by what is held equal"
    figures = {"tool_gains": Forest.of_differences(title, "difference in pass@1", bars, zero="no gain")}
    said, texts = _verdict(gains, decided, tested), _texts(gains)
    reason = None if any(decided) else "no difference is clear of its uncertainty"
    runs = [*with_it, *without]
    return reply(question, runs, said, joined(texts), reason, tables=tables, figures=figures, notes=notes)


def _why_no_pair(with_it: Sequence[Run], without: Sequence[Run], free: Sequence[str], notes: list[str]) -> str:
    names = apart(with_it, without, free=free)
    said = f": they differ in {', '.join(names)}" if names else ""
    also = f" ({notes[-1]})" if notes and not names else ""
    return f"no run with an agent has a partner without one and with otherwise the same settings{said}{also}"


def _pairs(stratum: Stratum, notes: list[str]) -> list[_Pair]:
    """Every agent of a stratum with every configuration without one; adds to the notes."""
    words = agent_words([run.row for run in stratum.runs])
    members = arms(stratum, label=lambda row: words[row.run_id], x=lambda row: row.n_params_non_embedding)
    tools, nones = ([arm for arm in members if acts(arm.runs[0].row) is side] for side in (True, False))
    found = []
    for tool, none in product(tools, nones):
        both = panel([tool, none])
        if isinstance(both, str):
            notes.append(f"{stratum.label}: {both}")
        else:
            pair = _Pair(label=stratum.label, both=both)
            counted, *others = both.notes
            notes += [f"{pair.model}: {counted}", *(note for note in others if note not in notes)]
            found.append(pair)
    return found


def _gains(pair: _Pair, notes: list[str]) -> list[_Gain]:
    """At every budget; adds to the notes."""
    gap = pair.both.gap(0, 1)
    found = [_Gain(pair=pair, budget=SAMPLES, gap=gap.interval(), p=gap.p_value(), samples=(1.0, 1.0))]
    found.append(_at_cost(pair, TOKENS, generated_tokens, "generated tokens were not counted for every run"))
    found.append(_at_cost(pair, ANSWERING, _answering, "FLOPs of the evaluation were not counted for every run"))
    moved, reason = at_equal_compute(pair.both, notes)
    at_end, p = (NONE, None) if moved is None else moved.gap(0, 1)
    return [*found, _Gain(pair=pair, budget=TRAINING, gap=at_end, p=p, reason=reason)]


def _answering(run: Run) -> float | None:
    """FLOPs of one answer of the evaluation; None: not counted."""
    flops = run.row.flops.evaluation if run.row.flops else None
    return flops / sum(run.trained.n) if flops and run.trained and run.trained.n else None


def _at_cost(pair: _Pair, budget: str, cost: Callable[[Run], float | None], unknown: str) -> _Gain:
    """Both with samples of the same cost: the cheaper one draws more of them."""
    costs = [[cost(run) for run in arm.runs] for arm in pair.both.arms]
    known = [[value for value in values if value] for values in costs]
    if any(len(values) < len(all_) for values, all_ in zip(known, costs, strict=True)):
        return _Gain(pair=pair, budget=budget, reason=unknown)
    of_tool, of_none = (float(np.mean(values)) for values in known)
    samples = (max(of_none / of_tool, 1.0), max(of_tool / of_none, 1.0))
    runs = [run for arm in pair.both.arms for run in arm.runs]
    if len({run.trained.problem_ids for run in runs if run.trained}) != 1:
        return _Gain(pair=pair, budget=budget, samples=samples, reason="not every run answered the same problems")
    drawn = [_drawn(arm, number_) for arm, number_ in zip(pair.both.arms, samples, strict=True)]
    values = [item for item in drawn if item is not None]
    if len(values) < len(drawn):
        reason = f"it takes {number(max(samples))} samples per problem, and fewer were drawn"
        return _Gain(pair=pair, budget=budget, samples=samples, reason=reason)
    gap = contrast_mean(values, [1.0, -1.0])
    return _Gain(pair=pair, budget=budget, gap=gap.interval(), p=gap.p_value(), samples=samples)


def _drawn(arm: Arm, samples: float) -> Floats | None:
    """Chance that one of so many samples is right, on average: runs x problems; None: fewer were drawn."""
    below, above = (Point(series="", runs=arm.runs).matrix(k) for k in (math.floor(samples), math.ceil(samples)))
    if below is None or above is None or not np.isfinite(above).all():
        return None
    share = samples - math.floor(samples)
    return np.asarray((1 - share) * below + share * above)


def _label(item: _Gain) -> str:
    where = "" if item.pair.label in (ALL_RUNS, item.pair.model) else f", {item.pair.label}"
    return f"{item.pair.model}{where}, {item.pair.tool.label}, {item.budget}"


def _row(item: _Gain, p: float | None) -> dict[str, object]:
    row = item.pair.tool.runs[0].row
    of_tool, of_none = item.samples or (None, None)
    return {
        "runs": item.pair.label,
        "model": item.pair.model,
        "n_params_non_embedding": row.n_params_non_embedding,
        "agent": item.pair.tool.label,
        "held_equal": item.budget,
        **item.gap.columns("difference"),
        "p_holm": p,
        "samples_of_agent": of_tool,
        "samples_of_none": of_none,
        "why_no_difference": item.reason,
    }


def _texts(gains: Sequence[_Gain]) -> list[str]:
    """Pair by pair, at all budgets."""
    texts = []
    for pair in dict.fromkeys(item.pair for item in gains):
        own = [item for item in gains if item.pair is pair]
        said = [f"{signed(item.gap)} at {item.budget}{_more(item)}" for item in own if item.reason is None]
        said += [f"no number at {item.budget} ({item.reason})" for item in own if item.reason is not None]
        who = f"{pair.tool.label} minus none"
        texts.append(f"{within(pair.label)}: {who} {', '.join(said)}")
    return texts


def _more(item: _Gain) -> str:
    """How many samples the cheaper one had."""
    of_tool, of_none = item.samples or (1.0, 1.0)
    if max(of_tool, of_none) < LITTLE:
        return ""
    who = "none" if of_none > of_tool else "the agent"
    return f" ({number(max(of_tool, of_none))} samples of {who} to one)"


def _verdict(gains: Sequence[_Gain], decided: Sequence[bool], tested: int) -> str:
    """At equal samples and at equal tokens: of one pair with its numbers, of several how many are clear."""
    by = {
        budget: [(item, clear) for item, clear in zip(gains, decided, strict=True) if item.budget == budget]
        for budget in (SAMPLES, TOKENS)
    }
    pairs = len(by[SAMPLES])
    if pairs == 1:
        (first, clear), (second, also) = by[SAMPLES][0], by[TOKENS][0]
        return f"{_one(first, clear)}{_other(first, second, clear=clear, also=also)}."
    if not any(clear for found in by.values() for _, clear in found):
        return f"Not decided: in none of {pairs} pairs does an agent clearly gain or lose (Holm over {tested})."
    up, down, of = [], [], []
    for budget, found in by.items():
        signs = [item.gap.value > 0 for item, clear in found if clear]
        up.append(signs.count(True))
        down.append(signs.count(False))
        of.append(f"of {sum(item.reason is None for item, _ in found)} at {budget}")
    gains_in = " and ".join(f"{n} {words}" for n, words in zip(up, of, strict=True))
    loses_in = f"{down[0]} and {down[1]}" if any(down) else "none"
    return f"An agent clearly gains in {gains_in}, and loses in {loses_in} (Holm over {tested})."


def _one(item: _Gain, clear: bool) -> str:
    name = item.pair.tool.label
    if not clear:
        return f"Not decided: {name} and no agent differ by {signed(item.gap)} in pass@1 at {item.budget}"
    does = "gains" if item.gap.value > 0 else "loses"
    return f"With {name} the model {does} {change(item.gap)} pass@1 at {item.budget}"


def _other(first: _Gain, item: _Gain, *, clear: bool, also: bool) -> str:
    if item.reason is not None:
        return f"; {item.budget} cannot be compared"
    if not also:
        return f"; at {item.budget} {signed(item.gap)}, not clear"
    same = clear and (item.gap.value > 0) == (first.gap.value > 0)
    return f", {'and' if same else 'but'} {signed(item.gap)} at {item.budget}"
