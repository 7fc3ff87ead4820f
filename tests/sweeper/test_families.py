"""Families of models: shapes and counts as published, and resources for each type of GPU."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from data_prep.prompt_style import OWN_STYLE
from sweeper.grid.expand import expand
from sweeper.inputs.add_model import Found, architecture, settings_of
from sweeper.plan.cost import Pricer
from sweeper.plan.gpu import GPUS
from sweeper.plan.notes import _longer_than_a_job
from sweeper.plan.plan import make_plan, spec_from
from sweeper.spec.model import Model
from sweeper.spec.run import RunSpec
from tests.sweeper.points import grid_of, spec
from tests.sweeper.published import PUBLISHED

FAMILIES = {
    "qwen3": "qwen3",
    "qwen3-thinking": "qwen3-thinking",
    "llama": "llama",
    "llama-instruct": "llama",
    "olmo2": "olmo2",
    "smollm": "smollm",
}

WEEK = 168  # hours


@cache
def runs_of(family: str) -> dict[str, RunSpec]:
    """A run of each model of a family."""
    first = expand([f"model_family={family}", "cluster=slurm"], multirun=False).points[0].config
    words = (f"model_family={family}", f"model={first['model_family']['models']}", "cluster=slurm")
    runs = [spec_from(point.config) for point in grid_of(*words).points]
    return {run.model.name: run for run in runs}


def model(name: str) -> Model:
    return next(runs_of(family)[name].model for family in FAMILIES if name in runs_of(family))


def test_every_model_of_these_families_is_in_the_table_and_no_other() -> None:
    assert sorted(name for family in FAMILIES for name in runs_of(family)) == sorted(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_model_has_the_shape_and_the_parameter_count_that_is_published(name: str) -> None:
    found, published = model(name), PUBLISHED[name]
    assert found.architecture == architecture(published.config)
    assert found.architecture.n_params == published.total
    assert (found.path, found.revision) == (published.repository, published.revision)
    assert abs(found.nominal / published.total - 1) < 0.4


def test_of_a_mixture_the_parameters_that_a_token_passes_are_counted_apart() -> None:
    for name in ("qwen3-30b-a3b", "qwen3-30b-a3b-base"):
        shape = model(name).architecture
        assert shape.n_params_active + shape.n_params_head == PUBLISHED[name].active
        assert shape.n_params_non_embedding + shape.n_params_embedding + shape.n_params_head == PUBLISHED[name].total


@pytest.mark.parametrize("name", PUBLISHED)
def test_transformers_builds_each_with_the_same_number_of_parameters(name: str) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = dict(PUBLISHED[name].config)
    built = AutoConfig.for_model(config.pop("model_type"), **config)
    with torch.device("meta"):
        whole = AutoModelForCausalLM.from_config(built)
    assert sum(parameter.numel() for parameter in whole.parameters()) == PUBLISHED[name].total


@pytest.mark.parametrize("name", PUBLISHED)
def test_add_model_writes_the_same_numbers_from_a_config_json(name: str) -> None:
    published, expected = PUBLISHED[name], model(name)
    found = Found(
        config=json.loads(json.dumps(published.config)),
        path=published.repository,
        revision=published.revision,
        n_params=published.stored or published.total,
        has_template=expected.prompt_style == OWN_STYLE,
    )
    written = settings_of(found, name=name, family=expected.family)
    told = {key: getattr(expected.architecture, key) for key in written["architecture"]}
    assert written["architecture"] == told
    assert written["path"] == expected.path


def test_a_base_model_without_a_template_is_given_one_and_one_with_a_template_keeps_it() -> None:
    styles = {family: {run.model.prompt_style for run in runs_of(family).values()} for family in FAMILIES}
    assert styles == {
        "qwen3": {OWN_STYLE},
        "qwen3-thinking": {OWN_STYLE},
        "llama": {"base-bos"},
        "llama-instruct": {"llama3"},
        "olmo2": {"base"},
        "smollm": {"base"},
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_the_regime_of_a_family_fits_the_context_of_its_models(family: str) -> None:
    for run in runs_of(family).values():
        assert run.model.family == FAMILIES[family]
        assert run.training.max_length <= run.model.architecture.max_position_embeddings


# Dense models and a mixture; the others' are the night's.
DAILY = ("qwen2.5", "qwen3")


@pytest.mark.parametrize(
    "family",
    [
        pytest.param(name, marks=[] if name in DAILY else [pytest.mark.nightly])
        for name in (*FAMILIES, "qwen2.5", "r1-distill")
    ],
)
def test_every_model_fits_every_type_of_gpu_with_and_without_a_critic_and_is_the_same_run_on_each(family: str) -> None:
    models = ",".join(runs_of(family))
    asked = (f"model_family={family}", f"model={models}", "algorithm=grpo,ppo", "cluster=slurm")
    whole = grid_of(*asked, f"cluster.gpu_type={','.join(GPUS)}")  # expanded once: nearly all of the time is Hydra's
    points = {kind: [one for one in whole.points if one.choice["cluster.gpu_type"] == kind] for kind in GPUS}
    plans = [make_plan(replace(whole, points=tuple(points[kind])), Path("/nowhere")) for kind in GPUS]
    assert {len(planned.runs) for planned in plans} == {2 * len(runs_of(family))}
    assert [(run.run_id, run.reason) for planned in plans for run in planned.refused] == []
    assert len({tuple(run.run_id for run in planned.runs) for planned in plans}) == 1
    for kind, planned in zip(GPUS, plans, strict=True):
        for run in planned.runs:
            assert run.spec is not None
            assert set(run.spec.model.vetted) == set(GPUS), kind
            table = run.spec.model.vetted[kind]
            assert {key: getattr(run.spec.model.resources, key) for key in table} == table


@pytest.mark.parametrize("family", [*FAMILIES, "qwen2.5", "r1-distill"])
def test_the_time_limit_of_a_preset_is_the_most_that_a_run_is_planned_to_take_or_a_week(family: str) -> None:
    for run in runs_of(family).values():
        for kind, table in run.model.vetted.items():
            resources = replace(run.model.resources, **table)
            held_to_its_limit(replace(run, model=replace(run.model, resources=resources)), kind)


@pytest.mark.parametrize("family", ["guru-7b", "guru-32b"])
def test_the_time_limit_of_a_released_script_is_too(family: str) -> None:
    held_to_its_limit(spec(f"model_family={family}", "cluster=slurm", "cluster.gpu_type=H200"), "H200")


def held_to_its_limit(run: RunSpec, kind: str) -> None:
    at = replace(run, cluster=replace(run.cluster, gpu_type=kind))
    cost = Pricer((), Path("/nowhere")).cost(at)
    assert cost.hours_range is not None
    assert min(cost.hours_range[1], WEEK) <= at.model.resources.hours <= WEEK, (at.model.name, kind)
    assert bool(list(_longer_than_a_job([(at, cost)]))) is (cost.hours_range[1] > WEEK), (at.model.name, kind)


def test_of_an_engine_beside_offloaded_states_the_rollout_takes_most_of_a_gpu() -> None:
    for family in (*FAMILIES, "qwen2.5", "r1-distill"):
        for run in runs_of(family).values():
            for kind, table in run.model.vetted.items():
                assert not table["offload"] or table["gpu_memory_utilization"] >= 0.75, (run.model.name, kind)
