"""What of a plan's weights is here, and how much is still to be fetched."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.host.amounts import number_of, size
from sweeper.inputs.models import absent_weights
from sweeper.inputs.weights import Weights
from sweeper.spec.run import RunSpec

_BYTES = 2  # of a parameter: bfloat16, as nearly all are published; the hub is not asked


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsLook:
    """The weights of a hub model.

    Attributes:
        repository: On the hub.
        revision: Commit; None: the newest.
        is_here: Whether nothing is to be fetched.
        bytes_to_fetch: At two bytes a parameter, less what an interrupted fetch left; 0 of what is here.
    """

    repository: str
    revision: str | None
    is_here: bool
    bytes_to_fetch: int


def looks(specs: Sequence[RunSpec], results_dir: Path) -> list[WeightsLook]:
    """The different weights of some runs, in their order; none for models that are not the hub's."""
    found: dict[Weights, WeightsLook] = {}
    for model in {id(spec.model): spec.model for spec in specs}.values():
        weights = Weights.of(model, results_dir)
        if weights is None or (weights in found and not found[weights].is_here):
            continue
        is_here = absent_weights(model, results_dir) is None
        found[weights] = WeightsLook(
            repository=weights.repository,
            revision=weights.revision,
            is_here=is_here,
            bytes_to_fetch=0 if is_here else max(0, _BYTES * model.architecture.n_params - weights.bytes_here),
        )
    return list(found.values())


def look_lines(found: Sequence[WeightsLook], results_dir: Path) -> list[str]:
    """For a person; nothing where no model is the hub's."""
    absent = [look for look in found if not look.is_here]
    if not absent:
        return [f"weights: all {len(found)} are here"] if found else []
    there = next(path for path in (results_dir, *results_dir.parents) if path.exists())
    needed = sum(look.bytes_to_fetch for look in absent)
    full = "  MORE THAN IS FREE" if needed > shutil.disk_usage(there).free else ""
    names = ", ".join(look.repository for look in absent[:3]) + (", ..." if absent[3:] else "")
    what = f"about {size(needed)} to fetch for {number_of(len(absent), 'model')} of {len(found)} ({names}){full}"
    return [f"weights: {what}"]
