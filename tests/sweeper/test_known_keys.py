"""What nobody reads is refused: every key of ours has a name, and a composed config has no other."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from sweeper.cli import annotate, prepare_data
from sweeper.cli.main import main
from sweeper.grid.expand import expand
from sweeper.host.errors import ConfigError
from tests.sweeper.points import spec

UNKNOWN = {  # override: the key that is named, and the ones that are offered
    "+training.lr=1e-5": ("training.lr", "training.actor_lr"),
    "+training.lr=1e-5,1e-4": ("training.lr", "training.actor_lr"),
    "++algorithm.kl.loss_coeff=0.1": ("algorithm.kl.loss_coeff", "algorithm.kl.loss_coef"),
    "+model.resources.gpus=8": ("model.resources.gpus", "model.resources.gpus_per_node"),
    "+cluster.gres=gpu:a100:4": ("cluster.gres", "cluster.sbatch.gres"),
    "+trainer.total_epochs=3": ("trainer.total_epochs", "training.total_steps"),
    "+trainer={total_epochs: 3}": ("trainer.total_epochs", "training.total_steps"),
    "data.filters=[{column: level, lo: 1}]": ("data.filters.lo", "data.filters"),
    "+algorithm/kl=hard": ("algorithm/kl", "algorithm.kl"),
    "+grid.replicate=3": ("grid.replicate", "grid.replicates"),
    "+model.vetted.H100.node=3": ("model.vetted.H100.node", "model.vetted"),
    "+seeds=0": ("seeds", "seed"),
    "trainer.total_epochs=3": ("trainer.total_epochs", "+verl.trainer.total_epochs"),
}


@pytest.mark.parametrize("override", UNKNOWN)
def test_a_key_that_nobody_reads_is_refused_with_the_nearest_ones(override: str) -> None:
    key, near = UNKNOWN[override]
    with pytest.raises(ConfigError) as refused:
        expand([override], multirun=override.endswith("1e-5,1e-4"))
    text = str(refused.value)
    assert text.startswith(f"unknown key {key}. ")
    assert near in text
    may_be_verls = key.startswith(("trainer.", "algorithm", "data.", "seeds"))
    assert ("A verl key is set with +verl." in text) is may_be_verls
    assert ("An option of sbatch is set with cluster.sbatch." in text) is key.startswith("cluster.")


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("training.learning_rate=1e-4", "Did you mean training.actor_lr or"),
        ("model.resources.tp=2", r"Did you mean model\.resources\.tensor_parallel or .*\?$"),
        ("+model.resources.tp=2", r"Did you mean model\.resources\.tensor_parallel or .*\?$"),
        ("tp=2", r"Did you mean model\.resources\.tensor_parallel\?"),
        ("cluster.nodes=2", r"Did you mean model\.resources\.nodes or .*\?$"),
        ("training.batch_size=8", "Did you mean training.train_batch_size or"),
        ("eval.domains=math", r"eval.domains=math: a list is wanted; write 'eval.domains=\[math\]'"),
        ("reward=my.py:score", "reward=my.py:score: reward is a part with settings of its own; set one of them"),
    ],
)
def test_what_other_trainers_call_it_and_what_is_half_written_is_answered_with_ours(override: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        expand([override], multirun=False)


def test_every_unknown_key_is_named() -> None:
    with pytest.raises(ConfigError, match=r"unknown key training\.lr\..*\(unknown too: foo\.bar, foo\.baz\)"):
        expand(["+training.lr=1", "+foo.bar=2", "+foo.baz=3"], multirun=False)


@pytest.mark.parametrize("key", ["results_dir", "seed", "verl"])
def test_a_setting_that_every_run_needs_cannot_be_taken_out(key: str) -> None:
    with pytest.raises(ConfigError, match=f"every run needs {key}"):
        expand([f"~{key}"], multirun=False)


def test_a_mapping_that_takes_any_name_says_how_to_add_one() -> None:
    for key in ("verl.trainer.balance_batch", "domain_mix.weights.table"):
        with pytest.raises(ConfigError, match=rf"write \+{key}="):
            expand([f"{key}=1"], multirun=False)
    assert spec("+verl.trainer.balance_batch=false").verl_keys == {"trainer.balance_batch": False}
    assert spec("+domain_mix.weights.table=1").domain_mix.weights["table"] == 1


AXIS = "hydra: {{sweeper: {{params: {{{}: '1,2'}}}}}}"
FILES = {  # of a user's own folder: what it has, what is said, what chooses it
    "an option": ("algorithm/own.yaml", "kl: {coef: 1}", "unknown key algorithm.kl.coef", "algorithm=own"),
    "a grid's settings": ("grid/own.yaml", "training: {lr: 3}", "unknown key training.lr", "+grid=own"),
    "a grid's new part": ("grid/own.yaml", "trainer: {total_epochs: 3}", "unknown key trainer", "+grid=own"),
    "a grid's axis": ("grid/own.yaml", AXIS.format("training.lr"), "unknown key training.lr", "+grid=own"),
    "a grid's added axis": ("grid/own.yaml", AXIS.format("+training.lr"), "unknown key training.lr", "+grid=own"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_users_file_with_an_unknown_key_is_refused(name: str, tmp_path: Path) -> None:
    path, text, said, chosen = FILES[name]
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_text(f"{'# @package _global_' if 'grid' in path else 'name: own'}\n{text}\n")
    many = chosen.startswith("+grid")
    with pytest.raises(ConfigError) as refused:
        expand([f"hydra.searchpath=[file://{tmp_path}]", chosen], multirun=many)
    assert said in str(refused.value)
    assert "axis" in name or str(refused.value).startswith(f"{path}: ")


def _verb(name: str, arguments: list[str]) -> int:
    return main([name, *arguments])


PROGRAMS: dict[str, Callable[[list[str]], int]] = {
    "a launch": main,
    **{verb: partial(_verb, verb) for verb in ("plan", "prepare", "doctor", "export-sbatch", "suggest")},
    "data_prep prepare": prepare_data.main,
    "data_prep annotate": annotate.main,
}


@pytest.mark.parametrize("verb", PROGRAMS)
def test_every_verb_that_takes_overrides_refuses_it(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = ["+training.lr=1e-5", f"results_dir={tmp_path}/results"]
    budget = ["--budget-gpu-hours", "1"] if verb == "suggest" else []
    assert PROGRAMS[verb]([*overrides, *budget]) == 2
    assert "unknown key training.lr. Did you mean training.actor_lr" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_hydras_own_application_refuses_it_too(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "sweeper",
        "+training.lr=1e-5",
        "hydra/launcher=basic",
        f"results_dir={tmp_path}/r",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "unknown key training.lr. Did you mean training.actor_lr" in done.stderr
    assert not (tmp_path / "r" / "runs").exists()
