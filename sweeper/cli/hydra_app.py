"""The stock Hydra application: `--cfg`, `--info`, and Hydra's own sweepers and launchers.

    python -m sweeper +grid=model_scale -m hydra/launcher=submitit_local

Each job runs its one point in place. Kept for compatibility; the normal path plans first and resumes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from sweeper.grid.schema import register

if TYPE_CHECKING:
    from sweeper.spec.run import RunSpec

register()


@hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")
def app(cfg: DictConfig) -> str:
    """Run one point in this process's machine; returns the run id."""
    from sweeper.grid.expand import results_dir_of, rules_of
    from sweeper.grid.known import refuse_unknown
    from sweeper.host.errors import ConfigError, RunFailedError
    from sweeper.host.files import open_results
    from sweeper.launch.local import run_local
    from sweeper.launch.slurm.queue import Queue
    from sweeper.plan.plan import spec_from
    from sweeper.plan.refusals import check
    from sweeper.plan.retry import consider
    from sweeper.runs.folder import RunDir
    from sweeper.runs.state import State, state_of

    refuse_unknown(cfg)
    rules = rules_of(cfg)
    if rules.changes_points or rules.budget_gpu_hours is not None:
        raise ConfigError(
            "this grid has replicates, tied axes, exclusions or a budget (its `grid` block), which Hydra's own "
            "sweepers do not know; start it without hydra/launcher=… and hydra/sweeper=…"
        )
    config = OmegaConf.to_container(cfg, resolve=True, enum_to_str=True)
    assert isinstance(config, dict)
    plain = {str(key): value for key, value in config.items()}
    spec = spec_from(plain)
    check(spec, family=plain["model_family"]["name"])
    _refuse_launchers(spec, HydraConfig.get().overrides.task)
    results_dir = results_dir_of(plain)
    open_results(results_dir)
    run_dir = RunDir(results_dir=results_dir, run_id=spec.run_id)
    queue = Queue.ask(results_dir)
    state = queue.state(run_dir)
    if state in (State.failed, State.interrupted) and (before := consider(run_dir, queue, now=spec)):
        if not before.decision.retry:
            raise RunFailedError(f"{spec.run_id}: {before.text()}")
        spec = before.prepare()
    if state is not State.done:
        run_local([spec], results_dir)
    if state_of(run_dir) is not State.done:
        # Hydra's launchers report a job that returns as a success.
        raise RunFailedError(f"{spec.run_id} has no result; see {run_dir.path}")
    return spec.run_id


def _refuse_launchers(spec: "RunSpec", asked: Sequence[str]) -> None:
    """Refuse what a launch of ours does and Hydra's launchers, which start each point by itself, do not."""
    from sweeper.host.errors import ConfigError
    from sweeper.spec.cluster import Executor

    cluster = spec.cluster
    theirs = {
        f"logging.webhook_env={spec.logging.webhook_env}": spec.logging.webhook_env is not None,
        f"cluster={cluster.name}": cluster.executor is not Executor.local,
        f"cluster.confirm_gpu_hours={cluster.confirm_gpu_hours}": cluster.confirm_gpu_hours is not None,
        "cluster.max_parallel": any(item.startswith("cluster.max_parallel=") for item in asked),
    }
    for key, is_asked in theirs.items():
        if is_asked:
            raise ConfigError(
                f"{key} does nothing under a launcher of Hydra's, which runs each point where it starts it and "
                "has settings of its own (hydra.launcher.…); leave it out, or hydra/launcher=… and hydra/sweeper=…"
            )
