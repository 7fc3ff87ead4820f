"""CPU of a trajectory, ours beside verl's own tool agent: `python -m tests.sweeper.bench_agent`.

The same model, problems and calculator three times: an evaluation of ours; verl's validation, with its
`AgentLoopManager` and our loop, which is how training draws; the same with verl's own `ToolAgentLoop`. Each is done
with few and with many trajectories, and the difference of their CPU seconds, over all processes, divided by that of
the trajectories: what it takes to start is in neither.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import yaml
from verl.tools.base_tool import BaseTool
from verl.tools.schemas import OpenAIFunctionToolSchema, ToolResponse

from sweeper.agent.tools.calculator import Calculator
from sweeper.evaluation.acting import Acting
from sweeper.host.machine import Device, threads_for
from sweeper.host.process import Children
from sweeper.runs.folder import RunDir
from sweeper.spec.agent import Agent, ToolLimits
from sweeper.spec.run import RunSpec
from sweeper.spec.run_id import RunId
from sweeper.training import overrides_file
from sweeper.training.train import training_env

FEW, MANY = 2, 34  # trajectories per problem
PROBLEMS = 32
SETTINGS = (
    *("model_family=tiny-agent", "model=tiny-agent-40k", "agent=calculator", "domain_mix=math"),
    *("model.warm_start.steps=300", "model.warm_start.n_examples=9600", "data_scale.n_unique=64"),
    *("training.total_steps=1", "eval.n_samples=2", "eval.ks=[1,2]", "eval.domains=[math]"),
    *(f"eval.problems_per_domain={PROBLEMS}", f"eval.val_problems_per_domain={PROBLEMS}"),
)
MARK = "BENCH_AGENT"  # in the environment of every process that counts
AGENT = Agent(name="calculator", tools=("calculator",))


class PlainCalculator(BaseTool):  # type: ignore[misc]  # verl has no types
    """The calculator as verl's documentation writes tools."""

    def __init__(self, config: dict[str, Any], tool_schema: Any = None) -> None:
        self._ours = Calculator(AGENT)
        super().__init__(config, tool_schema or OpenAIFunctionToolSchema.model_validate(self._ours.schema))

    async def execute(
        self, instance_id: str, parameters: dict[str, Any], **_: Any
    ) -> tuple[ToolResponse, float, dict[str, Any]]:
        """What ours says."""
        del instance_id
        return ToolResponse(text=self._ours.run(parameters, {}, {}, ToolLimits()).text), 0.0, {}


