"""Benchmarks, each beside a named peer in the same run: `make bench`. Prints ratios; asserts nothing about time.

Run it on an otherwise idle machine: it starts real verl four times.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sweeper.host.machine import Device, threads_for
from sweeper.host.process import Children
from sweeper.rows.curve import read_curve
from sweeper.rows.row import read_rows, row_path
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from sweeper.training import overrides_file
from sweeper.training.train import training_env
from tests import bench_data, bench_plan
from tests.analysis import bench_passk, bench_report
from tests.analysis.laws import bench_laws
from tests.data_prep import bench_data as bench_cleaning
from tests.rewards import bench_code, bench_math
from tests.slurm import bench_submission

SMALL = (
    "model=tiny-40k",
    "data_scale=n64",
    "training.total_steps=3",
    "eval.n_samples=8",
    "eval.ks=[1,8]",
    "eval.val_freq=100",
)


def main() -> None:
    """Run all benchmarks."""
    help_time()
    bench_plan.main()
    bench_code.main()
    bench_math.main()
    bench_cleaning.main()
    bench_data.main()
    bench_laws.main()
    bench_passk.main()
    bench_report.main()
    bench_submission.main()
    with tempfile.TemporaryDirectory() as folder:
        training(Path(folder))


def report(name: str, ours: float, peer: str, theirs: float, unit: str = "s") -> None:
    """One line: ours, theirs, their ratio."""
    print(f"{name}: {ours:.2f} {unit}; {peer}: {theirs:.2f} {unit}; ratio {ours / theirs:.2f}", flush=True)


def seconds(command: Sequence[str], **kwargs: object) -> float:
    """Wall time of a command that must succeed."""
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kwargs)  # type: ignore[call-overload]
    return time.monotonic() - start


def best(measure: Callable[[], float], n: int = 5) -> float:
    """The shortest of n."""
    return min(measure() for _ in range(n))


def help_time() -> None:
    """`--help` against an empty Python process."""
    ours = best(lambda: seconds([sys.executable, "-m", "sweeper", "--help"]))
    report("python -m sweeper --help", ours, "python -c pass", best(lambda: seconds([sys.executable, "-c", "pass"])))


def training(folder: Path) -> None:
    """A run against the bare `main_ppo` call with the same overrides; models, data and base pass@k prepared before."""
    sweep = [sys.executable, "-m", "sweeper", *SMALL, f"results_dir={folder}"]
    seconds([*sweep, "seed=1"])  # prepares what runs share
    whole = seconds(sweep)
    row = next(row for row in read_rows(folder) if row.seed == 0)
    if row.timing is None or row.timing.train_s is None or row.timing.evaluate_s is None:
        raise SystemExit(f"no timing in the row of {row.run_id}")
    run_dir = RunDir(results_dir=folder, run_id=RunId(row.run_id))
    attempt = run_dir.attempts()[-1]
    spec = RunSpec.read(run_dir.spec_path)
    bare_folder = folder / "bare"
    bare_folder.mkdir()
    changed = ("trainer.default_local_dir=", "trainer.validation_data_dir=", "hydra.run.dir=")
    overrides = [
        f"{item.partition('=')[0]}={bare_folder / 'out'}" if item.startswith(changed) else item
        for item in overrides_file.read(run_dir.overrides_path)
        if "py_executable" not in item
    ]
    threads = threads_for(spec.model.architecture.n_params)
    children = Children(device=Device.cpu, threads=threads, log=attempt.log)
    env = {**os.environ, **training_env(run_dir, attempt, children, Path(tempfile.mkdtemp(prefix="rl-")))}
    env |= {"VERL_FILE_LOGGER_PATH": str(bare_folder / "metrics.jsonl")}
    bare = seconds([sys.executable, "-m", "verl.trainer.main_ppo", *overrides], env=env)
    steps = sum(point.seconds or 0.0 for point in read_curve([attempt.metrics]))
    bare_steps = sum(point.seconds or 0.0 for point in read_curve([bare_folder / "metrics.jsonl"]))
    report("training phase of a run", row.timing.train_s, "bare main_ppo, same overrides, no fork server", bare)
    report("  of it outside its 3 steps", row.timing.train_s - steps, "bare main_ppo", bare - bare_steps)
    phases = row.timing.train_s + row.timing.evaluate_s
    run = row_path(folder, row.run_id).stat().st_mtime - run_dir.spec_path.stat().st_mtime
    report("a run, pass@k evaluation included", run, "bare main_ppo, which evaluates nothing", bare)
    print(f"orchestration of a run, outside training and evaluation: {run - phases:.2f} s", flush=True)
    print(f"of a launch, once for all its runs (plan, table, report): {whole - run:.2f} s", flush=True)
    print(json.dumps({"startup_s": row.timing.startup_s}), flush=True)


if __name__ == "__main__":
    main()
