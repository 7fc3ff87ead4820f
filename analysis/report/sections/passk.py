"""pass@k of base and trained models, their paired difference, and where the base model overtakes."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analysis.drawing.axes import k_axis
from analysis.drawing.page import DASH, Figure, Key, Line, Section, Table, columns
from analysis.drawing.style import NEUTRAL, series_keys
from analysis.drawing.svg import inline_svg, new_panel, style
from analysis.estimates.numerals import plain, short, signed
from analysis.estimates.points import gain, pass_at, value_at
from analysis.passk.crossover import Crossover, crossover
from analysis.passk.estimate import NONE
from analysis.passk.paired import pair
from analysis.passk.sample import Sample
from analysis.report.evidence import Evidence
from analysis.runs.selection import Counts, Point

TITLE = "pass@k of base and trained models"
DRAWS = 2000  # of problems, for the crossover


def section(evidence: Evidence) -> Section:
    """Curves and differences a model, the crossovers, and everything by domain."""
    if not evidence.ks:
        return Section(anchor="passk", title=TITLE, missing=("No pass@k was measured.",))
    frame = pass_at_k_table(evidence.points, evidence.ks)
    lead = (
        "Chance that at least one of k samples is correct. Bands are 95% intervals over problems, and over seeds where "
        "there are several. Where a difference falls below zero, the base model with k samples reaches more problems "
        "than the trained one: training narrowed what the model can do.",
        *evidence.not_drawn,
    )
    crossings, missing = _crossings(evidence)
    return Section(
        anchor="passk",
        title=TITLE,
        lead=lead,
        figures=(_figure(evidence, frame),),
        tables=(*crossings, _domain_table(evidence)),
        missing=missing,
        files={"pass_at_k": frame},
    )


def pass_at_k_table(points: Sequence[Point], ks: Sequence[int]) -> pd.DataFrame:
    """One line a point, domain and k: base, trained and paired gain with 95% intervals."""
    records = []
    for point in points:
        for domain in domains_of(point):
            score = point.row.score(domain)
            for k in ks:
                record: dict[str, object] = {
                    "model": point.row.model,
                    "n_params_non_embedding": point.size,
                    "series": point.series,
                    "group_id": point.row.group_id,
                    "seeds": len(point.runs),
                    "domain": domain,
                    "n_problems": score.n_problems if score else None,
                    "n_samples": score.n_samples if score else None,
                    "k": k,
                }
                for name, found in (
                    ("base", pass_at(point, k, base=True, domain=domain)),
                    ("trained", pass_at(point, k, domain=domain)),
                    ("gain", gain(point, k, domain=domain)),
                ):
                    value, low, high = found or NONE
                    record |= {name: value, f"{name}_low": low, f"{name}_high": high}
                records.append(record)
    return pd.DataFrame(records)


def domains_of(point: Point) -> list[str]:
    """The whole suite ("all"), then the domains the point was measured on."""
    names = sorted({score.domain for run in point.runs for score in run.row.trained} - {"all"})
    return ["all", *names]


def _figure(evidence: Evidence, frame: pd.DataFrame) -> Figure:
    whole = frame[(frame["domain"] == "all") & frame["series"].isin(evidence.drawn_series)]
    panels = []
    ends = whole[["gain", "gain_low", "gain_high"]].astype(float).to_numpy()
    lowest, highest = float(np.nanmin(ends, initial=0.0)), float(np.nanmax(ends, initial=0.0))
    for i, (size, model) in enumerate(dict.fromkeys((point.size, point.row.model) for point in evidence.points)):
        own = whole[whole["model"] == model]
        name = f"pass-at-k-{i}"
        with style(name):
            figure, axes = new_panel(f"{model} ({short(size)}): pass@k")
            drawn: set[tuple[float, ...]] = set()
            for _, line in _groups(own):
                base = tuple(line["base"])
                if base not in drawn and line["base"].notna().any():
                    drawn.add(base)
                    _band(axes, line, "base", NEUTRAL, dashed=True, marker=None)
            for series, line in _groups(own):
                look = evidence.looks[series]
                _band(axes, line, "trained", look.colour, dashed=False, marker=look.marker)
            k_axis(axes, evidence.ks)
            axes.set_ylim(0, 1.02)
            axes.set_ylabel("pass@k")
            panels.append(inline_svg(figure, name=name, description=f"pass@k of {model}, base and trained"))
        if own["gain"].isna().all():
            continue
        name = f"pass-gain-{i}"
        with style(name):
            figure, axes = new_panel(f"{model}: trained minus base, paired")
            axes.axhline(0, color=NEUTRAL, linewidth=1)
            for series, line in _groups(own):
                look = evidence.looks[series]
                _band(axes, line, "gain", look.colour, dashed=False, marker=look.marker)
            k_axis(axes, evidence.ks)
            pad = 0.05 * (highest - lowest or 1)
            axes.set_ylim(lowest - pad, highest + pad)
            axes.set_ylabel("difference of pass@k")
            panels.append(inline_svg(figure, name=name, description=f"paired difference of pass@k of {model}"))
    looks = {name: evidence.looks[name] for name in evidence.drawn_series}
    base_key = Key(label="base model", colour=NEUTRAL, dashed=True, line=True)
    keys = (base_key, *series_keys(looks, marker=True, line=True))
    return Figure(name="pass_at_k_curves", keys=keys, panels=tuple(panels), data=whole)


def _groups(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Points in their order: (series, one line a k)."""
    for (series, _, _), line in frame.groupby(["series", "group_id", "n_problems"], sort=False):
        yield str(series), line


