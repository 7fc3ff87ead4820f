"""In which settings runs differ, and how a difference is written: one answer for plan, status, results and analysis.

A part's settings go with what names it (a model's shape with the model, a regime's lengths with the model's family), so
they are told only where two parts of one name differ: of a ladder the model is enough, of three step sizes for one
model it is not.
"""

import math
import re
from collections import ChainMap, Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from sweeper.rows.grid_file import places
from sweeper.rows.row import ResultRow
from sweeper.spec.agent import NONE
from sweeper.spec.dotted import overlap, render
from sweeper.spec.run_id import RunId, hash_of

Settings = Mapping[str, Any]  # of `RunSpec.settings`; None in its place: not known

NAMED_BY = {  # what names each part, or one key of it, with all that lies in it; "": nothing does
    "model.": "model.name",
    "algorithm.": "algorithm.name",
    "domain_mix.": "domain_mix.name",
    "data_scale.": "data_scale.name",
    "curriculum.": "curriculum.name",
    "training.": "model.family",
    "eval.": "model.family",
    "data.": "model.family",
    "agent.": "agent.name",
    "reward.scorers": "reward.path reward.sources",
    "data.root": "",
    "data.digest": "data.root",
    "data.annotations": "",
    "data.annotation_digests": "data.annotations",
    "data.sft_solutions": "",
    "data.solutions_digest": "data.sft_solutions",
}
WITHOUT = {"agent.name": NONE}  # of a run whose settings have no such key
INSTEAD = {"training.actor_lr": "model.actor_lr", "algorithm.critic_lr": "training.critic_lr"}  # where it is null
NAMES = {
    "training.actor_lr": "lr",
    "training.train_batch_size": "batch",
    "agent.name": "agent",
    "data.root": "data",
    "data_root": "data",
    "reward.path": "reward",
}
IN_IDS = {  # what the readable part of a run's id tells
    *("model.name", "algorithm.name", "domain_mix.name", "data_scale.name", "data_scale.n_unique", "curriculum.name"),
    *("data.sft_share", "seed"),
}
IN_ROWS = {  # what a row tells in columns of its own
    *IN_IDS,
    *("agent.name", "data_scale.epochs", "training.total_steps", "algorithm.rollout_n", "algorithm.lora.rank"),
    *("algorithm.kl.in_loss", "algorithm.kl.loss_coef", "algorithm.kl.in_reward", "algorithm.kl.reward_coef"),
}
# Alone, the end of another setting.
VAGUE = ("name", "lr", "seed", "steps", "path", "digest", "epochs", "size", "enable", "status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A setting that is not the same in all of some runs.

    Attributes:
        key: Dotted, as on the command line.
        name: Short, unique among the differences: the head of a column.
        values: Of each run, as in its specification; None: null, or its settings are not known.
        texts: Each value in words, "unset" for null, "unknown" where the settings are not known.
    """

    key: str
    name: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]

    @property
    def columns(self) -> tuple[Any, ...]:
        """The values as one column of a table: of one type, else as text; None as it is."""
        kinds = {type(value) for value in self.values if value is not None}
        if kinds in ({bool}, {str}) or kinds <= {int, float}:
            return self.values
        return tuple(None if value is None else written(value) for value in self.values)

    def place(self, number: int) -> tuple[int, float, str]:
        """Where a run's value stands in an order of them: null, numbers, words."""
        value = self.values[number]
        if isinstance(value, int | float):
            return 1, float(value), ""
        return (0, 0.0, "") if value is None else (2, 0.0, self.texts[number])


def between_rows(rows: Sequence[ResultRow]) -> list[Difference]:
    """What tells rows apart that no column of a row tells."""
    return [item for item in differences([row.settings for row in rows]) if item.key not in IN_ROWS]


def setting(rows: Sequence[ResultRow], key: str) -> tuple[Any, ...]:
    """One setting of each row as a column of a table (`Difference.columns`); None: null, or not known."""
    values = tuple(None if row.settings is None else _value(row.settings, key) for row in rows)
    return Difference(key=key, name=key, values=values, texts=()).columns


def unnamed(settings: Sequence[Settings | None]) -> list[Difference]:
    """What tells runs apart beside their ids."""
    return [item for item in differences(settings) if item.key not in IN_IDS]


def differences(settings: Sequence[Settings | None]) -> list[Difference]:
    """What tells runs apart, in the order of their settings."""
    known = [item for item in settings if item is not None]
    keys = list(_varying(known))
    found = []
    for key in keys:
        values = tuple(None if item is None else _value(item, key) for item in settings)
        texts = _texts(values)
        said = tuple("unknown" if item is None else text for item, text in zip(settings, texts, strict=True))
        found.append(Difference(key=key, name=short_name(key, keys), values=values, texts=said))
    return found


def _varying(known: Sequence[Settings]) -> Iterator[str]:
    keys = dict.fromkeys(key for item in known for key in item)
    for key in keys:
        first = known[0].get(key)
        if any(item.get(key) != first for item in known) and not _goes_with_name(key, keys, known):
            yield key


def _goes_with_name(key: str, keys: Collection[str], known: Sequence[Settings]) -> bool:
    """Whether every name of the part that a key belongs to has one value only."""
    names = NAMED_BY.get(key, NAMED_BY.get(f"{key.partition('.')[0]}.", "")).split()
    naming = [other for other in keys if any(overlap(other, name) for name in names)]
    values: dict[str, Any] = {}
    return bool(names and key not in names) and all(
        values.setdefault(str([item.get(other) for other in naming]), item.get(key)) == item.get(key) for item in known
    )


def _value(settings: Settings, key: str) -> Any:
    value = settings.get(key, WITHOUT.get(key))
    return settings.get(INSTEAD[key]) if value is None and key in INSTEAD else value


def short_name(key: str, keys: Collection[str]) -> str:
    """The end of a key that no other of the keys has and that says what it is; some have a name of their own."""
    parts = key.split(".")
    for n in range(1, len(parts)):
        end = ".".join(parts[-n:])
        if end not in VAGUE and sum(f".{other}".endswith(f".{end}") for other in keys) == 1:
            return NAMES.get(key, end)
    return NAMES.get(key, key)


def beside(choice: Mapping[str, str]) -> str:
    """What the axes of a grid say of a run that its id does not: "lr 3e-4, batch 16"; empty: nothing.

    An empty label on an axis: the run was launched without it.
    """
    keys = [key for key, label in choice.items() if label and not IN_IDS & {key, f"{key}.name"}]
    return ", ".join(f"{short_name(key, keys)} {_shortened(choice[key])}" for key in keys)


def named(run_id: str, told: str | None) -> str:
    """A run for people: its id, and what `beside` says of it."""
    return f"{run_id} ({told})" if told else run_id


def labels(run_ids: Sequence[str], results_dir: Path) -> dict[str, str]:
    """What tells some runs of a folder apart, in a few words: "tiny-40k n64 seed 0"; unique among them.

    Where their grids do not tell them apart, a run is called by the readable part of its id, or by all of it.
    """
    known = {run_id: dict(ChainMap(*grids.values())) for run_id, grids in places(results_dir).items()}
    choices = {run_id: known.get(RunId(run_id), {}) for run_id in run_ids}
    keys = list(dict.fromkeys(key for choice in choices.values() for key in choice))
    keys = [key for key in keys if len({choice.get(key) for choice in choices.values()}) > 1]
    found = {
        run_id: _in_words(choice, keys) or named(_readable(run_id), beside(choice))
        for run_id, choice in choices.items()
    }
    counts = Counter(found.values())
    return {run_id: label if counts[label] == 1 else run_id for run_id, label in found.items()}


def _readable(run_id: str) -> str:
    return run_id.removesuffix(f"-{hash_of(run_id)}")


def _in_words(choice: Mapping[str, str], keys: Sequence[str]) -> str:
    """Labels of names by themselves, numbers and switches behind what they are."""
    words = []
    for key in keys:
        if label := choice.get(key):
            text = _shortened(label)
            words.append(
                text
                if re.match(r"[a-z]+[-_]?\w*[-.\w]*$", text) and text not in ("true", "false", "null")
                else f"{short_name(key, keys)} {text}"
            )
    return " ".join(words)


def _shortened(label: str) -> str:
    if not re.fullmatch(r"-?\d*\.?\d+(e[-+]?\d+)?", label, re.IGNORECASE):
        return _texts([label])[0]
    return label if label.lstrip("-").isdigit() else written(float(label))


def swept(results_dir: Path) -> dict[RunId, str]:
    """What to write beside the ids of a results folder's runs, as `beside` has it."""
    found = {run_id: dict(ChainMap(*grids.values())) for run_id, grids in places(results_dir).items()}
    return {run_id: told for run_id, choice in found.items() if (told := beside(choice))}


def _texts(values: Sequence[Any]) -> list[str]:
    texts = ["unset" if value is None else written(value) for value in values]
    names = [PurePath(text).name if "/" in text else text for text in texts]  # a file or folder by its last name ...
    return names if len(set(names)) == len(set(texts)) else texts  # ... where that tells them apart


def shown(label: str) -> str:
    """A label of a grid's record, as `written` writes its value."""
    with suppress(ValueError):
        return written(float(label)) if not label.isdecimal() else label
    return "unset" if label == "null" else label


def written(value: Any) -> str:
    """A value in few characters: 3e-4, 0.95, true, [1,8]."""
    if isinstance(value, float) and value and math.isfinite(value) and not 1e-2 <= abs(value) < 1e6:
        mantissa, _, exponent = f"{value:e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    if isinstance(value, list) and value and all(isinstance(item, dict) and "digest" in item for item in value):
        return ",".join(item["digest"] for item in value)  # files by their content
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else render(value)
