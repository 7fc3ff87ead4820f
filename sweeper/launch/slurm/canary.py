"""One run of a shape goes first; the others are held until it has taken its first training step.

What all points of a grid have in common (an image, a partition, a memory setting) then fails once. The canary's own
batch script releases the others, so nothing depends on the submitter: it looks for a training step in the metrics and
for the arrays that name the run as their canary. A launch and `--wait` release what it could not.

    slurm/<chunk>.json      "canary": the run that this array waits for
    slurm/<chunk>.released  SLURM was told to let it go, or it was never held
"""

import shlex
from collections.abc import Collection, Sequence
from operator import itemgetter
from pathlib import Path

from rewards.bounded_file import lines
from sweeper.host.json_lines import MOST_BYTES
from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.array import Chunk, chunks, folder, in_json
from sweeper.launch.slurm.scheduler import SchedulerError
from sweeper.launch.slurm.shape import Shape
from sweeper.rows.curve import TRAINED
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId

FIRST_SECONDS, MOST_SECONDS = 5, 60  # between two looks of the canary's script, which looks ever more seldom
_TRAINED = f'"{TRAINED}"'  # as it stands in metrics.jsonl


def choose(
    results_dir: Path, known: Sequence[Chunk], shape: Shape, members: Sequence[RunSpec], alive: Collection[RunId]
) -> RunId | None:
    """The run that goes first: one that arrays of this shape wait for already, else that of the fewest steps.

    A canary counts if it is `alive` or among the `members`, which are submitted now: one that failed for good lets
    nobody go. None: nothing needs to wait, because the run is alone or a canary of this shape has taken its step.
    """
    wanted = in_json(shape)
    canaries = sorted({chunk.canary for chunk in known if chunk.canary is not None and chunk.shape == wanted})
    if any(trained(results_dir, run_id) for run_id in canaries):
        return None
    due = [*alive, *(spec.run_id for spec in members)]
    if going := [run_id for run_id in canaries if run_id in due]:
        return going[0]
    return min(members, key=lambda spec: spec.total_steps).run_id if len(members) > 1 else None


def trained(results_dir: Path, run_id: RunId) -> bool:
    """Whether a run has taken a training step, in any attempt."""
    attempts = RunDir(results_dir=results_dir, run_id=run_id).attempts()
    found = (item.metrics for item in attempts if item.metrics.exists())
    return any(_TRAINED.encode() in line for path in found for line in lines(path, at_most=MOST_BYTES))


def waiting(results_dir: Path, known: Sequence[Chunk]) -> dict[RunId, RunId]:
    """The canary of each run of `known` arrays that is held, by the array that was submitted last."""
    held = [(chunk.job(results_dir) or 0, chunk, chunk.canary) for chunk in known if chunk.canary is not None]
    return {
        run_id: canary
        for _, chunk, canary in sorted(held, key=itemgetter(0))
        if not _released(results_dir, chunk.name).exists()
        for run_id in chunk.run_ids
        if canary != run_id
    }


def held_for_good(results_dir: Path, states: dict[RunId, State]) -> set[RunId]:
    """Held runs whose canary ended without a step: nothing releases them before it was mended and retried."""
    ended = (State.failed, State.interrupted)
    held = waiting(results_dir, chunks(results_dir))
    return {run_id for run_id, canary in held.items() if states.get(canary) in ended}


def set_free(results_dir: Path, name: str) -> None:
    """Remember that an array is not held."""
    _released(results_dir, name).touch()


def release(results_dir: Path, known: Sequence[Chunk]) -> None:
    """Let go those of `known` arrays that wait for a canary that has taken its step, each that SLURM lets go.

    Raises:
        SchedulerError: scontrol refused one, which may be cancelled since, or did not answer.
    """
    refused = None
    for chunk in known:
        is_held = chunk.is_held and not _released(results_dir, chunk.name).exists()
        if is_held and chunk.canary is not None and trained(results_dir, chunk.canary):
            try:
                scheduler.release(chunk.name, chunk.job(results_dir))
            except SchedulerError as error:
                refused = error
            else:
                set_free(results_dir, chunk.name)
    if refused is not None:
        raise refused


def _released(results_dir: Path, name: str) -> Path:
    return folder(results_dir) / f"{name}.released"


def script_lines(
    results_dir: Path, run_ids: Sequence[RunId], canaries: Collection[RunId | None]
) -> tuple[list[str], list[str]]:
    """What the batch script of an array does for those of all `canaries` in it: before its command, and after."""
    indices = [index for index, run_id in enumerate(run_ids) if run_id in canaries]
    if not indices:
        return [], []
    place = shlex.quote(str(folder(results_dir)))
    cases = [
        f"  {index}) canary={shlex.quote(run_ids[index])} metrics="
        f"{shlex.quote(str(RunDir(results_dir=results_dir, run_id=run_ids[index]).path))} ;;"
        for index in indices
    ]
    before = [
        "# The canary lets the others go as soon as it has taken a training step.",
        "canary=",
        'case "${SLURM_ARRAY_TASK_ID:-0}" in',
        *cases,
        "esac",
        "release_others() {",
        f"  grep -qs '{_TRAINED}' \"$metrics\"/attempts/*/metrics.jsonl || return 0",
        f'  grep -ls "\\"canary\\": \\"$canary\\"" {place}/sweep-*.json | while read -r held; do',
        "    held=${held%.json}; name=${held##*/}",
        '    what=$(cat "$held.job" 2>/dev/null) || what=jobname=$name',
        '    [ -e "$held.released" ] || { scontrol release "$what" && touch "$held.released"; }',
        "  done",
        "}",
        f"look() {{ pause={FIRST_SECONDS}; while sleep $pause; do",
        f"  release_others; [ $pause -ge {MOST_SECONDS} ] || pause=$((pause + {FIRST_SECONDS}))",
        "done; }",
        'looks=; [ -z "$canary" ] || { look & looks=$!; }',
    ]
    return before, ['[ -z "$canary" ] || { kill "$looks"; release_others; }']
