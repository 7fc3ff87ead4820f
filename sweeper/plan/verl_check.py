"""Whether verl accepts what a plan would run, before anything is queued.

Runs that differ only in numbers and paths have the same shape and are checked once; what was accepted is remembered for
all results folders (`verl_verdict.accepted`).
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from sweeper.host.files import write_atomic
from sweeper.host.machine import resolve_device
from sweeper.plan.verl_verdict import Asker
from sweeper.spec.digest import digest_of
from sweeper.spec.dotted import render
from sweeper.spec.run import PARTS, VERL_VERSION, RunSpec
from sweeper.training.overrides import OWN_REWARDS, Files, verl_overrides

NOWHERE = Path("/unused")  # stands for every path: verl's config is checked, not its files
_FILES = Files(
    model=NOWHERE, train=NOWHERE, val=NOWHERE, checkpoints=NOWHERE, validations=NOWHERE, rewards=NOWHERE, hydra=NOWHERE
)


def check_plan(specs: Sequence[RunSpec], cache: Path, asker: Asker) -> dict[str, str]:
    """Check every distinct shape among `specs` that is not in `cache`, the folder of accepted ones.

    Returns:
        Reason by run id, for the runs that verl refuses.

    Raises:
        VerlMissingError: verl cannot be imported here.
        ConfigError: the check itself could not run.
    """
    shapes: dict[str, tuple[tuple[str, ...], list[RunSpec]]] = {}
    alike: dict[tuple[int, ...], str] = {}  # digest of runs that differ in their seed alone
    for spec in specs:
        key = tuple(id(getattr(spec, name)) for name in PARTS)
        if key not in alike:
            overrides = expected_overrides(spec)
            alike[key] = _shape(spec, overrides)
            shapes.setdefault(alike[key], (overrides, []))
        shapes[alike[key]][1].append(spec)
    unknown = {digest: shapes[digest][0] for digest in shapes if not (cache / f"{digest}.ok").exists()}
    if not unknown:
        return {}
    found = asker.ask(unknown)
    with contextlib.suppress(OSError):  # a home that cannot be written to: asked again the next time
        for digest in (digest for digest, text in found.items() if text is None):
            write_atomic(cache / f"{digest}.ok", "\n".join(unknown[digest]) + "\n")
    return {spec.run_id: text + _given(spec) for digest, text in found.items() if text for spec in shapes[digest][1]}


def _given(spec: RunSpec) -> str:
    """The verl keys of the user, which may be to blame."""
    keys = " ".join(f"verl.{key}={render(value)}" for key, value in spec.verl_keys.items())
    return f" (with {keys})" if keys else ""


def expected_overrides(spec: RunSpec) -> tuple[str, ...]:
    """The overrides a run will get, with placeholders for its paths."""
    device = resolve_device(spec.cluster.device)
    return verl_overrides(spec, _FILES, device)


def _shape(spec: RunSpec, overrides: Sequence[str]) -> str:
    """Digest of what verl's checks can depend on: keys, words and kinds of numbers, and the sizes of batches."""
    parts = []
    for item in overrides:
        key, _, value = item.partition("=")
        if key in ("trainer.experiment_name", "trainer.project_name", f"++{OWN_REWARDS}"):
            continue
        parts.append([key, _kind(value)])
    resources = spec.model.resources
    batch = [spec.training.train_batch_size, spec.training.ppo_mini_batch_size, spec.algorithm.rollout_n]
    batch += [resources.nodes, resources.gpus_per_node, resources.tensor_parallel, resources.sequence_parallel]
    # User keys are few and can be anything: their values count.
    return digest_of([VERL_VERSION, parts, batch, spec.verl_keys])


def _kind(value: str) -> str:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            kind(value)
            return kind.__name__
    return value
