"""How the slope of the learning curve depends on size: each size's own slope beside k(N) of the common law."""

import numpy as np

from analysis.drawing.answer import Chart, Guide, Mark, Panels, Scale, Trace
from analysis.drawing.answer_figures import draw
from analysis.drawing.page import Section
from analysis.laws.estimate import Status
from analysis.laws.inference import AT_LEAST, LOWER_BOUND, Inference
from analysis.laws.sample import Floats
from analysis.passk.estimate import Estimate
from analysis.report.evidence import Evidence
from analysis.row_laws.curve_law import CurveLaw
from analysis.runs.checkpoints import Axis

TITLE = "Does a larger model learn faster? The slope k(N)"
COMMON, OWN = "k(N) of the common law, 95% band", "a size by itself, 95% interval"
BELOW, BEYOND = 1.5, 3.0  # k(N) is drawn from and to these multiples of the sizes


def section(evidence: Evidence) -> Section:
    """One panel per common law."""
    laws = [(law, law.joint) for law in evidence.curve_laws if isinstance(law.joint, Inference)]
    laws = [(law, joint) for law, joint in laws if law.axis is Axis.compute] or laws
    if not laws:
        reason = next((law.joint for law in evidence.curve_laws if isinstance(law.joint, str)), "no learning curves")
        return Section(anchor="slopes", title=TITLE, missing=(f"k(N) was not fitted: {reason}.",))
    lead = [
        "Against data instead of compute the slopes are nearly the same, because within a size a response costs about "
        "the same FLOPs; the parameters above hold both.",
        *(_sentence(law, joint) for law, joint in laws),
    ]
    panels = Panels(title="slope against model size", charts=tuple(_chart(law, joint) for law, joint in laws))
    return Section(anchor="slopes", title=TITLE, lead=tuple(lead), figures=(draw(panels, name="slopes"),))


def _sentence(law: CurveLaw, joint: Inference) -> str:
    found = {item.name: item for item in joint.estimates}
    k_max, n0 = found["K_max"], found["N0"]
    start = f"{law.series}, against {law.axis.name}: "
    if k_max.status is Status.ok and n0.status is Status.ok and n0.value is not None and k_max.value is not None:
        reach = law.sizes[-1] / n0.value
        k_ends, n_ends = (f" {item.interval.text(3)}" if item.interval else "" for item in (k_max, n0))
        label = f" Intervals are 95%, a {AT_LEAST}: one run per size." if LOWER_BOUND in joint.flags else ""
        return start + (
            f"the slope saturates at K_max = {k_max.value:.3f}{k_ends}; half of it at N0 = {n0.value:.3g}"
            f"{n_ends} parameters. The largest model here has {1 / (1 + 1 / reach):.0%} of the limit.{label}"
        )
    weak = " and ".join(f"{item.name} is {item.status}" for item in (k_max, n0) if item.status is not Status.ok)
    return start + f"saturation cannot be told from these sizes ({weak})."


def _chart(law: CurveLaw, joint: Inference) -> Chart:
    first, last = float(law.sizes[0]), float(law.sizes[-1])
    inside = np.union1d(np.geomspace(first, last, 30), law.sizes)
    own = {size: found for size in law.sizes if (found := _own(law, size)) is not None}
    traces = [
        _saturating(joint, inside, Mark.line),
        _saturating(joint, np.geomspace(first / BELOW, first, 5), Mark.dashed),
        _saturating(joint, np.geomspace(last, last * BEYOND, 10), Mark.dashed),
        Trace(
            label=OWN,
            group=OWN,
            mark=Mark.point,
            x=tuple(map(float, own)),
            y=tuple(found.value for found in own.values()),
            low=tuple(found.low for found in own.values()),
            high=tuple(found.high for found in own.values()),
        ),
    ]
    return Chart(
        title=f"{law.series}, against {law.axis.name}",
        x=Scale(label="model size (parameters without embedding)", log=True),
        y=Scale(label="slope k: decades of error per decade"),
        traces=tuple(trace for trace in traces if trace.x),
        guides=(Guide(axis="y", value=0.0, label="no slope"),),
    )


def _saturating(joint: Inference, grid: Floats, mark: Mark) -> Trace:
    """k(N) with its band by the delta method on (ln N0, K_max)."""
    natural = joint.fit.natural
    n0, k_max = natural["N0"], natural["K_max"]
    share = 1 / (1 + n0 / grid)
    middle = k_max * share
    low, high = (), ()
    if joint.spread is not None:
        slope = np.stack([-k_max * share * (1 - share), share], axis=1)
        half = joint.quantile * np.sqrt(np.einsum("np,pq,nq->n", slope, joint.spread[:2, :2], slope))
        low, high = tuple((middle - half).tolist()), tuple((middle + half).tolist())
    places = tuple(map(float, grid))
    return Trace(label=COMMON, group=COMMON, mark=mark, x=places, y=tuple(middle.tolist()), low=low, high=high)


def _own(law: CurveLaw, size: int) -> Estimate | None:
    found = law.own[size]
    if not isinstance(found, Inference):
        return None
    alpha = next(item for item in found.estimates if item.name == "alpha")
    if alpha.value is None:
        return None
    ends = alpha.interval
    return Estimate(alpha.value, ends.low if ends else None, ends.high if ends else None)
