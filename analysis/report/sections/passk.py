"""pass@k of base and trained models, whole and by domain; their difference at each k is the answer on stability."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from analysis.drawing.answer import Chart, Mark, Panels, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.frame_table import frame_table
from analysis.drawing.page import Section, Table
from analysis.estimates.numerals import short
from analysis.estimates.points import all_ks, gain, pass_at, value_at
from analysis.passk.estimate import NONE
from analysis.report.evidence import Evidence
from analysis.report.sections import passk_along
from analysis.runs.selection import Point

TITLE = "pass@k of base and trained models"
BASE = "base model"


def section(evidence: Evidence) -> Section:
    """Curves per model, and everything by domain."""
    ks = all_ks(evidence.points)
    if not ks:
        return Section(anchor="passk", title=TITLE, missing=("No pass@k was measured.",))
    frame = pass_at_k_table(evidence.points, ks)
    seeds = sorted({len(point.runs) for point in evidence.points})
    counts = " or ".join(str(count) for count in seeds)
    lead = (
        "Chance that at least one of k samples is correct. Bands are 95% intervals over problems, and over "
        "seeds where there are several; the gain pairs base and trained model on the same problems. "
        f"Each line is the mean of {counts} training seed"
        f"{'' if seeds == [1] else 's'}{': the spread between seeds is not known' if seeds == [1] else ''}. Where the "
        "base model with k samples reaches more problems than the trained one, training narrowed what the model can "
        "do: `python -m analysis ask stability` has the difference at each k and from which k the base model is ahead.",
        *evidence.not_drawn,
    )
    panels = _panels(evidence, frame)
    section = Section(
        anchor="passk",
        title=TITLE,
        lead=lead,
        figures=(draw(panels, name="pass_at_k_curves"),) if panels.charts else (),
        tables=(_domain_table(evidence),),
        files={"pass_at_k": frame},
    )
    return passk_along.added(section, evidence)


def pass_at_k_table(points: Sequence[Point], ks: Sequence[int]) -> pd.DataFrame:
    """One line per point, domain and k: base, trained and paired gain with 95% intervals."""
    return pd.DataFrame([_record(point, domain, k) for point in points for domain in domains_of(point) for k in ks])


def _record(point: Point, domain: str, k: int) -> dict[str, object]:
    score = point.row.score(domain)
    return {
        "model": point.row.model,
        "n_params_non_embedding": point.size,
        "series": point.series,
        "group_id": point.row.group_id,
        "seeds": len(point.runs),
        "domain": domain,
        "n_problems": score.n_problems if score else None,
        "n_samples": score.n_samples if score else None,
        "k": k,
        **(pass_at(point, k, base=True, domain=domain) or NONE).columns("base", "base_"),
        **(pass_at(point, k, domain=domain) or NONE).columns("trained", "trained_"),
        **(gain(point, k, domain=domain) or NONE).columns("gain", "gain_"),
    }


def domains_of(point: Point) -> list[str]:
    """The whole suite ("all"), then the domains the point was measured on."""
    names = sorted({score.domain for run in point.runs for score in run.row.trained} - {"all"})
    return ["all", *names]


def _panels(evidence: Evidence, frame: pd.DataFrame) -> Panels:
    whole = frame[(frame["domain"] == "all") & frame["series"].isin(evidence.drawn_series)]
    charts = []
    for size, model in dict.fromkeys((point.size, point.row.model) for point in evidence.points):
        own = whole[whole["model"] == model]
        lines = own.groupby(["series", "group_id", "n_problems"], sort=False)
        bases = {tuple(line["base"]): line for _, line in lines if line["base"].notna().any()}  # equal ones once
        traces = [_trace(line, "base", BASE, Mark.dashed) for line in bases.values()]
        for (series, *_), line in lines:
            trace = _trace(line, "trained", str(series), Mark.line)
            traces += [trace, replace(trace, mark=Mark.point, low=(), high=())]
        x, y = Scale(label="k (samples per problem)", log=True), Scale.share("pass@k")
        if traces:  # a model's series may all be among those that are not drawn
            charts.append(Chart(title=f"{model} ({short(size)})", x=x, y=y, traces=tuple(traces)))
    return Panels(title="pass@k by model", charts=tuple(charts))


def _trace(line: pd.DataFrame, column: str, name: str, mark: Mark) -> Trace:
    """A line with its band."""
    known = line[line[column].notna()]
    low, high = (
        tuple(None if pd.isna(end) else float(end) for end in known[f"{column}_{side}"]) for side in ("low", "high")
    )
    x, y = tuple(known["k"].astype(float)), tuple(known[column].astype(float))
    return Trace(label=name, group=name, mark=mark, x=x, y=y, low=low, high=high)


def _domain_table(evidence: Evidence) -> Table:
    frame = pass_at_k_table(evidence.points, [1]).drop(columns="k")
    for k in evidence.table_ks:
        for side, base in (("base_", True), ("", False)):
            frame[f"{side}pass@{k}"] = [
                value_at(point, k, base=base, domain=domain)
                for point in evidence.points
                for domain in domains_of(point)
            ]
    titles = {"model": "Model", "series": evidence.varying, "seeds": "Seeds", "domain": "Domain"}
    titles |= {"n_problems": "Problems", "base": "Base pass@1", "trained": "Trained pass@1", "gain": "Paired gain"}
    ks = [f"{side}pass@{k}" for k in evidence.table_ks for side in ("base_", "")]
    return frame_table(
        frame,
        name="domains",
        caption="By domain, with 95% intervals.",
        titles=titles | {name: name.replace("_", " ") for name in ks},
        forms={"base": ".3f", "trained": ".3f", "gain": "+.3f"} | dict.fromkeys(ks, ".3f"),
        strong=(frame["domain"] == "all").tolist(),
    )
