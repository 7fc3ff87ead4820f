"""What trackers (wandb, TensorBoard, MLflow, ...) are told of a run beside verl's metrics: its settings, then its row.

The settings are in verl's own configuration, so every tracker that keeps one has them from the first step. The row goes
the way that verl's metrics go (`verl.utils.tracking.Tracking`), from a process of its own:

    python -m sweeper.training.tracking MESSAGE.json

Where a tracker knows runs by an id, it is ours over all attempts.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rewards.bounded_file import MIB, read_json, read_text
from sweeper.host.errors import ConfigError, RunFailedError
from sweeper.host.files import write_atomic
from sweeper.host.secret import hidden_in
from sweeper.rows.differences import named, swept
from sweeper.rows.grid_file import places
from sweeper.rows.row import NAMES, ResultRow
from sweeper.rows.table import TRACKED, record
from sweeper.runs.attempt import Attempt
from sweeper.runs.folder import RunDir
from sweeper.spec.cluster import ContainerRuntime, Executor
from sweeper.spec.run import RunSpec
from sweeper.training.context import JobContext

# verl's trackers (`Tracking.supported_backend`): the module that each needs, and what installs it.
PACKAGES = {
    "wandb": ("wandb", "wandb"),
    "mlflow": ("mlflow", "mlflow"),
    "swanlab": ("swanlab", "swanlab"),
    "vemlp_wandb": ("volcengine_ml_platform", "volcengine-ml-platform"),
    "tensorboard": ("tensorboard", "tensorboard"),
    "clearml": ("clearml", "clearml"),
    "trackio": ("trackio", "trackio"),
    "rl_insight": ("rl_insight", "rl-insight"),
}
_WORDS = ("wandb", "vemlp_wandb")  # their summaries take words, too; the others numbers by step


def refuse(spec: RunSpec) -> None:
    """Refuse trackers that verl does not have, or whose package is not where runs execute.

    Raises:
        ConfigError: the first of them, with the nearest name or the package.
    """
    cluster = spec.cluster
    is_here = cluster.executor is Executor.local or (
        cluster.python is None and cluster.container.runtime is ContainerRuntime.none
    )
    for name in spec.logging.trackers:
        if name not in PACKAGES:
            near = get_close_matches(name, PACKAGES, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(f"logging.backends: verl has no logger {name!r}; {hint}Known: {', '.join(PACKAGES)}")
        module, package = PACKAGES[name]
        if is_here and importlib.util.find_spec(module) is None:
            raise ConfigError(f"logging.backends={name}: its package is not installed; pip install {package}")


def settings(spec: RunSpec, results_dir: Path) -> dict[str, Any]:
    """What a tracker's configuration holds of ours.

    Who the run is, its place on the axes of each grid that it is in, and every setting but where it is executed.
    """
    found = json.loads(spec.to_json())
    found = {key: value for key, value in found.items() if key not in ("cluster", "logging")}
    grids = places(results_dir).get(spec.run_id, {})
    return {"run_id": spec.run_id, "group_id": spec.group_id, "grids": grids, **hidden_in(found)}


def title(spec: RunSpec, results_dir: Path) -> str:
    """What trackers call a run: its id, and what its grids vary beside that."""
    return named(spec.run_id, swept(results_dir).get(spec.run_id))


def write_settings(spec: RunSpec, results_dir: Path, attempt: Attempt) -> Path | None:
    """A folder that has our settings as an option of a group, for verl to compose; None: no tracker would keep them."""
    if not spec.logging.trackers:
        return None
    import yaml

    folder = attempt.path / "tracking"
    (folder / "sweeper").mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(_literal(settings(spec, results_dir)), sort_keys=False)
    write_atomic(folder / "sweeper" / "run.yaml", text)
    return folder


def _literal(value: Any) -> Any:
    """A value that OmegaConf reads back as it is: `${` would be an interpolation."""
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return value.replace("${", "\\${") if isinstance(value, str) else value


def variables(run_dir: RunDir, attempt: Attempt, shell: Mapping[str, str]) -> dict[str, str]:
    """Where trackers write, and under which run; `shell` may name a server for MLflow."""
    found = {
        "WANDB_RUN_ID": str(run_dir.run_id),
        "WANDB_RESUME": "allow",
        "WANDB_DIR": str(attempt.path),
        "TENSORBOARD_DIR": str(run_dir.path / "tensorboard"),  # one curve over attempts
        "SWANLAB_LOG_DIR": str(attempt.path / "swanlog"),
    }
    if "MLFLOW_TRACKING_URI" not in shell:
        found["MLFLOW_TRACKING_URI"] = f"sqlite:///{run_dir.path / 'mlflow.db'}"
    return found


def tell(job: JobContext, row: ResultRow) -> None:
    """Give a run's row, which is written, to its trackers; what fails is printed, and the row is safe all the same."""
    spec = job.spec
    if not spec.logging.trackers:
        return
    values = json.loads(row.to_json())
    message = {
        "project": spec.logging.project,
        "title": title(spec, job.results),
        "trackers": spec.logging.trackers,
        "attempts": [str(attempt.path) for attempt in job.run_dir.attempts()],
        "settings": settings(spec, job.results),
        "record": hidden_in({key: value for key, value in record(row).items() if value is not None}, but=NAMES),
        # Without the curve, which they have from verl.
        "row": json.dumps({key: value for key, value in values.items() if key != "curve"}),
    }
    path = job.attempt.path / "tracking" / "row.json"
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, json.dumps(message) + "\n")
    try:
        env = variables(job.run_dir, job.attempt, os.environ)
        job.children.run([sys.executable, "-m", "sweeper.training.tracking", str(path)], env)
    except (RunFailedError, OSError) as error:
        print(f"NOTE: the row is written, but not in {', '.join(spec.logging.trackers)}: {error}", flush=True)


def main(message: Mapping[str, Any]) -> None:
    """Log a row as verl logs a step.

    Raises:
        RunFailedError: a tracker did not take it.
    """
    from verl.utils.tracking import Tracking

    flat, about = message["record"], message["settings"]
    tracking = Tracking(
        project_name=message["project"],
        experiment_name=message["title"],
        default_backend=message["trackers"],
        config=_verls_config(message["attempts"]) | {"sweeper": about},
    )
    for name, logger in tracking.logger.items():
        if name in _WORDS:
            logger.run.summary.update({f"row/{key}": value for key, value in flat.items()} | {TRACKED: message["row"]})
        else:
            numbers = {f"row/{key}": value for key, value in flat.items() if isinstance(value, int | float)}
            logger.log(data=numbers, step=flat.get("steps") or 0)
    missed = set(message["trackers"]) - set(tracking.logger)
    tracking.finish()
    if missed:
        raise RunFailedError(f"{', '.join(sorted(missed))} could not be reached")


def _verls_config(attempts: Sequence[str]) -> dict[str, Any]:
    """What verl gave its trackers when it last began: other values would take the place of these."""
    from omegaconf import OmegaConf

    for attempt in reversed(attempts):
        path = Path(attempt, "hydra", ".hydra", "config.yaml")
        if path.exists():
            found: dict[str, Any] = OmegaConf.to_container(OmegaConf.create(read_text(path, MIB)), resolve=True)  # type: ignore[assignment]
            return found
    return {"trainer": {}}


if __name__ == "__main__":
    main(read_json(Path(sys.argv[1])))
