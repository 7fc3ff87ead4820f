"""What a plan says of runs with an agent: each has its own price, its own base model's pass@k, its own name."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeper.plan.base_models import BaseModels
from sweeper.plan.cost import Cost, Pricer
from sweeper.plan.plan import Plan
from sweeper.plan.totals import totals_of
from sweeper.plan.view import plan_text
from sweeper.rows.differences import differences
from sweeper.spec.run import RunSpec
from tests.sweeper.points import plan, spec
from tests.sweeper.rows import row as row_of

TINY = ("model_family=tiny-agent", "cluster.device=cpu")
QWEN = ("model_family=qwen2.5-instruct", "model.prompt_style=model", "data.tasks=agent", "cluster=slurm")


@pytest.fixture
def pricer(tmp_path: Path) -> Pricer:
    return Pricer((), tmp_path)


def with_agent(run: RunSpec, **settings: Any) -> RunSpec:
    return replace(run, agent=replace(run.agent, **settings))


def test_two_agents_do_not_share_one_price(pricer: Pricer) -> None:
    short, long = (spec(*TINY, "agent=calculator", f"agent.context={most}") for most in (60, 104))
    assert pricer.cost(short) is not pricer.cost(long)
    assert pricer.cost(short).tokens < pricer.cost(long).tokens
    # Nor does a run without one share it.
    assert pricer.cost(spec(*TINY)) is not pricer.cost(long)


def test_tokens_at_most_are_those_of_the_longest_trajectory(pricer: Pricer) -> None:
    run = spec(*TINY, "agent=calculator", "agent.context=60")
    cost = pricer.cost(run)
    assert cost.tokens == cost.samples * 60
    assert cost.evaluation_tokens == 64 * run.eval.n_samples * 60
    assert cost.flops.prompt_tokens is not None
    assert cost.flops.response_tokens is not None
    assert cost.flops.prompt_tokens + cost.flops.response_tokens == cost.tokens


def test_memory_of_an_update_holds_no_more_than_the_longest_trajectory(pricer: Pricer) -> None:
    short = ("agent=python", "training.train_batch_size=8", "training.ppo_mini_batch_size=8", "agent.context=512")

    def needed(run: RunSpec) -> float:
        memory = pricer.cost(run).memory
        assert memory is not None
        return next(peak.total for peak in memory.peaks if peak.phase == "actor")

    run = spec(*QWEN, *short)
    assert needed(run) < needed(with_agent(run, context=None))


def bases(tmp_path: Path, cost: Cost, known: BaseModels, *runs: RunSpec) -> int:
    return totals_of([(run, cost) for run in runs], tmp_path, known).base_models


def test_a_base_model_is_measured_once_per_agent(tmp_path: Path, pricer: Pricer) -> None:
    runs = [spec(*TINY, f"agent={name}") for name in ("none", "calculator", "python")]
    cost = pricer.cost(runs[0])
    assert bases(tmp_path, cost, BaseModels(), *runs) == 3
    known = BaseModels.of([replace(row_of(runs[1]), settings=runs[1].settings())])
    assert bases(tmp_path, cost, known, *runs) == 2
    assert bases(tmp_path, cost, known, runs[1]) == 0


@pytest.mark.parametrize("changed", ["max_turns=2", "max_calls=1", "feedback=false", "turn_tokens=9", "context=50"])
def test_a_base_model_measured_with_another_agent_is_not_measured(changed: str, tmp_path: Path, pricer: Pricer) -> None:
    run, other = spec(*TINY, "agent=calculator"), spec(*TINY, "agent=calculator", f"agent.{changed}")
    for asked, has in ((run, other), (other, run)):
        known = BaseModels.of([replace(row_of(has), settings=has.settings())])
        assert bases(tmp_path, pricer.cost(run), known, asked) == 1


def test_names_and_paths_of_an_agent_measure_no_base_model_anew(tmp_path: Path, pricer: Pricer) -> None:
    run = spec(*TINY, "agent=calculator")
    renamed = with_agent(run, name="abacus")
    known = BaseModels.of([replace(row_of(renamed), settings=renamed.settings())])
    assert bases(tmp_path, pricer.cost(run), known, run) == 0


def test_a_base_model_measured_without_an_agent_stays_measured(tmp_path: Path, pricer: Pricer) -> None:
    run = spec(*TINY)
    known = BaseModels.of([replace(row_of(run), settings=run.settings())])
    assert bases(tmp_path, pricer.cost(run), known, run) == 0


@pytest.fixture
def two(tmp_path: Path) -> Plan:
    return plan(tmp_path, *TINY, "agent=none,calculator")


def test_a_run_without_an_agent_is_called_none(two: Plan) -> None:
    text = plan_text(two)
    assert "unset" not in text
    assert [line.split()[1] for line in text.splitlines() if line.startswith("tiny-agent")] == ["none", "calculator"]
    (found,) = differences([run.spec.settings() for run in two.runs if run.spec])
    assert (found.name, found.values, found.texts) == ("agent", ("none", "calculator"), ("none", "calculator"))
