"""Which settings make a run's id: all are named as one or the other, and a new one leaves every old id as it was."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from typing import Any, NamedTuple, get_args, get_type_hints

import pytest
from pydantic import TypeAdapter

import sweeper.spec
from data_prep.spec import Cleaning, PassRateRange
from sweeper.inputs.models import model_digest
from sweeper.spec import identity
from sweeper.spec.bounds import Bound
from sweeper.spec.data import Data
from sweeper.spec.model import Architecture, WarmStart
from sweeper.spec.reward import OwnScorer
from sweeper.spec.run import RunSpec
from sweeper.spec.training import Algorithm, Kl, Training
from tests.sweeper.points import spec


def part_of(hint: Any) -> type | None:
    """The dataclass that a field holds, alone or in a tuple."""
    return next((kind for kind in (hint, *get_args(hint)) if is_dataclass(kind) and isinstance(kind, type)), None)


def parts(kind: type, name: str = "") -> Iterator[tuple[str, type]]:
    """Every part of a specification by its dotted name, those left out that are in no id as a whole."""
    yield name, kind
    for field, hint in get_type_hints(kind).items():
        part = part_of(hint)
        if part is not None and field not in identity.OTHER.get(name, "").split():
            yield from parts(part, f"{name}.{field}".lstrip("."))


def unclassified(kind: type) -> set[str]:
    """Fields that are in neither list, or in both."""
    found = set()
    for name, part in parts(kind):
        science, other = identity.SCIENCE.get(name, "").split(), identity.OTHER.get(name, "").split()
        found |= {f"{name}.{field.name}" for field in fields(part) if (science + other).count(field.name) != 1}
    return found


def test_every_setting_is_in_the_id_or_is_named_as_not_in_it() -> None:
    assert unclassified(RunSpec) == set()


def test_no_list_names_a_setting_that_does_not_exist() -> None:
    known = {name: {field.name for field in fields(kind)} for name, kind in parts(RunSpec)}
    for named in (identity.SCIENCE, identity.OTHER):
        assert {name: set(names.split()) - known[name] for name, names in named.items()} == {
            name: set() for name in named
        }
    for key in identity.BEFORE:
        part, _, name = key.rpartition(".")
        assert name in identity.SCIENCE[part].split()


def test_every_class_of_a_specification_is_a_part_of_a_run() -> None:
    declared = {
        kind
        for module in pkgutil.iter_modules(sweeper.spec.__path__)
        for kind in vars(importlib.import_module(f"sweeper.spec.{module.name}")).values()
        if is_dataclass(kind) and isinstance(kind, type) and kind.__module__.startswith("sweeper.spec.")
        if not issubclass(kind, Bound)
    }

    def held(kind: type) -> set[type]:
        inner = {part for hint in get_type_hints(kind).values() if (part := part_of(hint)) is not None}
        return {kind}.union(*map(held, inner))

    assert declared - held(RunSpec) == set()


@pytest.fixture(scope="module")
def full() -> dict[str, Any]:
    """All fields of a run that has every option on, so that each setting has something to decide."""
    one = spec(
        "algorithm=ppo", "agent=calculator", "data.screen.n_samples=4", "data.sft_share=0.4", "model.actor_lr=0.004"
    )
    filters = (PassRateRange(column="difficulty_pass_rate", low=0.1, high=0.9),)
    data = replace(one.data, root="/anywhere", digest="0" * 64, filters=filters, annotation_digests=("1" * 64,))
    own = OwnScorer(source="*", file="a.py", function="score", digest="2" * 16, version="1")
    reward = replace(one.reward, scorers=(own,))
    values: dict[str, Any] = json.loads(replace(one, data=data, reward=reward).to_json())
    return values


def named(lists: dict[str, str]) -> list[tuple[str, str]]:
    """Part and name of every setting in a list that is not itself a part."""
    every = [(part, name) for part, names in lists.items() for name in names.split()]
    return [(part, name) for part, name in every if f"{part}.{name}".lstrip(".") not in lists]


def with_another(values: dict[str, Any], part: str, name: str) -> dict[str, Any]:
    """A copy of a run's fields in which one setting has a value that it never had."""
    copy = deepcopy(values)
    held: Any = copy
    for key in filter(None, part.split(".")):
        held = held[key][0] if isinstance(held[key], list) else held[key]
    assert name in held
    held[name] = "another"
    return copy


@pytest.mark.parametrize(("part", "name"), named(identity.SCIENCE))
def test_a_setting_named_as_science_changes_what_a_run_is_known_by(full: dict[str, Any], part: str, name: str) -> None:
    assert identity.science(with_another(full, part, name)) != identity.science(full)


