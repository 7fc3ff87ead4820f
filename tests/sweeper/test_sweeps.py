"""What is one value and what is an axis, as Hydra's own parser says, in every verb alike."""

import json
import re
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.grid.expand import expand
from sweeper.host.errors import ConfigError

ONE_VALUE = [
    "eval.ks=[1,8]",
    "logging.project='a,b'",
    'logging.project="a, b"',
    "domain_mix.weights={math:1,code:2}",
    "data.filters=[{column: a_pass_rate, low: 0.1}]",
    "cluster.exclude=[n1,n2]",
]
AXES = {
    "seed=0,1": 2,
    "seed=range(0,5)": 5,
    "seed=choice(4,2)": 2,
    "model=glob(tiny*)": 8,  # the ladder, and that of agents
    "seed=sort(3,1)": 2,
    "+grid=smoke": 2,
}


@pytest.mark.parametrize("override", ONE_VALUE)
def test_a_comma_inside_a_value_makes_no_axis(override: str) -> None:
    assert len(expand([override], multirun=None).points) == 1
    assert expand([override], multirun=None).launch is None


@pytest.mark.parametrize("override", AXES)
def test_a_sweep_needs_no_m_where_nothing_is_started_and_is_told_of_it_in_a_launch(override: str) -> None:
    assert len(expand([override], multirun=None).points) == AXES[override]
    with pytest.raises(ConfigError, match=r"describes several runs; add -m to run them all: python -m sweeper "):
        expand([override], multirun=False)


@pytest.mark.parametrize("multirun", [False, True, None])
@pytest.mark.parametrize(
    ("grid", "narrowed"),
    [
        ("smoke", ["seed=3"]),
        ("model_scale", ["model=tiny-40k", "data_scale=n64"]),
        ("algorithm", ["algorithm=ppo", "seed=0"]),
        ("model_scale", ["model=tiny-40k", "data_scale=choice(n64)"]),
    ],
)
def test_a_grid_narrowed_to_one_point_runs_with_its_name_and_settings(
    grid: str, narrowed: list[str], multirun: bool | None
) -> None:
    found = expand([f"+grid={grid}", *narrowed], multirun=multirun)
    assert found.launch is not None
    assert (found.launch.name, found.launch.grid) == (grid, grid)
    assert len(found.points) == 1
    assert found.questions
    if grid == "smoke":
        assert found.points[0].config["training"]["total_steps"] == 3
        assert found.points[0].config["seed"] == 3


