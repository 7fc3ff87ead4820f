"""`data_prep reasoning-gym`: graded puzzles as data files, the same for the same arguments, in two disjoint parts."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from data_prep.cli import main
from data_prep.commands.validate import validate
from data_prep.files.row import write_rows
from data_prep.materialise import materialise
from data_prep.sources import reasoning_gym
from data_prep.sources.finding import Kind
from data_prep.sources.layout import folder_digest
from data_prep.sources.reasoning_gym import _parts, make, usable_tasks
from data_prep.sources.source import SOURCES
from data_prep.spec import Cleaning, DataError, DataSpec
from rewards import Domain, domain_of
from rewards.gym import package, task
from rewards.gym.package import LEFT_OUT, RELEASE, GymMissing


def rows(folder: Path, split: str) -> list[dict[str, Any]]:
    return list(pq.read_table(folder / f"{split}.parquet").to_pylist())


def test_the_same_arguments_give_the_same_bytes_in_another_process_with_another_order_of_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task draws from a set of words, in processes that the verb starts."""
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        arguments = ["--n", "6", "--held-out", "3", "--tasks", "ransom_note", "--levels", "1", "2"]
        assert main(["reasoning-gym", "--out", str(tmp_path / seed), *arguments]) == 0
    assert folder_digest(tmp_path / "1") == folder_digest(tmp_path / "2")


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes problems here: the package is imported once."""
    monkeypatch.setattr(reasoning_gym, "_fixed_hashes", lambda _: nullcontext(SimpleNamespace(map=map)))


def parts(
    name: str, *, n: int, held_out: int, seed: int = 0, levels: Sequence[int] = ()
) -> tuple[list[str], list[str]]:
    made = _parts(name, n=n, held_out=held_out, seed=seed, levels=levels)
    train, test = ([row.prompt[0].content for row in part.rows] for part in made)
    return train, test


def test_another_seed_gives_other_problems_and_the_same_held_out_ones() -> None:
    (train, test), (other, same) = (parts("gcd", n=20, held_out=5, seed=seed) for seed in (0, 1))
    assert test == same
    assert not set(train) & set(other)


def test_no_problem_is_in_both_parts_or_twice() -> None:
    """A level of some 120 problems, of which the parts would otherwise share many."""
    train, test = parts("leg_counting", n=60, held_out=40, levels=[1])
    assert len(set(train)) == len(train)
    assert len(set(test)) == len(test) == 40
    assert not set(train) & set(test)


@pytest.mark.usefixtures("in_this_process")
def test_a_task_that_gives_out_says_how_far_it_came(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["--tasks", "leg_counting", "--levels", "1", "--n", "300", "--held-out", "2"]
    assert main(["reasoning-gym", "--out", str(tmp_path / "gym"), *arguments]) == 0
    printed = capsys.readouterr().out
    found = len(rows(tmp_path / "gym", "train"))
    assert 0 < found < 300
    assert f"train: leg_counting: {found} problems, where 300 were asked for" in printed
    assert f"train: leg_counting level 1: {found} problems, then 200 in a row that were there already" in printed


@pytest.mark.usefixtures("in_this_process")
def test_rows_say_level_release_and_what_their_scorer_needs(tmp_path: Path) -> None:
    folder, arguments = tmp_path / "gym", ["--tasks", "gcd", "codeio", "--levels", "2", "3", "--n", "4"]
    assert main(["reasoning-gym", "--out", str(folder), *arguments]) == 0
    for split in ("train", "test"):
        for row in rows(folder, split):
            about = json.loads(row["extra_info"]["rest"])
            assert row["extra_info"]["difficulty"] == about["gym_level"]
            assert about["gym_level"] in (2, 3)
            assert about["gym_release"] == RELEASE
            assert row["data_source"].endswith(f"__reasoning_gym__{about['gym_task']}")
            assert row["extra_info"]["domain"] == domain_of(row["data_source"])
    card = json.loads((folder / "source.json").read_text())
    assert (card["licence"], card["revision"]) == ("Apache-2.0", RELEASE)


@pytest.mark.usefixtures("in_this_process")
def test_all_that_is_made_is_prepared_with_the_settings_that_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Puzzles of one wording, which cleaning takes for one another."""
    folder = tmp_path / "gym"
    arguments = ["--tasks", "self_reference", "--n", "8", "--held-out", "4"]
    assert main(["reasoning-gym", "--out", str(folder), *arguments]) == 0
    as_it_is = "data.cleaning.exact_duplicates=false data.cleaning.contamination=false"
    assert f"data_root={folder} {as_it_is}\n" in capsys.readouterr().out
    assert Kind.contamination in {finding.kind for finding in validate([folder]).findings}
    cleaning = Cleaning(exact_duplicates=False, contamination=False)
    spec = DataSpec(
        root=str(folder), weights={Domain.LOGIC: 1.0}, n_unique=None, n_eval_per_domain=None, n_val_per_domain=2,
        cleaning=cleaning,
    )  # fmt: skip
    train = pq.read_table(materialise(spec, tmp_path / "out").train).to_pylist()
    assert sorted(row["extra_info"]["problem_id"] for row in train) == sorted(
        row["extra_info"]["problem_id"] for row in rows(folder, "train")
    )
    assert {row["extra_info"]["difficulty"] for row in train} > {1.0, 2.0}
    assert all("gym_problem" in json.loads(row["extra_info"]["rest"]) for row in train)


