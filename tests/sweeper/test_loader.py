"""What files make together is composed once a process: what is remembered is what Hydra would compose, and no older."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from sweeper.grid import loader
from sweeper.grid.expand import expand, hydra_session
from sweeper.grid.loader import Loader
from sweeper.grid.project import MARKER
from sweeper.host.errors import ConfigError

CHOICES: tuple[tuple[str, ...], ...] = (
    (),
    ("seed=3", "algorithm=ppo", "+verl.trainer={balance_batch: false}", "algorithm.kl={in_loss: true}"),
    ("data_scale.epochs=null", "+grid=model_scale", "++training.total_steps=4", "+verl.a.b='c d'", "~curriculum"),
    ("model_family=qwen2.5", "cluster=slurm", "cluster.sbatch={constraint: ib}", "training.sft.lr=0.5"),
)
REFUSED: tuple[tuple[str, ...], ...] = (
    ("seed=three",),
    ("algorithm.kl.nothing=3",),
    ("algorithm=nothing",),
    ("~data.cleaning.golds",),
    ("model@elsewhere=tiny-40k", "seed=x"),
)


def _loader() -> Loader:
    """The session's."""
    found: Any = GlobalHydra.instance().config_loader()
    assert type(found) is Loader
    return found


@pytest.fixture
def both() -> Iterator[tuple[Loader, ConfigLoaderImpl]]:
    """Ours, and Hydra's own over the same files."""
    with hydra_session():
        yield _loader(), ConfigLoaderImpl(_loader().config_search_path)


def composed(by: ConfigLoaderImpl, overrides: tuple[str, ...]) -> DictConfig:
    return by.load_configuration("config", list(overrides), RunMode.RUN, from_shell=False)


def nodes(config: Any) -> list[tuple[str, Any, Any, Any]]:
    """Each node by its place: what it is, of which types, and under which rules."""
    about = config._metadata
    own = (config._get_full_key(None), type(config), about.object_type, (about.ref_type, about.optional, about.flags))
    if not isinstance(config, DictConfig) or config._is_none() or config._is_missing() or config._is_interpolation():
        return [own]
    return [own, *(found for key in config for found in nodes(config._get_node(key)))]


@pytest.mark.parametrize("overrides", CHOICES, ids=" ".join)
def test_what_is_remembered_is_what_hydra_composes_with_the_same_types(
    overrides: tuple[str, ...], both: tuple[Loader, ConfigLoaderImpl]
) -> None:
    ours, hydras = both
    expected = composed(hydras, overrides)
    loader._composed.clear()
    for found in (composed(ours, overrides), composed(ours, overrides)):
        assert OmegaConf.to_container(found) == OmegaConf.to_container(expected)
        assert nodes(found) == nodes(expected)
    assert len(loader._composed) == 1


@pytest.mark.parametrize("overrides", REFUSED, ids=" ".join)
def test_what_hydra_refuses_is_refused_in_its_words(
    overrides: tuple[str, ...], both: tuple[Loader, ConfigLoaderImpl]
) -> None:
    said = []
    for one in (*both, both[0]):
        with pytest.raises(ConfigCompositionException) as refused:
            composed(one, overrides)
        said.append((type(refused.value), str(refused.value), str(refused.value.__cause__)))
    assert len(set(said)) == 1


def test_a_composition_is_the_callers_own_and_values_of_one_are_in_no_other(
    both: tuple[Loader, ConfigLoaderImpl],
) -> None:
    ours, _ = both
    for _ in range(3):
        found = composed(ours, ("training.total_steps=7",))
        assert (found.training.total_steps, found.hydra.overrides.task) == (7, ["training.total_steps=7"])
        found.training.total_steps = 9
        found.algorithm.kl.loss_coef = 9.0
        plain = composed(ours, ())
        assert (plain.training.total_steps, plain.hydra.overrides.task) == (20, [])
        assert plain.algorithm.kl.loss_coef != 9.0


def test_a_file_that_takes_the_place_of_another_or_is_gone_again_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def n_unique() -> int:
        return int(expand(["data_scale=n64"], multirun=False).points[0].config["data_scale"]["n_unique"])

    monkeypatch.chdir(tmp_path)
    (tmp_path / MARKER).touch()
    own = tmp_path / "conf" / "data_scale" / "n64.yaml"
    own.parent.mkdir(parents=True)
    assert n_unique() == n_unique() == 64
    own.write_text("name: n64\nn_unique: 96\n")
    assert n_unique() == n_unique() == 96
    own.unlink()
    assert n_unique() == 64
    own.write_text("name: [\n")
    with pytest.raises(Exception, match="expected"):
        n_unique()


def test_a_copied_project_composes_as_it_did_and_another_as_its_own_files_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name, n in (("one", 96), ("two", 64)):
        own = tmp_path / name / "conf" / "data_scale" / "mine.yaml"
        own.parent.mkdir(parents=True)
        own.write_text(f"name: mine\nn_unique: {n}\n")
        (tmp_path / name / MARKER).touch()
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    loader._composed.clear()
    for name in ("one", "copy", "two", "one"):
        monkeypatch.chdir(tmp_path / name)
        with hydra_session():
            made = composed(_loader(), ("data_scale=mine",))
        found.append(made.data_scale.n_unique)
        assert made.hydra.runtime.cwd == str(tmp_path / name)
        assert str(tmp_path / name / "conf") in [source.path for source in made.hydra.runtime.config_sources]
    assert found == [96, 96, 64, 96]
    assert len(loader._composed) == 2


def test_a_refusal_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / MARKER).touch()
    (tmp_path / "conf" / "data_scale").mkdir(parents=True)
    with pytest.raises(ConfigError, match="there is no such data_scale"):
        expand(["data_scale=mine"], multirun=False)
    (tmp_path / "conf" / "data_scale" / "mine.yaml").write_text("name: mine\nn_unique: 96\n")
    assert expand(["data_scale=mine"], multirun=False).points


def test_no_more_choices_are_kept_than_a_bound(
    monkeypatch: pytest.MonkeyPatch, both: tuple[Loader, ConfigLoaderImpl]
) -> None:
    ours, _ = both
    monkeypatch.setattr(loader, "_KEPT", 2)
    loader._composed.clear()
    for option in ("grpo", "ppo", "grpo", "reinforce_plus_plus", "grpo"):
        composed(ours, (f"algorithm={option}",))
    assert len(loader._composed) == 2
    assert [key[1] for key in loader._composed] == [("algorithm=reinforce_plus_plus",), ("algorithm=grpo",)]


def test_a_file_that_is_named_as_a_choice_is_told_where_it_belongs() -> None:
    with pytest.raises(ConfigError, match=r"belongs to conf/agent/ of a project .*, as agent=mine\. Choose one of"):
        expand(["agent=./mine.yaml"], multirun=False)
