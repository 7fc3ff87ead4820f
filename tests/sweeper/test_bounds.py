"""Every setting has bounds, checked before anything is computed of it; a name is no path, and nothing is empty."""

import math
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import yaml

from data_prep.spec import Cleaning, PassRateRange
from rewards.program import run_main
from sweeper.cli import annotate
from sweeper.cli.main import main
from sweeper.grid.constraints import GridRules
from sweeper.grid.expand import expand, results_dir_of
from sweeper.grid.schema import Config
from sweeper.host.errors import ConfigError
from sweeper.inputs.add_model import find
from sweeper.inputs.tiny import build_tokenizer, tokens_of
from sweeper.launch.slurm.scheduler import SchedulerError, max_array_size
from sweeper.plan.plan import spec_from
from sweeper.plan.refusals import check
from sweeper.spec.bounds import Name, validated
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec


@cache
def base(*overrides: str) -> dict[str, Any]:
    return expand(overrides, multirun=False).points[0].config


def with_value(config: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy of a composed config in which one setting has another value."""
    copy = deepcopy(config)
    *parents, last = key.split(".")
    held = copy
    for name in parents:
        held = held[name]
    held[last] = value
    return copy


def leaves(kind: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Every setting by its dotted key, with its plain type; of a list or mapping, that of what it holds."""
    for name, hint in get_type_hints(kind).items():
        path = f"{key}.{name}".lstrip(".")
        held = next((one for one in get_args(hint) if one is not type(None)), hint) if get_args(hint) else hint
        if is_dataclass(hint):
            yield from leaves(hint, path)
        elif get_origin(hint) is dict and get_args(hint)[1] in (int, float):
            yield path, dict[str, get_args(hint)[1]]
        elif get_origin(hint) is tuple and held in (int, float, str):
            yield path, tuple[held]
        elif held in (int, float, str):
            yield path, held


LEAVES = dict(leaves(RunSpec, ""))
FILLED_IN_BY_US = {"reward_suite", "verl_version", "spec_version"}
# An image is needed where there is a runtime, a tokenizer where lengths are counted.
MAY_BE_EMPTY = {"cluster.container.image", "data.cleaning.tokenizer"}


def worst(kind: Any) -> list[Any]:
    """Values that no setting of a type may have."""
    inner = get_args(kind)[-1] if get_args(kind) else kind
    values: list[Any] = {int: [10**30, -(10**30)], float: [math.nan, math.inf, -math.inf], str: ["", " ", "a\0b"]}[
        inner
    ]
    if get_origin(kind) is tuple:
        return [[value] for value in values]
    return [{"math": value} for value in values] if get_origin(kind) is dict else values


def test_the_settings_that_are_looked_at_are_all_there_are() -> None:
    assert len(LEAVES) > 120
    assert {"training.actor_lr", "eval.ks", "domain_mix.weights", "data.cleaning.near_duplicates", "seed"} <= set(
        LEAVES
    )


@pytest.mark.parametrize("key", sorted(LEAVES.keys() - FILLED_IN_BY_US - MAY_BE_EMPTY))
def test_a_setting_without_bounds_is_found(key: str) -> None:
    for value in worst(LEAVES[key]):
        with pytest.raises(ConfigError) as caught:
            spec_from(with_value(base(), key, value))
        assert all(part in str(caught.value) for part in key.split(".")), str(caught.value)
        assert "\n" not in str(caught.value)


# What a batch script, a terminal or a YAML file would obey, or show as something else.
OBEYED = ("a\nb", "a\rb", "a\tb", "a\x1b[2Jb", "a\x7fb", "a\x9b2Jb", "a\u202eb", "a\u2066b", "a\u2028b", "a\udc9bb")


def texts(kind: Any, key: str = "") -> Iterator[tuple[str, Callable[[str], Any]]]:
    """Every text of the schema by its dotted key, with what makes a value that has a given text in it."""
    for name, hint in get_type_hints(kind).items():
        path, plain = f"{key}.{name}".lstrip("."), [one for one in get_args(hint) if one is not type(None)] or [hint]
        if is_dataclass(plain[0]) and get_origin(hint) is tuple:
            for inner, made in texts(plain[0]):
                yield path, lambda text, inner=inner, made=made: [{inner: made(text)}]  # type: ignore[misc]
        elif is_dataclass(plain[0]):
            yield from texts(plain[0], path)
        elif get_origin(hint) is dict and plain[1] is str:
            yield path, lambda text: {text: "a.py:b"}
            yield path, lambda text: {"a": text}
        elif plain[0] is str and get_origin(hint) is tuple:
            yield path, lambda text: [text]
        elif plain[0] is str and get_origin(hint) is not dict:
            yield path, lambda text: text


def test_no_text_of_a_run_holds_what_a_script_or_a_terminal_would_obey() -> None:
    found = [(key, made) for key, made in texts(RunSpec) if key not in FILLED_IN_BY_US]
    assert {
        "cluster.container.image",
        "cluster.setup",
        "reward.sources",
        "data.filters",
        "data.cleaning.tokenizer",
    } <= {key for key, _ in found}
    assert len(found) > 45
    for key, made in found:
        for text in OBEYED:
            with pytest.raises(ConfigError) as caught:
                spec_from(with_value(base(), key, made(text)))
            assert key.split(".")[-1] in str(caught.value), caught.value


@pytest.mark.parametrize("key", [key for key, _ in texts(Config) if key.count(".") == 0 or "model_family" in key])
def test_no_text_beside_the_runs_holds_what_a_script_or_a_terminal_would_obey(key: str) -> None:
    for text in OBEYED:
        with pytest.raises(ConfigError, match=key.split(".")[-1]):
            validated(get_type_hints(Config, include_extras=True)[key.split(".")[0]], *_given(key, text))


def _given(key: str, text: str) -> tuple[str, Any]:
    group, _, name = key.partition(".")
    if not name:
        return key, text
    return group, {**base()["model_family"], name: text}


@pytest.mark.parametrize("key", ["replicates", "budget_gpu_hours"])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_the_numbers_of_a_grid_file_have_bounds(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"grid\.{key}={value}"):
        validated(GridRules, "grid", {key: value})


@pytest.mark.parametrize("line", ["grid.replicates=0", "grid.budget_gpu_hours=nan", "grid.budget_gpu_hours=-1"])
def test_the_rules_of_a_grid_are_held_to_their_bounds(line: str) -> None:
    with pytest.raises(ConfigError, match=rf"{line}(\.0)?: must be at least"):
        expand(["+grid=smoke", line], multirun=True)


# As a new user wrote them: accepted before, or a traceback.
REFUSED = {
    "training.actor_lr=-1.0": "training.actor_lr=-1.0: must be above 0 and finite",
    "training.actor_lr=.nan": "training.actor_lr=nan: must be above 0 and finite",
    "training.actor_lr=.inf": "training.actor_lr=inf",
    "training.temperature=-1": "training.temperature",
    "training.top_p=2.0": "training.top_p=2.0: must be above 0 and at most 1",
    "training.max_response_length=0": "must be at least 1 and at most 1,000,000,000",
    "training.max_prompt_length=0": "training.max_prompt_length=0",
    "training.max_prompt_length=-5": "training.max_prompt_length=-5",
    "training.lr_warmup_steps=-100": "training.lr_warmup_steps=-100: must be at least 0",
    "training.grad_clip=0": "training.grad_clip",
    "training.save_freq=0": "training.save_freq=0",
    "training.weight_decay=-0.1": "training.weight_decay=-0.1",
    "training.critic_lr=0": "training.critic_lr",
    "training.total_steps=-3": "training.total_steps=-3",
    "training.sft.batch_size=0": "training.sft.batch_size=0",
    "eval.val_n=0": "eval.val_n=0",
    "eval.val_freq=0": "eval.val_freq=0",
    "eval.val_freq=-1": "eval.val_freq=-1",
    "eval.temperature=0": "eval.temperature=0 draws the same answer every time, so that pass@128 (eval.ks) is pass@1",
    "eval.temperature=-0.1": "eval.temperature=-0.1: must be at least 0 and finite",
    "eval.domains=[]": "eval.domains: must have at least one value, and none twice",
    "eval.domains=[math,math]": "eval.domains",
    "eval.ks=[0,1]": "eval.ks, value 0: must be at least 1",
    "eval.ks=[1,1]": "eval.ks",
    "eval.n_samples=0": "eval.n_samples=0",
    "eval.problems_per_domain=0": "eval.problems_per_domain=0",
    "algorithm.ppo_epochs=0": "algorithm.ppo_epochs=0",
    "algorithm.lora.rank=-3": "algorithm.lora.rank=-3",
    "algorithm.lora.target_modules=[]": "algorithm.lora.target_modules",
    "algorithm.gamma=1.5": "algorithm.gamma=1.5: must be at least 0 and at most 1",
    "algorithm.clip_ratio_c=1": "algorithm.clip_ratio_c",
    "algorithm.kl.reward_controller=foo": "algorithm.kl.reward_controller='foo': must be fixed or adaptive",
    "algorithm.kl.loss_coef=-0.1": "algorithm.kl.loss_coef=-0.1",
    "model.architecture.num_heads=3": "model.architecture.num_heads=3 must divide hidden_size",
    "model.architecture.num_kv_heads=3": "model.architecture.num_kv_heads=3 must divide num_heads",
    "model.architecture.head_size=7": "the size of a head, 7, must be even",
    "model.architecture.vocab_size=10": "model.architecture.vocab_size=10: must be at least",
    "model.architecture.num_heads=0": "model.architecture.num_heads=0",
    "model.resources.gpus_per_node=0": "model.resources.gpus_per_node=0",
    "model.resources.nodes=0": "model.resources.nodes=0",
    "model.resources.tensor_parallel=0": "model.resources.tensor_parallel=0",
    "model.resources.sequence_parallel=0": "model.resources.sequence_parallel=0",
    "model.resources.gpu_memory_utilization=1.5": "must be above 0 and at most 1",
    "model.warm_start.error_rate=2.0": "model.warm_start.error_rate=2.0: must be at least 0 and at most 1",
    "data_scale.n_unique=-1": "data_scale.n_unique=-1",
    "data_scale.epochs=-1": "data_scale.epochs=-1",
    "domain_mix.weights={math: -1}": "domain_mix.weights.math=-1",
    "data.filters=[{column: a_pass_rate, low: -1}]": "a filter of data.filters on a_pass_rate from -1",
    "data.cleaning.near_duplicates=0": "data.cleaning.near_duplicates=0",
    "data.screen.min_pass_rate=-0.5": "data.screen.min_pass_rate=-0.5",
    "seed=9999999999999999999999": "must be at least -2,147,483,648 and at most 2,147,483,647",
    "verl={actor: {lr: .nan}}": "verl: must hold finite numbers, and actor.lr=nan is none",
    "cluster.max_parallel=0": "cluster.max_parallel=0",
    "cluster.max_parallel=-1": "cluster.max_parallel=-1",
}
ON_SLURM = {
    "model.resources.hours=0": "model.resources.hours=0",
    "model.resources.hours=-4": "model.resources.hours=-4",
    "model.resources.hours=100000.0": "model.resources.hours=100000.0: must be above 0 and at most 8,760",
    "model.resources.hours=0.01": "is over before cluster.signal_seconds=120",
    "cluster.memory_gb_per_gpu=-3": "cluster.memory_gb_per_gpu=-3",
    "cluster.max_gpus=-3": "cluster.max_gpus=-3",
    "cluster.cpus_per_gpu=0": "cluster.cpus_per_gpu=0",
    "cluster.signal_seconds=0": "cluster.signal_seconds=0",
    "cluster.confirm_gpu_hours=.nan": "cluster.confirm_gpu_hours=nan",
    "cluster.stalled_after_minutes=0": "cluster.stalled_after_minutes",
    "cluster.account=my account": "cluster.account='my account': must be one word",
    "cluster.partition=": "cluster.partition='': must be one word: not empty",
    "cluster.qos=--wrap=x": "cluster.qos='--wrap=x'",
    "cluster.exclude=[n1, '']": "cluster.exclude, value ''",
    "cluster.python=": "cluster.python='': must not be empty (is a variable of the shell unset?)",
    "cluster.secrets_file=": "cluster.secrets_file=''",
    "cluster.container.runtime=pyxis": "cluster.container.image is empty, and cluster.container.runtime=pyxis",
    "cluster.container.runtime=apptainer": "cluster.container.image is empty",
}


@pytest.mark.parametrize("line", [*REFUSED, *ON_SLURM])
def test_a_value_out_of_its_bounds_is_refused_with_key_value_and_range(line: str) -> None:
    key, _, value = line.partition("=")
    config = base("cluster=slurm") if line in ON_SLURM else base()
    parsed = "" if not value else yaml.safe_load(value)
    with pytest.raises(ConfigError) as caught:
        check(spec_from(with_value(config, key, parsed)), family="tiny")
    assert (REFUSED | ON_SLURM)[line] in str(caught.value)
    assert "\n" not in str(caught.value)


# What borders on the refused and is meant.
TAKEN = [
    ("seed=-1",),
    (
        "training.weight_decay=0",
        "training.lr_warmup_steps=0",
        "algorithm.kl.in_loss=true",
        "algorithm.kl.loss_coef=0",
        "algorithm.entropy_coeff=-0.1",
    ),
    ("eval.temperature=0", "eval.ks=[1]"),
    ("cluster.confirm_gpu_hours=0", "cluster.max_loss_minutes=null"),
    ("training.top_p=1", "algorithm=ppo", "algorithm.gamma=0", "algorithm.ppo_epochs=2", "algorithm.clip_ratio_high=4"),
    ("results_dir=/tmp/100%j", "cluster=slurm"),  # the job's logs lie there: test_batch_script
]


@pytest.mark.parametrize("overrides", TAKEN, ids=" ".join)
def test_a_value_at_its_bound_is_taken(overrides: tuple[str, ...]) -> None:
    check(spec(*overrides), family="tiny")


def test_a_spec_that_was_written_before_there_was_a_bound_can_still_be_read() -> None:
    text = spec().to_json().replace('"grad_clip":1.0', '"grad_clip":0.0')
    assert RunSpec.from_json(text).training.grad_clip == 0.0
    assert RunSpec.from_json(text).run_id != spec().run_id


def test_a_tiny_models_tokens_are_counted_without_its_tokenizer() -> None:
    assert tokens_of(["<a>", "<b>"]) == len(build_tokenizer(["<a>", "<b>"]))


NO_NAMES = ["../../evil", "a/b", "/abs", "-x", ".hidden", "..", "", "a b", "a\nb", "n" * 65, "5", "1e5", "null", "true"]
NO_NAMES += ["0x1f", "2024-01-01", "1_000", "%j", "a:b", "'x'"]


@pytest.mark.parametrize("name", NO_NAMES)
@pytest.mark.parametrize("key", ["model.name", "domain_mix.name", "algorithm.name", "model.family", "curriculum.name"])
def test_a_name_is_one_plain_part_of_a_path(key: str, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{key}=.*must be a plain name"):
        spec_from(with_value(base(), key, name))


@pytest.mark.parametrize("name", ["qwen2.5-0.5b", "7b", "_x", "modèle", "a+b", "n" * 64, "v1.0"])
def test_a_plain_name_is_taken(name: str) -> None:
    assert validated(Name, "model.name", name) == name


def test_names_that_are_too_long_together_are_refused() -> None:
    config = base()
    for part in ("model", "algorithm", "domain_mix"):
        config = with_value(config, f"{part}.name", part[0] * 64)
    with pytest.raises(ConfigError, match="bytes long, and a run's name, which is that of its files, at most 160"):
        check(spec_from(config), family="tiny")


@pytest.mark.parametrize("grid", ["../model/tiny-40k", ".x", "null", "5", "a/b"])
def test_a_grids_name_is_one_plain_part_of_a_path(grid: str) -> None:
    with pytest.raises(ConfigError, match=r"^grid=.*(must be a plain name|should be a valid string)"):
        expand([f"+grid={grid}"], multirun=True)


@pytest.mark.parametrize("verb", ["plan", "export-sbatch", "doctor", "suggest"])
@pytest.mark.parametrize("key", ["data_root", "results_dir", "cluster.partition"])
def test_an_empty_value_is_refused_and_named_in_every_verb(
    verb: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    budget = ["--budget-gpu-hours", "1"] if verb == "suggest" else []
    where = [] if key == "results_dir" else [f"results_dir={tmp_path}"]
    assert main([verb, "+grid=smoke", "cluster=slurm", f"{key}=", *where, *budget]) == 2
    told = capsys.readouterr()
    assert f"{key}=''" in told.out + told.err
    assert "Traceback" not in told.err
    assert list(tmp_path.iterdir()) == []


def test_bounds_stand_beside_what_hydra_reads_as_plain_types() -> None:
    assert get_type_hints(Config)["seed"] is int
    assert get_type_hints(Config, include_extras=True)["seed"] is not int
    assert get_type_hints(Cleaning)["near_duplicates"] == float | None
    assert get_type_hints(PassRateRange)["low"] is float


def told(program: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a program says of a command that it refuses."""
    assert run_main(f"{program}.cli.main" if program == "sweeper" else f"{program}.cli", arguments) == 2
    return capsys.readouterr().err


EMPTY = {
    "sweeper": [
        *(["status", "--results", ""], ["results", "--results", ""], ["gc", "--results", " "], ["retry", "--results="]),
        *(["results", "--parquet", ""], ["export-sbatch", "--out", ""], ["cancel", ""], ["why", ""], ["logs", ""]),
        *(["retry", ""], ["status", ""], ["results", ""], ["add-model", ""], ["plan", "results_dir="], ["plan", ""]),
    ],
    "analysis": [
        *(["report", "--results", ""], ["report", "-o", ""], ["report", "--grid", ""], ["ask", "size", "--results="]),
        *(["ask", "size", "--figures", ""], ["fit", ""], ["rank", "", "--x", "x"], ["passk", ""], ["import", ""]),
        *(["passk", "--base", ""], ["passk", "--answers", ""], ["import", "a.csv", "--csv", ""]),
    ],
    "data_prep": [
        *(["validate", ""], ["validate", "x", "--against", ""], ["inspect", ""], ["inspect", "x", "--tokenizer="]),
        *(["fetch", "guru", "--out", ""], ["prepare", "data_root="], ["annotate", "--out="], ["prepare", ""]),
    ],
    "rewards": [["check", ""], ["check", "a.parquet", " "]],
}


@pytest.mark.parametrize(("program", "arguments"), [(name, one) for name, some in EMPTY.items() for one in some])
def test_an_empty_argument_is_refused_and_never_the_current_folder(
    program: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert re.fullmatch(
        r"error: argument '.*' is empty: is a variable of the shell unset\?\n", told(program, arguments, capsys)
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "arguments", "says"),
    [
        (
            "sweeper",
            ["seed=0", "--budget-gpu-hours", "nan"],
            "--budget-gpu-hours: 'nan': must be at least 0 and finite",
        ),
        ("sweeper", ["seed=0", "--budget-gpu-hours", "-1"], "'-1': must be at least 0"),
        ("sweeper", ["plan", "seed=0", "--budget-gpu-hours", "inf"], "'inf': must be at least 0 and finite"),
        ("sweeper", ["plan", "seed=0", "--budget-gpu-hours", "ten"], "'ten' is no float"),
        ("sweeper", ["suggest", "seed=0,1", "--budget-gpu-hours", "0"], "'0': must be above 0"),
        ("sweeper", ["suggest", "seed=0,1", "--budget-gpu-hours", "nan"], "'nan': must be above 0"),
        ("sweeper", ["results", "../../x"], "'../../x': must be a plain name"),
        ("analysis", ["report", "--grid", "../x"], "--grid: '../x': must be a plain name"),
        ("analysis", ["import", "a.csv", "--n-params", "0"], "--n-params: '0': must be at least 1"),
        ("analysis", ["import", "a.csv", "--gpus", "-2"], "--gpus: '-2': must be at least 1"),
    ],
)
def test_a_flag_out_of_its_bounds_is_refused_with_its_range(
    program: str, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in told(program, arguments, capsys)


def test_an_annotation_takes_at_least_one_sample(capsys: pytest.CaptureFixture[str]) -> None:
    assert annotate.main(["model=tiny-40k", "--n", "0"]) == 2
    assert "argument --n: '0': must be at least 1" in capsys.readouterr().err


def test_a_site_without_job_arrays_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scontrol = tmp_path / "scontrol"
    scontrol.write_text("#!/bin/sh\nprintf 'MaxArraySize            = 0\\n'\n")
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SchedulerError, match=r"MaxArraySize=0 .*: this site has no job arrays"):
        max_array_size()


def test_a_folder_above_the_results_and_a_model_have_names_that_stay_in_their_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a\nname: hacked"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigError, match=r"results_dir=.*control characters"):
        results_dir_of({"results_dir": "results"})
    with pytest.raises(ConfigError, match=r"add-model=.*control characters"):
        find(str(folder))
