"""What other programs call the metrics that a curve has a place for, and in which unit."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from analysis.imports.history import History, Metrics
from sweeper.host.errors import ResultsError
from sweeper.rows.curve import TRAINED, is_accuracy, is_read

# The same quantity under another name: of earlier versions of verl, and of TRL's GRPO trainer.
_VERL = {"timing_s/step": "perf/time_per_step", "actor/entropy_loss": "actor/entropy"}
_TRL = {
    "reward": TRAINED,
    "kl": "actor/kl_loss",
    "entropy": "actor/entropy",
    "grad_norm": "actor/grad_norm",
    "completion_length": "response_length/mean",
    "completions/mean_length": "response_length/mean",
    "completions/clipped_ratio": "response_length/clip_ratio",
    "clip_ratio": "actor/pg_clipfrac",
    "clip_ratio/region_mean": "actor/pg_clipfrac",
    "step_time": "perf/time_per_step",
}
_LIKELY = re.compile(r"acc|reward|score|pass@|solve", re.IGNORECASE)
_FEW = 6
FAR = 10.0  # between shares and values above 1 that are no percentages of the same curve


def verls_name(name: str, *, trainer: bool = False) -> str:
    """What verl calls a metric; the name itself where nothing is known. `trainer`: a log of transformers or TRL."""
    own = name.removeprefix("train/")
    return _TRL.get(own, name) if trainer or own != name else _VERL.get(name, name)


def is_known(name: str) -> bool:
    """Whether a curve has a place for a metric of verl's."""
    return is_read(name)


def in_our_terms(history: History, renamed: Mapping[str, str]) -> History:
    """A history under verl's names and with accuracies from 0 to 1; what was changed or has no place is said.

    Raises:
        ResultsError: it holds no metric that a curve has a place for, or values that are no accuracies.
    """
    there = Counter(name for _, values in history.steps for name in values)
    said = dict(history.said)
    trainer = history.kind == "trainer log"
    names = {name: renamed.get(name) or verls_name(name, trainer=trainer) for name in there}
    for name, ours in list(names.items()):  # one that is there under verl's own name is left alone
        if ours != name and (ours in there or list(names.values()).count(ours) > 1) and name not in renamed:
            names[name] = name
    taken = [f"{name} as {ours}" for name, ours in names.items() if ours != name]
    if taken:
        said["names"] = f"read {', '.join(taken)}"
    unread = [name for name in there if not is_known(names[name])]
    if unread:
        values = sum(there[name] for name in unread)
        said["metrics"] = f"{values} values of {len(unread)} metrics have no place in a row: {_few(unread)}; see --csv"
    if len(unread) == len(there) and there:
        likely = [name for name in unread if _LIKELY.search(name)]
        raise ResultsError(
            f"{history.name}: a row has a place for none of its metrics ({_few(unread)}); say what one measures: "
            f"--map '{(likely or unread)[0]}=val-core/all/acc/mean@1' if it is the accuracy on validation problems, "
            f"={TRAINED} if it is the mean training reward"
        )
    shown = [(step, {names[name]: value for name, value in values.items()}) for step, values in history.steps]
    steps, units = _shares(history.name, shown)
    return replace(history, steps=tuple(steps), said=said | units)


def _shares(name: str, steps: list[tuple[int, Metrics]]) -> tuple[list[tuple[int, Metrics]], dict[str, str]]:
    """Accuracies in percent as shares; what was divided."""
    found = [value for _, values in steps for metric, value in values.items() if is_accuracy(metric)]
    above, inside = [value for value in found if value > 1], [value for value in found if 0 < value <= 1]
    if found and (min(found) < 0 or max(found) > 100):
        raise ResultsError(f"{name}: an accuracy of {min(found) if min(found) < 0 else max(found):g} is none (0 to 1)")
    if not above:
        return steps, {}
    if inside and min(above) / max(inside) >= FAR:
        raise ResultsError(
            f"{name}: {len(above)} accuracies are above 1 and {len(inside)} at most {max(inside):g}: percent among "
            "fractions? divide those by 100"
        )
    scaled = [
        (step, {metric: value / 100 if is_accuracy(metric) else value for metric, value in values.items()})
        for step, values in steps
    ]
    return scaled, {"units": f"{len(found)} accuracies are percentages (up to {max(found):g}), divided by 100"}


def _few(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:_FEW]) + (f" and {len(found) - _FEW} more" if len(found) > _FEW else "")
