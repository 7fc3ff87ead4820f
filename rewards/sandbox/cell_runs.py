"""Runs programs that come in cells, as a model writes them over several turns; of what they print, as much as fits."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

from rewards.sandbox.execution import Limits, execute_cells, memory_file
from rewards.sandbox.frames import WorkerTimeout
from rewards.sandbox.inside import cells as inside
from rewards.sandbox.runs import RunStatus, on_worker
from rewards.sandbox.walls.isolation import Level, SandboxUnavailable, find_isolation

_STATUS: dict[int | None, RunStatus] = {inside.DONE: RunStatus.DONE, inside.RAISED: RunStatus.RAISED}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRun:
    """What the last cell of a run did.

    Attributes:
        status: DONE, or RAISED where an exception ended the cell; TIMEOUT and DIED are of the whole run.
        stdout: What it printed, less what is beyond the limit.
        stderr: What it wrote there, the exception among it; of more than the limit the end.
        stdout_bytes: How much it printed.
        stderr_bytes: How much it wrote to stderr.
        cpu_s: CPU seconds of the run, earlier cells included; the limit where the sandbox process had to be killed.
    """

    status: RunStatus
    stdout: str
    stderr: str
    stdout_bytes: int
    stderr_bytes: int
    cpu_s: float


def run_cells(cells: Sequence[str], *, limits: Limits, output_limit: int) -> CellRun:
    """Runs the cells of a program one after the other in one fresh process, and says what the last one did.

    A cell finds what earlier ones defined; what those print is not heard again. The value of an expression that the
    last cell ends with is printed, as a prompt would. `random` and hashes begin with the same seed each time, so that
    cells which were run before do again what they did; a clock does not.

    Args:
        cells: Untrusted; at least one.
        limits: For all of them together.
        output_limit: Bytes kept of each stream; the rest is read and thrown away.

    Raises:
        SandboxUnavailable: No isolation here, and not allowed without; or a remote one, which has no cells.
        WorkerDied: The sandbox process could not be started.
    """
    if find_isolation().level is Level.REMOTE:
        raise SandboxUnavailable("programs in cells need an isolation of this machine's own, not a remote service")
    content = memory_file(json.dumps(list(cells)).encode())
    try:
        ended = on_worker(lambda worker: execute_cells(worker, content, limits, output_limit))
    except WorkerTimeout:
        status, cpu_s = RunStatus.TIMEOUT, float(limits.cpu_s)
        return CellRun(status=status, stdout="", stderr="", stdout_bytes=0, stderr_bytes=0, cpu_s=cpu_s)
    finally:
        os.close(content)
    return CellRun(
        status=RunStatus.TIMEOUT if ended.late else _STATUS.get(ended.exit, RunStatus.DIED),
        stdout=ended.output.kept.decode("utf-8", "replace"),
        stderr=ended.errors.kept.decode("utf-8", "replace"),
        stdout_bytes=ended.output.total,
        stderr_bytes=ended.errors.total,
        cpu_s=ended.cpu_s,
    )