def _band(axes: Axes, line: pd.DataFrame, name: str, colour: str, *, dashed: bool, marker: str | None) -> None:
    known = line[line[name].notna()]
    whole = known[known[f"{name}_low"].notna()]
    if len(whole):
        low, high = whole[f"{name}_low"].astype(float), whole[f"{name}_high"].astype(float)
        axes.fill_between(whole["k"], low, high, color=colour, alpha=0.13, linewidth=0)
    axes.plot(
        known["k"],
        known[name],
        color=colour,
        linestyle="--" if dashed else "-",
        marker=marker,
        markersize=4,
        linewidth=1.6,
    )


def _crossings(evidence: Evidence) -> tuple[tuple[Table, ...], tuple[str, ...]]:
    """Where the base model overtakes, of every point whose base and trained model answered the same problems."""
    lines, records = [], []
    for point in evidence.points:
        found = _crossover(point, evidence.ks)
        if found is None:
            continue
        lines.append(Line(cells=(point.row.model, point.series, *_crossover_cells(found))))
        records.append(
            {
                "model": point.row.model,
                "series": point.series,
                "group_id": point.row.group_id,
                "k": found.k,
                "k_low": found.low,
                "k_high": found.high,
                "largest_k": found.largest_k,
                "probability_none": found.probability_none,
                "verdict": found.verdict,
            }
        )
    if not lines:
        return (), ("No crossover: it needs counts of base and trained model on the same problems.",)
    table = Table(
        name="crossover",
        caption="From which k the base model is ahead; the interval resamples problems, base and trained together.",
        columns=columns(
            "model",
            evidence.varying,
            "base model ahead from k",
            "95% interval",
            "probability that there is none",
            "verdict",
            numbers=("probability that there is none",),
        ),
        lines=tuple(lines),
        data=pd.DataFrame(records),
        folded=len(lines) > 24,
    )
    return (table,), ()


def _crossover(point: Point, ks: Sequence[int]) -> Crossover | None:
    if not point.paired:
        return None
    base = Sample.of(_lines([run.base for run in point.runs]))
    trained = Sample.of(_lines([run.trained for run in point.runs]))
    return crossover(pair(base, trained, ks, draws=DRAWS))


def _lines(counts: Sequence[Counts | None]) -> list[tuple[str, int, int]]:
    return [line for item in counts if item for line in zip(item.problem_ids, item.n, item.c, strict=True)]


def _crossover_cells(found: Crossover) -> tuple[str, str, str, str]:
    low = "below 1" if found.low is None else f"{found.low:.3g}"
    high = f"beyond {found.largest_k}" if found.high is None else f"{found.high:.3g}"
    if found.low is not None and found.low >= found.largest_k:
        interval = f"beyond {found.largest_k}"
    else:
        interval = f"{low} to {high}"
    value = f"{found.k:.3g}" if found.k is not None else found.reason or DASH
    return value, interval, f"{found.probability_none:.2f}", found.verdict


def _domain_table(evidence: Evidence) -> Table:
    ks = evidence.table_ks
    lines, records = [], []
    for point in evidence.points:
        for domain in domains_of(point):
            score = point.row.score(domain)
            before, after = pass_at(point, 1, base=True, domain=domain), pass_at(point, 1, domain=domain)
            improvement = gain(point, domain=domain)
            more = [(value_at(point, k, base=True, domain=domain), value_at(point, k, domain=domain)) for k in ks]
            cells = (
                point.row.model,
                point.series,
                str(len(point.runs)),
                domain,
                str(score.n_problems) if score else DASH,
                plain(before) if before else DASH,
                plain(after) if after else DASH,
                signed(improvement) if improvement else DASH,
                *(" → ".join(DASH if value is None else f"{value:.3f}" for value in pair_of) for pair_of in more),
            )
            lines.append(Line(cells=cells, strong=domain == "all"))
            records.append(
                {
                    "model": point.row.model,
                    "series": point.series,
                    "group_id": point.row.group_id,
                    "seeds": len(point.runs),
                    "domain": domain,
                    "n_problems": score.n_problems if score else None,
                    "base": (before or NONE).value,
                    "trained": (after or NONE).value,
                    "gain": (improvement or NONE).value,
                    "gain_low": (improvement or NONE).low,
                    "gain_high": (improvement or NONE).high,
                }
            )
    return Table(
        name="domains",
        caption="By domain, with 95% intervals; pass@k as base → trained.",
        columns=columns(
            "model",
            evidence.varying,
            "seeds",
            "domain",
            "problems",
            "base pass@1",
            "trained pass@1",
            "paired gain",
            *(f"pass@{k}" for k in ks),
            numbers=("seeds", "problems"),
        ),
        lines=tuple(lines),
        data=pd.DataFrame(records),
        folded=len(lines) > 12,
    )
