"""What decides, before anything is scrolled: a headline, a verdict per question, four tiles and one figure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd

from analysis.drawing.answer import Answer, Bar, Chart, Forest, Mark, Scale, Status, Trace
from analysis.drawing.answer import Figure as Asked
from analysis.drawing.answer_figures import draw
from analysis.drawing.page import FirstScreen, Tile, Verdict
from analysis.estimates.numerals import plain, signed
from analysis.estimates.points import clear_gains, mean_gain, pass_at, step_up
from analysis.passk.estimate import Estimate
from analysis.questions import QUESTIONS
from analysis.report.evidence import MOST_LINES, Evidence
from analysis.report.gain_verdicts import gain_verdicts
from analysis.report.headline import headline, name, run_name, validated
from analysis.report.next_run import next_steps
from analysis.report.run_sections import anchor
from analysis.report.sections.second_scorer import warning
from analysis.runs.selection import Point
from analysis.runs.spent import mean_flops
from sweeper.spec.run_id import handles

BASE = "base model"
PASS1 = Scale.share("pass@1")
MOST_BARS = 24


def first_screen(evidence: Evidence) -> FirstScreen:
    """Every number of it is that of the sections below."""
    figure = _figure(evidence)
    verdicts = [
        Verdict(question=QUESTIONS[key].title, sentence=_said(item.verdict), status=item.status, link=f"question-{key}")
        for key, item in evidence.answers.items()
        if isinstance(item, Answer) and item.status is not Status.missing
    ]
    return FirstScreen(
        headline=headline(evidence.selection, evidence.points),
        best=_best_line(evidence),
        verdicts=(*warning(evidence), *verdicts, *gain_verdicts(evidence.points)),
        tiles=tuple(_tiles(evidence)),
        figure=draw(figure[0], name="first", claim=figure[1]) if figure else None,
    )


def _said(verdict: str) -> str:
    """Without what the page says of an open question by its status."""
    said = verdict.removeprefix("Not decided: ")
    return f"{said[:1].upper()}{said[1:]}"


def _tiles(evidence: Evidence) -> Iterator[Tile]:
    scored = _best_first(evidence)
    if scored:
        yield _best(scored)
    mean = mean_gain(evidence.points) if evidence.points else None
    if mean is not None:
        clear = clear_gains([(point, 1, "all") for point in evidence.points]).count(1)
        n = len(evidence.points)
        holm = f" (Holm over {n})" if n > 1 else ""
        what = "Mean over configurations, paired over problems" if n > 1 else "Paired over problems"
        yield Tile(
            title="Gain of training", value=signed(mean), detail=f"{what}; clear in {clear} of {n}{holm}.", link="passk"
        )
    bought = list(_bought(evidence))
    if bought:
        (what, slope), *more = bought
        others = "".join(f" Per doubling of {other}: {signed(found)}." for other, found in more)
        yield Tile(
            title="What size and data buy",
            value=signed(slope),
            detail=f"pass@1 per doubling of {what}.{others}",
            link="question-size" if what == "model size" else "question-data",
        )
    step = next(next_steps(evidence), None)
    if step is not None:
        command = f" {step.command}" if step.command else ""
        yield Tile(
            title="What to run next",
            value=step.what,
            detail=f"{step.price[:1].upper()}{step.price[1:]}{'.' if step.price else ''}{command}",
            link="decisions",
        )


def _best_first(evidence: Evidence) -> list[tuple[Point, Estimate]]:
    """Configurations with their pass@1, the highest first."""
    scored = [(point, found) for point in evidence.points if (found := pass_at(point, 1)) is not None]
    return sorted(scored, key=lambda pair: -pair[1].value)


def _best_line(evidence: Evidence) -> str:
    """The best configuration with handles of its runs, which every verb accepts; empty: no pass@1 was measured."""
    for best, found in _best_first(evidence)[:1]:
        base, short = pass_at(best, 1, base=True), handles(run.row.run_id for run in evidence.runs)
        over = "" if base is None else f", {plain(base)} before"
        runs = ", ".join(short[run.row.run_id] for run in best.runs)
        return f"best: {name(best)} ({runs}), pass@1 {plain(found)}{over}"
    return ""


def _best(scored: Sequence[tuple[Point, Estimate]]) -> Tile:
    """The highest pass@1, with its lead over the next."""
    (best, found), *others = scored
    lead = step_up(others[0][0], best) if others else None
    said = f"{name(best)}."
    if lead is not None:
        holds = "above 0" if lead.sign > 0 else "not shown to be above 0"
        said += f" Lead over {name(others[0][0])}: {signed(lead)}, {holds}; best of {len(scored)}, so optimistic."
    return Tile(title="Best configuration", value=plain(found), detail=said, link=anchor(best.runs[0]))


def _bought(evidence: Evidence) -> Iterator[tuple[str, Estimate]]:
    """Slopes of the answers, asked or not, with what is doubled."""
    for key, what in (("size", "model size"), ("data", "data")):
        answer = evidence.answers.get(key) or QUESTIONS[key].ask(evidence.selection)
        table = answer.tables.get("overall") if isinstance(answer, Answer) else None
        if table is not None and len(table):
            row = table.iloc[0]
            ends = (row["per_doubling_low"], row["per_doubling_high"])
            low, high = (None if pd.isna(end) else float(end) for end in ends)
            yield what, Estimate(float(row["per_doubling"]), low, high)


def _figure(evidence: Evidence) -> tuple[Asked, str] | None:
    """What is drawn, and its claim: pass@1 against size or compute, or a bar each; without pass@1 curves."""
    points = evidence.points
    if not points:
        return _curves(evidence)
    answer = evidence.answers.get("size")
    said = answer.verdict if isinstance(answer, Answer) and answer.status is not Status.missing else None
    if len({point.size for point in points}) > 1:
        x = Scale(label="parameters without embedding", log=True)
        chart = _against({id(point): float(point.size) for point in points}, evidence, x)
        return chart, said or "pass@1 by model size, base and trained"
    costs = {id(point): cost for point in points if (cost := mean_flops(run.row for run in point.runs))}
    if len(costs) == len(points) and max(costs.values()) > 1.05 * min(costs.values()):
        chart = _against(costs, evidence, Scale(label="training FLOPs of a run", log=True))
        return chart, "pass@1 by training compute, base and trained"
    return _bars(points), "pass@1 of every configuration, base and trained"


def _against(x: dict[int, float], evidence: Evidence, scale: Scale) -> Chart:
    traces: list[Trace] = []
    for base in (True, False):
        for series in evidence.drawn_series:
            own = sorted((point for point in evidence.points if point.series == series), key=lambda point: x[id(point)])
            known = [(x[id(point)], found) for point in own if (found := pass_at(point, 1, base=base)) is not None]
            if not known:
                continue
            label = BASE if base else series
            places, values = zip(*known, strict=True)
            if base and any(trace.label == BASE and trace.x == places for trace in traces):
                continue  # every series of one ladder starts from the same base models
            line = Trace.of(label, label, places, values, Mark.dashed if base else Mark.line)
            if not base:
                line = replace(line, low=(), high=())  # the intervals stand at its points
            traces += [line] if len(known) > 1 else []
            if not base or len(known) == 1:
                traces.append(Trace.of(label, label, places, values, Mark.hollow if base else Mark.point))
    return Chart(title="pass@1 with 95% intervals", x=scale, y=PASS1, traces=tuple(traces))


def _bars(points: Sequence[Point]) -> Forest:
    bars = []
    for point in points[:MOST_BARS]:
        for base in (True, False):
            found = pass_at(point, 1, base=base)
            if found is not None:
                bars.append(Bar.of(f"{name(point)}, {'base model' if base else 'trained'}", found))
    return Forest(title="pass@1 of base and trained model", axis=PASS1, bars=tuple(bars))


def _curves(evidence: Evidence) -> tuple[Asked, str] | None:
    """Validations of the runs with most of them."""
    curves = sorted(validated(evidence.runs), key=lambda pair: -len(pair[1]))
    if not curves:
        return None
    traces = [
        Trace(
            label=run_name(run),
            group=run_name(run),
            mark=Mark.line,
            x=tuple(float(step) for step, _ in points),
            y=tuple(value for _, value in points),
        )
        for run, points in curves[:MOST_LINES]
    ]
    chart = Chart(
        title="accuracy on validation problems",
        x=Scale(label="training step"),
        y=Scale.share("accuracy on validation problems"),
        traces=tuple(traces),
    )
    shown = f" ({len(traces)} of {len(curves)} runs, those with most validations)" if len(curves) > len(traces) else ""
    return chart, f"Accuracy on validation problems during training, run by run{shown}"
