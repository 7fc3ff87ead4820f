"""Every test, in lanes side by side.

    python -m tests.lanes [--nightly] [LANE ...]

The gate's tests, or with `--nightly` the tests of the night too (docs/contributing.md). As many lanes compute at once
as there are cores; each has a folder below `.lanes/` with its log and its JUnit file.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lanes.result import OUTCOMES, Result, progress, read_result
from tests.lanes.summary import summary
from tests.lanes.table import LANES, Lane, unplaced

FOLDER = Path(".lanes")
GATE, NIGHTLY = "not nightly", ""
EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
_TICK_SECONDS = 0.5
# Between two lines about progress where no terminal rewrites one.
_QUIET_SECONDS = 60.0


@dataclass(slots=True)
class Running:
    """A lane under way."""

    lane: Lane
    folder: Path
    process: "subprocess.Popen[bytes]"
    began: float = field(default_factory=time.monotonic)
    read: int = 0
    passed: int = 0

    @classmethod
    def start(cls, lane: Lane, folder: Path, marks: str) -> "Running":
        """Start a lane's keeper, and with it the lane's pytest."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        paths = [str(path) for path in lane.files]
        pytest = [*lane.pytest, "-v", "-m", marks, f"--junitxml={folder / 'junit.xml'}", *paths]
        # Lanes would overwrite each other's list of failures.
        pytest += ["-p", "no:cacheprovider", "-o", "console_output_style=progress"]
        keeper = [sys.executable, "-m", "tests.lanes.keeper", str(folder / "report.json"), *pytest]
        with (folder / "log").open("wb") as log:
            return cls(lane, folder, subprocess.Popen(keeper, stdout=log, stderr=log, start_new_session=True))

    def progress(self) -> list[str]:
        """Count on how many tests passed, and name those that failed since the last time."""
        with (self.folder / "log").open("rb") as log:
            log.seek(self.read)
            lines, _, _ = log.read().rpartition(b"\n")
        self.read += len(lines)
        passed, failed = progress(lines.decode(errors="replace"))
        self.passed += passed
        return failed

    def result(self) -> Result:
        """What came of it."""
        return read_result(self.lane.name, self.folder, time.monotonic() - self.began)


class Runner:
    """Runs lanes, the first of them first, as many at once as there are cores."""

    def __init__(self, lanes: Sequence[Lane], marks: str, folder: Path, cores: int) -> None:
        self._waiting = list(lanes)
        self._marks, self._folder, self._cores = marks, folder, cores
        self._running: list[Running] = []
        self._line, self._last = 0, 0.0
        self.results: list[Result] = []
        self.began = time.monotonic()

    def run(self) -> None:
        """Run all lanes to their ends; interrupted, end those that run first."""
        try:
            while self._waiting or self._running:
                self._start()
                self._collect()
                self._tell()
                time.sleep(_TICK_SECONDS)
        except BaseException:
            self._interrupt()
            raise

    def _start(self) -> None:
        for lane in list(self._waiting):
            busy = sum(not running.lane.waits for running in self._running)
            trains = lane.trains and any(running.lane.trains for running in self._running)
            if lane.waits or (busy < self._cores and not trains):
                self._waiting.remove(lane)
                self._running.append(Running.start(lane, self._folder / lane.name, self._marks))

    def _collect(self) -> None:
        for running in [item for item in self._running if item.process.poll() is not None]:
            self._running.remove(running)
            self.results.append(found := running.result())
            counts = ", ".join(f"{found.count(outcome)} {outcome}" for outcome in OUTCOMES)
            self._say(f"{found.name} has ended: {counts}{'' if found.ran else ', COULD NOT RUN'}")

    def _interrupt(self) -> None:
        self._say("ending the lanes ... (again: at once)")
        for running in self._running:
            running.process.terminate()
        try:
            for running in self._running:
                running.process.wait()
        except KeyboardInterrupt:
            for running in self._running:
                running.process.terminate()  # the second time it takes no time
            for running in self._running:
                running.process.wait()
        self._collect()

    def _tell(self) -> None:
        for running in self._running:
            for name in running.progress():
                self._say(f"FAILED {name}")
        passed = sum(running.passed for running in self._running)
        passed += sum(result.count("passed") for result in self.results)
        counts = ", ".join(f"{running.lane.name} {running.passed:,}" for running in self._running)
        text = f"{passed:,} passed; {counts}"
        text += f"; {len(self._waiting)} lanes wait" if self._waiting else ""
        if sys.stdout.isatty():
            text = f"{self._clock()} {text}"[: shutil.get_terminal_size().columns - 1]
            print(f"\r{text:<{self._line}}", end="", flush=True)
            self._line = len(text)
        elif time.monotonic() - self._last > _QUIET_SECONDS:
            self._last = time.monotonic()
            self._say(text)

    def _say(self, text: str) -> None:
        cleared = f"\r{'':<{self._line}}\r" if self._line else ""
        self._line = 0
        print(f"{cleared}{self._clock()} {text}", flush=True)

    def _clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        return f"{minutes:02}:{seconds:02}"


def run(lanes: Sequence[Lane], *, marks: str = GATE, folder: Path = FOLDER) -> int:
    """Run lanes and print what came of them.

    Returns:
        0 when every lane ran and no test failed, nor, where the variable CI is set, was skipped. A test of published
        files that are not here (tests/outside.py) fails nothing.
    """
    runner = Runner(lanes, marks, folder.absolute(), len(os.sched_getaffinity(0)))
    code = 0
    try:
        runner.run()
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    seconds = time.monotonic() - runner.began
    print(summary(runner.results, seconds))
    bad = ("failed", "skipped") if os.environ.get("CI") else ("failed",)
    return code or (EXIT_FAILED if any(result.count(outcome) for result in runner.results for outcome in bad) else 0)


def main(arguments: Sequence[str]) -> int:
    """Run the lanes that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.lanes", description="every test, in lanes side by side")
    parser.add_argument("--nightly", action="store_true", help="the tests of the night too")
    parser.add_argument("lanes", nargs="*", metavar="LANE", help=f"of {', '.join(lane.name for lane in LANES)}")
    chosen = parser.parse_args(arguments)
    wrong = unplaced(LANES) + [f"no lane {name}" for name in set(chosen.lanes) - {lane.name for lane in LANES}]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return EXIT_USAGE
    asked = chosen.lanes or [lane.name for lane in LANES if chosen.nightly or not lane.at_night]
    lanes = [lane for lane in LANES if lane.name in asked]
    return run(lanes, marks=NIGHTLY if chosen.nightly else GATE)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
