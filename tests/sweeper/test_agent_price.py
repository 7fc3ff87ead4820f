"""What a plan says of runs with an agent: each has its own price, its own base model's pass@k, its own name."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeper.plan.base_models import BaseModels
from sweeper.plan.cost import Cost, Pricer
from sweeper.plan.gpu import GPUS
from sweeper.plan.plan import Plan
from sweeper.plan.played import CALLS, NOTHING_MEASURED, PREFIX_CACHE, TURN, PlayedRuns, most_turns
from sweeper.plan.rates import MEAN_LENGTH, PREFILL_SHARE
from sweeper.plan.throughput import Calibrator, roofline
from sweeper.plan.totals import totals_of
from sweeper.plan.view import plan_json, plan_text
from sweeper.rows.differences import differences
from sweeper.rows.flops import encoded_again, planned_flops
from sweeper.rows.row import ResultRow, Status
from sweeper.rows.trajectories import Trajectories
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
    short, long = (spec(*TINY, "agent=calculator", f"agent.context={most}") for most in (60, 90))
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


def seconds(run: RunSpec, acted: PlayedRuns = NOTHING_MEASURED) -> dict[str, float]:
    found = roofline(run, acted=acted)
    assert found is not None
    return found


def of_agent(*overrides: str) -> RunSpec:
    return spec(*QWEN, *overrides)


def test_every_further_turn_takes_time() -> None:
    times = [seconds(spec(*TINY, "agent=calculator", f"agent.max_turns={turns}")) for turns in (1, 2, 4, 8)]
    for phase in ("generation", "validation", "evaluation"):
        found = [time[phase] for time in times]
        assert found == sorted(set(found)), phase


def test_a_step_waits_for_the_calls_of_the_trajectory_that_ends_last(monkeypatch: pytest.MonkeyPatch) -> None:
    run, times = of_agent("agent=python"), []
    for wall in (0.5, 2.5):
        monkeypatch.setitem(CALLS, "python", (wall, 0.0))
        times.append(seconds(run)["generation"])
    assert times[1] - times[0] == pytest.approx(run.total_steps * 3 * 2.0)


def test_tools_that_compute_longer_than_the_engine_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    run = of_agent("agent=python")
    monkeypatch.setitem(CALLS, "python", (0.054, 10.0))
    share = run.training.train_batch_size * run.algorithm.rollout_n / run.model.resources.devices
    assert seconds(run)["generation"] == pytest.approx(run.total_steps * share * 3 * (10.0 + TURN))


def test_without_a_prefix_cache_an_engine_encodes_what_came_before_every_turn() -> None:
    run = of_agent("agent=calculator")
    without = replace(run, verl={**run.verl, PREFIX_CACHE: False})
    more = seconds(without)["generation"] - seconds(run)["generation"]
    cached, played = (NOTHING_MEASURED.expected(one, MEAN_LENGTH) for one in (run, without))
    assert played is not None
    assert cached is not None
    assert (cached.prefix_cache, played.prefix_cache) == (True, False)
    arch, peak = run.model.architecture, GPUS["H100"].flops * PREFILL_SHARE
    again = encoded_again(arch, turns=3, tokens=played.prefilled_again)
    read = 2 * (arch.n_params_active + arch.n_params_head) * played.observed
    share = run.training.train_batch_size * run.algorithm.rollout_n / run.model.resources.devices
    assert more == pytest.approx(run.total_steps * share * (again - read) / peak)
    # Before turns 2 to 4: the prompt each time, and one, two and three turns with what was observed.
    one = played.generated / 4 + played.observed / 3
    assert played.prefilled_again == pytest.approx(3 * played.prompt + 6 * one)


def test_no_turn_is_reckoned_with_that_the_budget_of_calls_forbids() -> None:
    assert most_turns(of_agent("agent=python", "agent.max_calls=1")) == 3  # a call, one that is refused, the last word
    assert most_turns(of_agent("agent=python", "agent.max_calls=9")) == 4
    assert most_turns(of_agent("agent=higher_lower", "agent.max_calls=2")) == 3
    assert most_turns(of_agent("agent=python")) == 4


def test_a_trajectory_stays_within_its_context_and_its_turns() -> None:
    small = NOTHING_MEASURED.expected(spec(*TINY, "agent=calculator", "agent.context=40"), 1.0)
    assert small is not None
    assert small.prompt + small.generated + small.observed == pytest.approx(40)
    short = NOTHING_MEASURED.expected(spec(*TINY, "agent=calculator", "agent.turn_tokens=5"), 1.0)
    assert short is not None
    assert short.generated == short.longest == 20


def played_row(run: RunSpec, model: str = "", factor: int = 1, turns: int = 250) -> ResultRow:
    """Of a run whose one step had 100 trajectories: two and a half turns, 30 tokens drawn and 12 observed each."""
    did = Trajectories(
        n=100,
        turns=turns,
        calls=150,
        errors=0,
        refused=0,
        used_a_tool=90,
        generated_tokens=3000 * factor,
        observed_tokens=1200,
        prefilled_again_tokens=5000,
        tool_cpu_s=0.3,
        ended={"answered": 100},
    )
    made = row_of(run)
    point = replace(made.curve[0], trajectories=did)
    return replace(made, agent=run.agent.name, model=model or made.model, curve=(point,))


def test_measured_trajectories_take_the_place_of_what_is_assumed() -> None:
    run = spec(*TINY, "agent=calculator")
    played = PlayedRuns([played_row(run)]).expected(run, 1.0)
    assert played is not None
    assert (played.turns, played.generated, played.observed, played.prefilled_again) == (2.5, 30.0, 12.0, 50.0)
    assert played.busy_s == pytest.approx(1.5 * TURN + 0.003)
    told = {item.what: (item.value, item.source) for item in played.assumptions}
    source = "measured: 1 run of this agent with tiny-agent-130k"
    assert told["turns per trajectory"] == (2.5, source)
    assert told["tokens generated per turn"] == (12.0, source)
    assert told["tokens observed between turns"] == (8.0, source)
    assert told["CPU seconds per call"] == (0.002, source)
    assert seconds(run, PlayedRuns([played_row(run)]))["generation"] < seconds(run)["generation"]


def test_of_several_models_the_one_nearest_in_size_says_what_trajectories_do() -> None:
    run = spec(*TINY, "agent=calculator")
    far = replace(played_row(run, "tiny-agent-1.4m", factor=9), n_params=1_400_000)
    near = replace(played_row(run, "tiny-agent-430k", factor=2), n_params=430_000)
    played = PlayedRuns([far, near]).expected(run, 1.0)
    assert played is not None
    assert played.generated == 60.0
    assert played.assumptions[0].source == "measured: 1 run of this agent with tiny-agent-430k"


def test_another_agent_and_a_failed_run_say_nothing_of_trajectories() -> None:
    run, other = spec(*TINY, "agent=calculator"), spec(*TINY, "agent=calculator", "agent.max_turns=2")
    failed = replace(played_row(run), status=Status.failed)
    assert PlayedRuns([played_row(other), failed]).expected(run, 1.0) == NOTHING_MEASURED.expected(run, 1.0)


@pytest.mark.parametrize("length", ["max_prompt_length=64", "max_response_length=4096"])
def test_a_run_that_allows_other_lengths_says_nothing_of_trajectories(length: str) -> None:
    run, longer = spec(*TINY, "agent=calculator"), spec(*TINY, "agent=calculator", f"training.{length}")
    measured = PlayedRuns([played_row(run)])
    assert measured.knows(run)
    assert not measured.knows(longer)
    assert measured.expected(longer, 1.0) == NOTHING_MEASURED.expected(longer, 1.0)


@pytest.mark.parametrize(("name", "like"), [("python", ""), ("verifier", "python"), ("higher_lower", "calculator")])
def test_only_what_was_measured_is_called_measured(name: str, like: str) -> None:
    played = NOTHING_MEASURED.expected(of_agent(f"agent={name}"), 1.0)
    assert played is not None
    said = f"assumed for {name}, which was not measured: as {like}" if like else f"measured: {name}"
    assert [item.source for item in played.assumptions if "per call" in item.what] == [f"{said} on two busy cores"] * 2


def test_the_time_of_a_tool_that_nobody_measured_is_said_not_to_be_in_the_price(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        'def twice(x: int) -> str:\n    """Twice.\n\n    Args:\n        x: It.\n    """\n'
    )
    run = spec(*TINY, "agent=calculator", f"agent.tools=[{tmp_path}/mine.py:twice]")
    played = NOTHING_MEASURED.expected(run, 1.0)
    assert played is not None
    told = {item.what: item for item in played.assumptions}
    assert told["seconds per call"].value is told["CPU seconds per call"].value is None
    assert told["seconds per call"].shown == "not known"
    assert told["seconds per call"].source == "mine.py:twice not measured, and not in the price; a call ends after 4 s"
    assert played.wait_s == TURN


def test_runs_with_an_agent_are_corrected_by_those_with_one() -> None:
    run, plain = spec(*TINY, "agent=calculator"), spec(*TINY)
    other = spec(*TINY, "agent=calculator", "agent.max_turns=2")
    acted = PlayedRuns([played_row(run)])
    found = Calibrator([(plain, 50.0), (run, 3 * sum(seconds(run, acted).values()))], acted)
    assert (with_one := found.of_run(run)) is not None
    assert with_one.factor == pytest.approx(3)
    assert with_one.basis == "1 measured run of this model with an agent on cpu"
    assert (without := found.of_run(plain)) is not None
    assert without.factor == pytest.approx(50.0 / sum(seconds(plain).values()))
    # Of the other agent nothing was measured: what was assumed is corrected by what was assumed.
    assert (assumed := found.of_run(other)) is not None
    assert assumed.factor == pytest.approx(3 * sum(seconds(run, acted).values()) / sum(seconds(run).values()))
    assert Calibrator([(plain, 50.0)]).of_run(run) is None


def test_a_plan_states_in_text_and_json_what_it_assumes_of_agents(two: Plan) -> None:
    text = " ".join(plan_text(two).split())
    assert "turns per trajectory: 4 (assumed: all that agent.max_turns and agent.max_calls allow)" in text
    assert "a prefix cache: no (the engine for CPUs encodes a trajectory anew before each turn)" in text
    assert "more, encoded again before agents' turns without a prefix cache" in text
    plain, acting = (run["cost"] for run in plan_json(two, overrides=None)["runs"])
    assert "agent" not in plain
    assert [set(item) for item in acting["agent"]["assumptions"]] == [{"what", "value", "source"}] * 7
    for item in acting["agent"]["assumptions"]:
        assert f"{item['what']}: " in text
    assert (acting["agent"]["turns"], acting["agent"]["prefix_cache"]) == (4, False)


def test_numbers_of_several_agents_share_a_line_and_are_named_where_they_differ(tmp_path: Path) -> None:
    turns = plan_text(plan(tmp_path, *TINY, "agent=calculator", "agent.max_turns=1,2"))
    assert "turns per trajectory: 1, 2 (assumed" in turns
    assert turns.count("\n          seconds per call: ") == 1
    tools = plan_text(plan(tmp_path, *TINY, "agent=calculator,python"))
    assert "turns per trajectory: 4 (assumed" in tools
    assert " seconds per call: calculator 1e-05 (measured: calculator on two busy cores); python 0.054 (" in tools


def test_a_call_that_leads_nowhere_has_no_price() -> None:
    played = NOTHING_MEASURED.expected(spec(*TINY, "agent=calculator", "agent.max_turns=1"), 1.0)
    assert played is not None
    assert [item.what for item in played.assumptions if "per call" in item.what] == []


def test_flops_encoded_again_are_at_most_those_of_whole_trajectories_before_every_further_turn() -> None:
    run = spec(*TINY, "agent=calculator", "agent.context=60")
    trajectories = run.total_steps * run.training.train_batch_size * run.algorithm.rollout_n
    again = encoded_again(run.model.architecture, turns=3 * trajectories, tokens=180 * trajectories)
    assert planned_flops(run).prefill_repeated == again
    assert planned_flops(spec(*TINY)).prefill_repeated is None