@pytest.mark.parametrize(("part", "name"), named(identity.OTHER))
def test_a_setting_named_as_no_science_changes_nothing(full: dict[str, Any], part: str, name: str) -> None:
    assert identity.science(with_another(full, part, name)) == identity.science(full)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterKl(Kl):
    novel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterAlgorithm(Algorithm):
    kl: LaterKl


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterTraining(Training):
    novel: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterCleaning(Cleaning):
    novel: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterData(Data):
    cleaning: LaterCleaning


@dataclass(frozen=True, kw_only=True)
class LaterSpec(RunSpec):
    """A run of a later version, which has a setting more in three of its parts and one of its own."""

    algorithm: LaterAlgorithm
    training: LaterTraining
    data: LaterData
    novel: str = "as ever"


NOVEL = {"", "algorithm.kl", "training", "data.cleaning"}


class Frozen(NamedTuple):
    """A run of this version: its file and its ids."""

    text: str
    run_id: str
    group_id: str


@pytest.fixture
def frozen() -> Frozen:
    one = spec("seed=1", "algorithm=ppo")
    # Cleaning counts on a folder alone.
    run = replace(one, data=replace(one.data, root="/anywhere", digest="0" * 64))
    return Frozen(text=run.to_json(), run_id=run.run_id, group_id=run.group_id)


@pytest.fixture
def thawed(frozen: Frozen, monkeypatch: pytest.MonkeyPatch) -> RunSpec:
    """The same run as a later version reads it, where nobody has classified the new settings."""
    adapter = TypeAdapter(LaterSpec)
    monkeypatch.setattr("sweeper.spec.run.adapter", lambda _: adapter)
    return RunSpec.from_json(frozen.text)


@pytest.fixture
def later(thawed: RunSpec, monkeypatch: pytest.MonkeyPatch) -> RunSpec:
    """The same run in a later version that counts the new settings as science."""
    for name in NOVEL:
        monkeypatch.setitem(identity.SCIENCE, name, identity.SCIENCE[name] + " novel")
    for key, value in {"novel": "as ever", "training.novel": 1.5, "data.cleaning.novel": True}.items():
        monkeypatch.setitem(identity.BEFORE, key, value)
    return thawed


def test_a_setting_that_nobody_classified_is_found_by_name() -> None:
    assert unclassified(LaterSpec) == {".novel", "algorithm.kl.novel", "training.novel", "data.cleaning.novel"}


def test_a_setting_that_nobody_classified_is_in_no_id(frozen: Frozen, thawed: RunSpec) -> None:
    changed = replace(thawed, **{"novel": "changed"})
    assert "novel" in thawed.to_json()
    assert changed.run_id == thawed.run_id == frozen.run_id


def test_a_new_setting_that_means_the_same_as_before_changes_no_id(frozen: Frozen, later: RunSpec) -> None:
    assert later.run_id == frozen.run_id
    assert later.group_id == frozen.group_id


@pytest.mark.parametrize("part", sorted(NOVEL))
def test_a_new_setting_that_means_something_else_changes_the_id(later: RunSpec, part: str) -> None:
    changed = {
        "": lambda: replace(later, novel="changed"),
        "algorithm.kl": lambda: replace(later, algorithm=replace(later.algorithm, kl=LaterKl(novel=0))),
        "training": lambda: replace(later, training=replace(later.training, **{"novel": 2.0})),
        "data.cleaning": lambda: replace(later, data=replace(later.data, cleaning=LaterCleaning(novel=False))),
    }[part]()
    assert changed.run_id != later.run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterArchitecture(Architecture):
    novel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterWarmStart(WarmStart):
    novel: float = 0.5


def test_a_new_setting_of_a_model_changes_no_digest_of_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model = spec().model
    before = model_digest(model)
    for name in ("model.architecture", "model.warm_start"):
        monkeypatch.setitem(identity.SCIENCE, name, identity.SCIENCE[name] + " novel")
    monkeypatch.setitem(identity.BEFORE, "model.warm_start.novel", 0.5)
    shape, warm = LaterArchitecture(**asdict(model.architecture)), LaterWarmStart(**asdict(model.warm_start))
    later = replace(model, architecture=shape, warm_start=warm)
    assert model_digest(later) == before
    for changed in ({"architecture": replace(shape, novel=1)}, {"warm_start": replace(warm, novel=0.6)}):
        assert model_digest(replace(later, **changed)) != before
