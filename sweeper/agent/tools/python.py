"""Python in the sandbox of the scorers: no network, no files, no other process; what is printed comes back.

A call finds what earlier calls of its trajectory defined. Those are run again before it, unheard, in a fresh process:
so no process lives between calls, holds memory or goes on computing while the model writes, and the same calls give the
same answers wherever and whenever they are run. A process per trajectory would be neither bounded (a batch has
thousands) nor repeatable (its threads and clocks run on). The price is CPU: a call's limits hold for it and for what is
run again together.
"""

from collections.abc import Mapping
from typing import Any

from rewards.sandbox.cell_runs import CellRun, run_cells
from rewards.sandbox.execution import Limits
from rewards.sandbox.runs import RunStatus
from sweeper.agent.tools.tool import Observation, failed, function_schema
from sweeper.spec.agent import Agent, ToolLimits

_ERROR_LINES = 4  # of stderr, the last


class Python:
    """Runs `code`; the value of an expression that it ends with is printed."""

    name = "python"
    version = "1"

    def __init__(self, agent: Agent) -> None:
        self._feedback = agent.feedback
        self.schema = function_schema(
            self.name,
            "Runs Python code and gives back what it prints. Later calls find what earlier ones defined.",
            {"code": {"type": "string", "description": "Python code"}},
        )

    def run(
        self, arguments: Mapping[str, Any], state: dict[str, Any], row: Mapping[str, Any], limits: ToolLimits
    ) -> Observation:
        """What the code prints; of a failure the error's last lines.

        A call that raised keeps what it had defined by then; one that ran past a limit is as if it had not been.

        Raises:
            SandboxUnavailable: There is no isolation here.
        """
        del row
        code = arguments.get("code")
        if not isinstance(code, str):
            return failed("code must be text", feedback=self._feedback)
        earlier: list[str] = state.setdefault(self.name, [])
        run = run_cells([*earlier, code], limits=sandbox_limits(limits), output_limit=limits.output_bytes)
        if run.status in (RunStatus.DONE, RunStatus.RAISED):
            earlier.append(code)
        if run.status is RunStatus.DONE:
            return Observation(text=self._printed(run), ok=True, cpu_s=run.cpu_s)
        if not self._feedback:
            return failed("", feedback=False, cpu_s=run.cpu_s)
        parts = [_cut_head(run), _last_lines(run), "" if run.status is RunStatus.RAISED else _why(run, limits, earlier)]
        return Observation(text="\n".join(filter(None, parts)) or "error", ok=False, cpu_s=run.cpu_s)

    def _printed(self, run: CellRun) -> str:
        """What a call that did its work shows; what it wrote to stderr only where errors are shown."""
        parts = [_cut_head(run), _last_lines(run) if self._feedback else ""]
        return "\n".join(filter(None, parts)) or "(no output)"

    def close(self, state: dict[str, Any]) -> None:
        """No process is held."""
        state.pop(self.name, None)


def sandbox_limits(limits: ToolLimits) -> Limits:
    """An agent's limits as the sandbox has them, whose CPU seconds are whole."""
    return Limits(cpu_s=max(1, round(limits.cpu_s)), wall_s=limits.wall_s, memory_mb=limits.memory_mb)


def _cut_head(run: CellRun) -> str:
    more = run.stdout_bytes - len(run.stdout.encode())
    return run.stdout.rstrip() + (f"\n[{more:,} more bytes]" if more > 0 else "")


def _last_lines(run: CellRun) -> str:
    lines = [line for line in run.stderr.rstrip().splitlines() if line.strip(" ~^")]
    return "\n".join(lines[-_ERROR_LINES:])


def _why(run: CellRun, limits: ToolLimits, earlier: list[str]) -> str:
    if run.status is RunStatus.TIMEOUT:
        again = f" (the {len(earlier)} earlier calls, run again, are part of it)" if earlier else ""
        return f"error: stopped after {limits.cpu_s:g} s of CPU or {limits.wall_s:g} s{again}; the call is undone"
    return f"error: the process died, of more than {limits.memory_mb} MB or by itself; the call is undone"
