"""How the slope of the learning curve depends on size: each size's own slope beside k(N) of the common law."""

import numpy as np
import pandas as pd

from analysis.drawing.axes import mark, size_axis
from analysis.drawing.page import Figure, Key, Section
from analysis.drawing.style import NEUTRAL
from analysis.drawing.svg import inline_svg, new_panel, style
from analysis.laws.inference import AT_LEAST, LOWER_BOUND, Inference, Status
from analysis.laws.sample import Floats
from analysis.passk.estimate import Estimate
from analysis.report.evidence import Evidence
from analysis.report.sections.curves import LABELS
from analysis.row_laws.curve_law import CurveLaw
from analysis.runs.checkpoints import Axis

TITLE = "Does a larger model learn faster? The slope k(N)"


def section(evidence: Evidence) -> Section:
    """A panel a common law."""
    laws = [law for law in evidence.curve_laws if isinstance(law.joint, Inference)]
    laws = [law for law in laws if law.axis is Axis.compute] or laws
    if not laws:
        reason = next((law.joint for law in evidence.curve_laws if isinstance(law.joint, str)), "no learning curves")
        return Section(anchor="slopes", title=TITLE, missing=(f"k(N) was not fitted: {reason}.",))
    panels, records = [], []
    lead = [
        "Against data instead of compute the slopes are nearly the same, because within a size a response costs about "
        "the same FLOPs; the parameters above hold both."
    ]
    for i, law in enumerate(laws):
        name = f"slope-{i}"
        with style(name):
            figure, axes = new_panel(f"{law.series}: slope against {law.axis.name}")
            grid = np.geomspace(law.sizes[0] / 1.5, law.sizes[-1] * 3, 50)
            middle, low, high = _saturating(law, grid)
            inside = (grid >= law.sizes[0]) & (grid <= law.sizes[-1])
            axes.plot(grid, middle, color=NEUTRAL, linestyle="--", linewidth=1.4)
            axes.plot(grid[inside], middle[inside], color=NEUTRAL, linewidth=1.8)
            if low is not None and high is not None:
                axes.fill_between(grid, low, high, color=NEUTRAL, alpha=0.15, linewidth=0)
            for size in law.sizes:
                own = _own(law, size)
                if own is not None:
                    mark(axes, size, own, **evidence.size_looks[size]._asdict())
                records.append(_record(law, size, own))
            axes.axhline(0, color=NEUTRAL, linewidth=0.8)
            size_axis(axes, law.sizes)
            axes.set_xlim(law.sizes[0] / 1.5, law.sizes[-1] * 3)
            axes.set_ylabel("slope k: decades of error per decade")
            panels.append(inline_svg(figure, name=name, description=f"slope against size, {LABELS[law.axis]}"))
        lead.append(_sentence(law))
    keys = (
        Key(label="k(N) of the common law, 95% band", colour=NEUTRAL, line=True),
        Key(label="a size by itself, 95% interval", colour="#222222", marker="o"),
    )
    figure_of = Figure(name="slopes", keys=keys, panels=tuple(panels), data=pd.DataFrame(records))
    return Section(anchor="slopes", title=TITLE, lead=tuple(lead), figures=(figure_of,))


def _sentence(law: CurveLaw) -> str:
    if not isinstance(law.joint, Inference):
        return ""
    found = {item.name: item for item in law.joint.estimates}
    k_max, n0 = found["K_max"], found["N0"]
    start = f"{law.series}, against {law.axis.name}: "
    if k_max.status is Status.ok and n0.status is Status.ok and n0.value is not None and k_max.value is not None:
        reach = law.sizes[-1] / n0.value
        k_ends, n_ends = (f" {item.interval.text(3)}" if item.interval else "" for item in (k_max, n0))
        label = f" Intervals are 95%, a {AT_LEAST}: one run a size." if LOWER_BOUND in law.joint.flags else ""
        return start + (
            f"the slope saturates at K_max = {k_max.value:.3f}{k_ends}; half of it at N0 = {n0.value:.3g}"
            f"{n_ends} parameters. The largest model here has {1 / (1 + 1 / reach):.0%} of the limit.{label}"
        )
    weak = " and ".join(f"{item.name} is {item.status}" for item in (k_max, n0) if item.status is not Status.ok)
    return start + f"saturation cannot be told from these sizes ({weak})."


def _saturating(law: CurveLaw, grid: Floats) -> tuple[Floats, Floats | None, Floats | None]:
    """k(N) with its band by the delta method on (ln N0, K_max)."""
    if not isinstance(law.joint, Inference):
        raise TypeError(f"{law.series} has no joint law")
    natural = law.joint.fit.natural
    n0, k_max = natural["N0"], natural["K_max"]
    share = 1 / (1 + n0 / grid)
    middle = k_max * share
    spread = law.joint.spread
    if spread is None:
        return middle, None, None
    slope = np.stack([-k_max * share * (1 - share), share], axis=1)
    half = law.joint.quantile * np.sqrt(np.einsum("np,pq,nq->n", slope, spread[:2, :2], slope))
    top = 4 * max(float(middle.max()), 1e-3)
    return middle, np.clip(middle - half, -top, top), np.clip(middle + half, -top, top)


def _own(law: CurveLaw, size: int) -> Estimate | None:
    found = law.own[size]
    if not isinstance(found, Inference):
        return None
    alpha = next(item for item in found.estimates if item.name == "alpha")
    if alpha.value is None:
        return None
    ends = alpha.interval
    return Estimate(alpha.value, ends.low if ends else None, ends.high if ends else None)


def _record(law: CurveLaw, size: int, own: Estimate | None) -> dict[str, object]:
    middle, low, high = _saturating(law, np.array([float(size)]))
    return {
        "axis": law.axis.name,
        "series": law.series,
        "n_params_non_embedding": size,
        "own_slope": own.value if own else None,
        "own_low": own.low if own else None,
        "own_high": own.high if own else None,
        "k": float(middle[0]),
        "k_low": None if low is None else float(low[0]),
        "k_high": None if high is None else float(high[0]),
    }