@pytest.mark.nightly  # a scorer's process of its own; tests/rewards/test_gym.py has one in the gate
def test_golds_of_what_is_made_are_accepted(tmp_path: Path) -> None:
    folder, arguments = tmp_path / "gym", ["--tasks", "self_reference", "gcd", "--n", "8", "--held-out", "4"]
    assert main(["reasoning-gym", "--out", str(folder), *arguments]) == 0
    checked = validate([folder], gold=True)
    assert not checked.unchecked
    assert Kind.bad_gold not in {finding.kind for finding in checked.findings}


def test_the_release_is_part_of_the_datas_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(folder: Path) -> str:
        folder.mkdir()
        write_rows(make(["gcd"], n=3, split="train", seed=0).rows, folder / "train.parquet", split="train")
        return folder_digest(folder)

    before = digest(tmp_path / "1")
    assert digest(tmp_path / "2") == before
    monkeypatch.setattr(reasoning_gym, "RELEASE", "reasoning-gym==0.1.26")
    assert digest(tmp_path / "3") != before


def test_all_tasks_are_listed_and_those_left_out_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reasoning-gym", "--list"]) == 0
    printed = capsys.readouterr().out
    assert len(usable_tasks()) == 96
    levelled = [line for line in printed.splitlines() if ", levels " in line]
    assert len(levelled) == 92
    assert sum(", no levels" in line for line in printed.splitlines()) == 4
    assert "\nbasic_arithmetic: math, levels 1 2 3 4 5\n" in f"\n{printed}"
    for name, why in LEFT_OUT.items():
        assert f"left out: {name}: {why}\n" in printed
    assert SOURCES["reasoning-gym"].title.count(f"{len(usable_tasks())} tasks") == 1


def test_domains_choose_tasks() -> None:
    simulation = usable_tasks(["simulation"])
    assert simulation == ["bf", "codeio"]
    domains = {reasoning_gym.domain_of_task(name) for name in usable_tasks()}
    assert domains == {Domain.MATH, Domain.LOGIC, Domain.SIMULATION}
    assert usable_tasks(["simulation", "gcd"]) == ["bf", "codeio", "gcd"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tasks", "chess"], "chess is no task of reasoning-gym"),
        (["--tasks", "boxnet"], "boxnet cannot be used: states no right answer"),
        (["--n", "0"], "--n is too small"),
        (["--seed", "-1"], "--seed is too small"),
        (["--levels", "0"], "--levels is too small"),
    ],
)
def test_what_cannot_be_made_is_refused(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reasoning-gym", "--out", str(tmp_path / "gym"), *arguments]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "gym").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("x")
    assert main(["reasoning-gym", "--out", str(tmp_path), "--tasks", "gcd"]) == 2
    assert "not empty. Give another folder (--out)" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_without_the_package_nothing_imports_it_and_the_verb_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import sys, data_prep.cli, data_prep.sources.source, rewards.route.scorers, data_prep.sources.reasoning_gym; "
    )
    code += "sys.exit('reasoning_gym' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

    def missing() -> None:
        raise GymMissing(f"Install it: {package.INSTALL}.")

    monkeypatch.setattr(reasoning_gym, "require", missing)
    assert main(["reasoning-gym", "--out", str(tmp_path / "gym")]) == 2
    assert f"pip install '{RELEASE}'" in capsys.readouterr().err


def test_problems_whose_own_gold_is_not_right_are_left_out_and_counted() -> None:
    found = make(["jugs"], n=24, split="test", seed=0, levels=[2])
    assert len(found.rows) == 24
    (note,) = found.notes
    assert note.startswith("jugs level 2: ")
    assert note.endswith("left out, whose own gold is not taken as right")


def test_a_problem_that_does_not_come_to_its_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A level that is left out: it squares a number again and again."""
    monkeypatch.setattr(task, "TOO_SLOW", {})
    monkeypatch.setattr(reasoning_gym, "_MOST_S", 0.3)
    with pytest.raises(DataError, match=r"number_sequence: a problem of level 4 took more than 0\.3 s of CPU time"):
        make(["number_sequence"], n=1000, split="test", seed=0, levels=[4])


def test_a_level_that_no_task_has_is_named() -> None:
    with pytest.raises(DataError, match=r"gcd has the levels \[1, 2, 3, 4\], none of those asked for"):
        make(["gcd"], n=1, split="test", seed=0, levels=[99])