def test_a_grid_that_is_not_narrow_enough_still_asks_for_m() -> None:
    with pytest.raises(ConfigError, match=r"\+grid=model_scale describes several runs; add -m"):
        expand(["+grid=model_scale", "model=tiny-40k"], multirun=False)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("seed=range(5,0)", r"seed=range\(5,0\) has no value"),
        ("seed=range(0)", "has no value"),
        ("seed=range(0,5,0)", r"seed=range\(0,5,0\): .*must not be zero"),
        ("training.actor_lr=range(0,1,0.0)", "Invalid range values"),
        ("training.actor_lr=interval(1e-5,1e-3)", "an interval has no list of values; write them: .*_lr=a,b"),
        ("seed=choice()", "empty choice is not legal"),
        ("model=glob(nothing*)", "has no value.* Choose from: .*tiny-40k"),
        ("seed=glob(*)", "has no value"),
        ("seed=range(0,10000000000)", "more than 1,000,000 values"),
        ("seed=[0,1],[2,3]", "a list is one value"),
        ("seed=range(0,3),7", "a range or choice stands alone"),
        ("seed=choice(0,1),2", "a range or choice stands alone"),
        ("seed=0,1,", "values stand on both sides of every comma"),
        ("seed=,1", "values stand on both sides of every comma"),
        ("algorithm=null", "None is no algorithm; choose from: .*grpo"),
        ("model=5", "5 is no model; choose from: .*tiny-40k"),
        ("model=[tiny-40k,tiny-130k]", "is no model; choose from: .*tiny-40k"),
        ("model=../model/tiny-40k", "../model/tiny-40k is no model; choose from"),
        ("model=tiny-40k,../model/tiny-130k", "../model/tiny-130k is no model; choose from"),
        ("seed=nonsense(3)", "Unknown function 'nonsense'"),
        ("++hydra.sweeper.params.seed=1,2", "Hydra's own settings change nothing here"),
        ('hydra.sweeper.params={seed:"7,8"}', "Hydra's own settings change nothing here"),
        ("hydra/sweeper=basic", "Hydra's own settings change nothing here"),
        ("=", "names no key"),
        ("=5", "names no key"),
        ("~", "names no key"),
        ("", "written KEY=VALUE"),
        ("#", "written KEY=VALUE"),
        ("seed", "written KEY=VALUE"),
        ("ü=3", "a key has letters"),
        ("results_dir=a=b", re.escape("""'results_dir="a=b"'""")),
        ("container.image=nvcr.io#x", re.escape("""'container.image="nvcr.io#x"'""")),
        ("data_root=~/data", re.escape(f"""'data_root="{Path.home()}/data"'""")),
        ("results_dir=/tmp/a,b", re.escape("""'results_dir="/tmp/a,b"'""")),
        ("~grid", "leave [+]grid=… out"),
        ("data_root=/daten/über", re.escape("""'data_root="/daten/über"'""")),
        ("data_root=a&b", re.escape("""'data_root="a&b"'""")),
        ("eval.ks=[1,2", "no viable alternative.*is each bracket closed"),
    ],
)
@pytest.mark.parametrize("more", [[], ["+grid=smoke", "data_scale=n128"]], ids=["alone", "on a grid"])
def test_what_is_no_override_or_an_axis_of_nothing_is_said_in_one_line(
    override: str, says: str, more: list[str]
) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        expand([*more, override], multirun=True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("grid", "says"),
    [
        ("+grid=[model_scale]", r"\+grid=\[model_scale\]: a grid is named without brackets; write \+grid=NAME"),
        ("+grid=[smoke,algorithm]", "several grids in one command"),
        ("+grid=smoke,algorithm", "several grids in one command"),
    ],
)
def test_a_list_names_no_grid(grid: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        expand([grid], multirun=True)


def test_what_is_quoted_as_told_is_read() -> None:
    assert expand(['results_dir="a=b"'], multirun=False).points[0].config["results_dir"] == "a=b"


def test_far_too_many_points_are_refused_before_they_are_made() -> None:
    with pytest.raises(ConfigError, match="1,000,000 are the most"):
        expand(["seed=range(0,100000)", "training.save_freq=range(1,100)"], multirun=True)


@pytest.mark.parametrize("verb", ["plan", "suggest"])
def test_a_verb_that_starts_nothing_takes_a_sweep_with_and_without_m(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget = ["--budget-gpu-hours", "1"] if verb == "suggest" else []
    for flags in ([], ["-m"]):
        assert main([verb, "seed=range(5,0)", f"results_dir={tmp_path}", *budget, *flags]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_plan_of_a_list_is_the_plan_of_one_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "eval.ks=[1,8]", f"results_dir={tmp_path}", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["data"]["runs"]) == 1


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("seed", "seed=0,1", "seed=5"),
        ("training.actor_lr", "training.actor_lr=1", "training.actor_lr=2"),
        ("model", "model=tiny-40k", "model=tiny-130k"),
        ("grid", "+grid=smoke", "+grid=model_scale"),
        ("verl.data.x", "+verl.data.x=1", "++verl.data.x=2"),
    ],
)
def test_a_key_that_is_there_twice_is_refused_with_both_values(key: str, one: str, other: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"{key} is there twice: {one} and {other}; name it once")):
        expand([one, other], multirun=True)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("+verl.a=${nope.z}", "verl.a: Interpolation key 'nope.z' not found"),
        ("eval.ks=[1,x]", "eval.ks: Value 'x' of type 'str' could not be converted to Integer"),
    ],
)
def test_what_omegaconf_refuses_is_told_with_the_key_and_none_of_its_own_words(override: str, says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)) as caught:
        expand([override], multirun=False)
    assert not re.search(r"full_key|_type=|\[1\]", str(caught.value))
