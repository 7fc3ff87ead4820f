"""The stock Hydra application: `--cfg`, `--info`, and Hydra's own sweepers and launchers.

    python -m sweeper +grid=model_scale -m hydra/launcher=submitit_local

Each job runs its one point in place. Kept for compatibility; the normal path plans first and resumes.
"""

import hydra
from omegaconf import DictConfig, OmegaConf

from sweeper.grid.schema import register

register()


@hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")
def app(cfg: DictConfig) -> str:
    """Run one point in this process's machine; returns the run id."""
    from sweeper.grid.expand import results_dir_of, rules_of
    from sweeper.grid.known import refuse_unknown
    from sweeper.host.errors import ConfigError, RunFailedError
    from sweeper.launch.local import run_local
    from sweeper.launch.progress import reporter
    from sweeper.plan.plan import spec_from
    from sweeper.plan.refusals import check
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
    results_dir = results_dir_of(plain)
    run_dir = RunDir(results_dir=results_dir, run_id=spec.run_id)
    if state_of(run_dir) is not State.done:
        run_local([spec], results_dir, reporter(1, results_dir))
    if state_of(run_dir) is not State.done:
        # Hydra's launchers report a job that returns as a success.
        raise RunFailedError(f"{spec.run_id} has no result; see {run_dir.path}")
    return spec.run_id