def main() -> None:
    """Print CPU milliseconds per trajectory, ours beside verl's."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run([sys.executable, "-m", "sweeper", *SETTINGS, f"results_dir={root}"], check=True, cwd=root)
        (run,) = (RunDir(results_dir=root, run_id=RunId(path.name)) for path in (root / "runs").iterdir())
        verls = per_trajectory(lambda n: validation(run, root / f"verl{n}", n, verls_own=True))
        ours = per_trajectory(lambda n: validation(run, root / f"ours{n}", n, verls_own=False))
        measured = per_trajectory(lambda n: evaluation(run, root / f"evaluation{n}", n))
    for name, found in (("evaluation of an agent", measured), ("its rollout in training", ours)):
        told = "verl's AgentLoopManager with ToolAgentLoop"
        print(f"{name}: {found:.2f} ms of CPU per trajectory; {told}: {verls:.2f} ms; ratio {found / verls:.2f}")


def per_trajectory(seconds: Callable[[int], float]) -> float:
    """Milliseconds of CPU that one more trajectory takes."""
    few, many = seconds(FEW), seconds(MANY)
    return 1000 * (many - few) / (PROBLEMS * (MANY - FEW))


def evaluation(run: RunDir, folder: Path, n: int) -> float:
    """CPU seconds of pass@k with n trajectories per problem."""
    folder.mkdir()
    spec = RunSpec.read(run.spec_path)
    acting = Acting.of(spec, run.results_dir)
    assert acting is not None
    (folder / "agent.json").write_text(acting.to_json())
    said = {"model": value(run, "actor_rollout_ref.model.path"), "data": value(run, "data.val_files").strip("[]'\"")}
    said |= {"out": str(folder / "counts.jsonl"), "agent": str(folder / "agent.json"), "n": str(n), "seed": "0"}
    said["max-tokens"] = str(spec.training.max_response_length)
    return cpu_seconds(["sweeper.evaluation.evaluate", *(f"--{key}={item}" for key, item in said.items())], {})


def validation(run: RunDir, folder: Path, n: int, *, verls_own: bool) -> float:
    """CPU seconds of a validation of verl's with n trajectories per problem, and nothing else."""
    folder.mkdir()
    attempt, spec = run.attempts()[-1], RunSpec.read(run.spec_path)
    rollout, sampler = "actor_rollout_ref.rollout", "trainer.v1.sampler"
    changed = {
        "trainer.default_local_dir": str(folder / "out"),
        "trainer.validation_data_dir": str(folder / "val"),
        "hydra.run.dir": str(folder / "hydra"),
        "trainer.resume_mode": "disable",
        f"{rollout}.val_kwargs.n": str(n),
        f"{sampler}.sampler_kwargs.val_n": str(n),
    }
    left = ["py_executable"]
    if verls_own:
        tools = [{"class_name": f"{__spec__.name}.PlainCalculator", "config": {"type": "native"}}]
        (folder / "tools.yaml").write_text(yaml.safe_dump({"tools": tools}))
        changed |= {
            f"{rollout}.agent.default_agent_loop": "tool_agent",
            f"{rollout}.multi_turn.tool_config_path": str(folder / "tools.yaml"),
            f"{sampler}.custom_sampler.path": "pkg://sweeper.verl_cpu.sampler",
            f"{sampler}.custom_sampler.name": "FastReplayBuffer",
            "reward.custom_reward_function.path": "pkg://rewards",
        }
        left += ["agent_loop_config_path", "sampler_kwargs"]
    kept = [item for item in overrides_file.read(run.overrides_path) if not any(word in item for word in left)]
    overrides = [
        f"{key}={changed[key.lstrip('+')]}" if (key := item.partition("=")[0]).lstrip("+") in changed else item
        for item in kept
    ]
    children = Children(device=Device.cpu, threads=threads_for(spec.model.architecture.n_params), log=attempt.log)
    with tempfile.TemporaryDirectory(prefix="rl-", ignore_cleanup_errors=True) as scratch:
        env = training_env(run, attempt, children, Path(scratch))
        env |= {"VERL_FILE_LOGGER_PATH": str(folder / "metrics.jsonl")}
        return cpu_seconds(["verl.trainer.main_ppo", *overrides, "+trainer.val_only=true"], env)


def value(run: RunDir, key: str) -> str:
    """Of one of the run's overrides."""
    return next(
        item.partition("=")[2]
        for item in overrides_file.read(run.overrides_path)
        if item.partition("=")[0].lstrip("+") == key
    )


def cpu_seconds(arguments: list[str], env: dict[str, str]) -> float:
    """CPU seconds of a Python module and of every process that it starts, Ray's among them."""
    mark = str(time.monotonic_ns())
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=os.environ | env | {MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seen: dict[tuple[int, float], float] = {}
    marked: dict[tuple[int, float], bool] = {}
    while process.poll() is None:
        for one in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                key = (one.pid, one.create_time())
                if key not in marked or not marked[key]:
                    marked[key] = one.environ().get(MARK) == mark
                if marked[key]:
                    seen[key] = sum(one.cpu_times()[:2])
        time.sleep(0.2)
    if process.returncode != 0:
        raise SystemExit(f"{arguments[0]} ended with {process.returncode}")
    return sum(seen.values())


if __name__ == "__main__":
    main()
