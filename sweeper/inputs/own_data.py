"""What a folder of the user's own problems lacks for a run: everything at once, with one command that works.

Rows are counted as they are read; when data are made, cleaning may drop some of them.
"""

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data_prep.choosing.mix import domain_counts
from data_prep.sources.column_guess import columns_command, guessed_columns, undeclared
from data_prep.sources.column_mapping import FILE_NAME, mappings_of
from data_prep.sources.folder import read_folder
from data_prep.sources.glance import Glance
from data_prep.sources.role import Role
from data_prep.spec import BadRows, DataError, DataSpec
from rewards import Domain, UnknownDataSource
from rewards.own.covering import covering, domain_of
from sweeper.host.errors import ConfigError
from sweeper.inputs.data import glance_at

ROOM_TO_ASK = 200  # tokens of a prompt that has room for words that ask for the answer in a box
_MIXES = ("math", "code", "logic", "stem", "own")  # conf/domain_mix of one domain


@dataclass(frozen=True, slots=True)
class Rows:
    """What a folder has: usable problems by domain, and why others cannot be used.

    `evaluation` is empty where no file is for evaluation: some problems of `train` are then held out.
    """

    train: Counter[Domain] = field(default_factory=Counter)
    evaluation: Counter[Domain] = field(default_factory=Counter)
    bad: tuple[str, ...] = ()

    @property
    def measured(self) -> Counter[Domain]:
        """Problems that may be evaluated on."""
        return self.evaluation or self.train


@dataclass(slots=True)
class Lack:
    """What keeps a run from its data, and what mends all of it."""

    problems: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)  # of the run, by key
    columns: str | None = None  # the command that writes columns.yaml

    def text(self, root: str, asked: Sequence[str]) -> str:
        """One line, with the command that was `asked` for as it works."""
        head = f"data_root={root}: {'; '.join(self.problems)}"
        if not self.settings and self.columns is None:
            return head
        kept = [item for item in asked if not any(_sets(item, key) for key in self.settings)]
        words = [shlex.quote(item) for item in (*kept, *(f"{key}={value}" for key, value in self.settings.items()))]
        plan = f"python -m sweeper plan {' '.join(words)}"
        return f"{head}. This works: {plan if self.columns is None else f'{self.columns} && {plan}'}"


def _sets(override: str, key: str) -> bool:
    """Whether an override of the command line sets a key, a part of it, or the group of that name."""
    given = override.lstrip("+~").partition("=")[0]
    return given == key or given.startswith(f"{key}.")


def lack_of(spec: DataSpec, *, mix: str, batch: int, template: bool) -> Lack | None:
    """What keeps a run from training on its folder; None: nothing that can be seen at a glance.

    Args:
        spec: The run's data.
        mix: The name of its `domain_mix`.
        batch: Problems per step.
        template: Whether a prompt has room for words that ask for the answer in a box.

    Raises:
        ConfigError: A file that cannot be read.
    """
    if spec.root is None:
        return None
    folder, lack = Path(spec.root), Lack()
    try:
        seen = glance_at(spec.root, spec.digest)
        rows = None if seen.train is None else _scored(seen, spec, lack)
    except ConfigError:
        rows = _undeclared(folder, spec, lack, template=template)
        if not lack.problems:
            raise
    if rows is not None and spec.recipe is None:
        _Needs(spec, rows, lack).check(mix, batch)
    return lack if lack.problems else None


def _scored(seen: Glance, spec: DataSpec, lack: Lack) -> Rows:
    """The rows that a scorer of ours or of the user's own takes; of the others, those that the run uses are noted."""
    rows = Rows(Counter(seen.train), Counter(seen.evaluation))
    used = {*spec.train_domains, *spec.evaluated_domains}
    nobodys: Counter[str] = Counter()
    for there, unscored in zip((rows.train, rows.evaluation), seen.unscored, strict=True):
        for source, n in unscored.items():
            try:
                domain = domain_of(source, spec.own_rewards)
            except UnknownDataSource:
                nobodys[source] += n
                continue
            if covering(source, spec.own_rewards) is not None:
                there[domain] += n
            elif domain in used:
                nobodys[source] += n
    if nobodys and spec.cleaning.bad_rows is BadRows.refuse:
        (first, n), others = nobodys.most_common(1)[0], f" (and {len(nobodys) - 1} more)" if len(nobodys) > 1 else ""
        lack.problems.append(
            f"no scorer fits data_source={first!r} of {n} rows{others}: {_a_name(first)}, or score it with a function "
            "of yours (reward.path=FILE.py:FUNCTION domain_mix=own)"
        )
    return rows


def _a_name(source: str) -> str:
    """What an unscored source may be called."""
    try:
        domain = domain_of(source)
    except UnknownDataSource:
        return f"call it math__{source}, codegen__{source} or table__{source}, or a name of docs/rewards.md"
    return f"give it a name of {domain} that has one (docs/rewards.md lists them)"


def _undeclared(folder: Path, spec: DataSpec, lack: Lack, *, template: bool) -> Rows | None:
    """Notes files whose columns are not known; the folder's rows as they would be with the columns that are guessed."""
    try:
        wrong = list(undeclared(folder))
        if not wrong:
            return None
        (name, first), others = wrong[0], f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        guess = guessed_columns(folder, template=template)
        cure = "" if guess else " (declare them: docs/data.md)"
        rows = _as_if(folder, guess, spec) if guess else None
    except DataError as error:
        raise ConfigError(str(error)) from None
    lack.problems.append(f"{FILE_NAME} does not say what the columns of {name}{others} mean: {', '.join(first)}{cure}")
    lack.columns = columns_command(folder, guess) if guess else None
    return rows


def _as_if(folder: Path, lines: Sequence[str], spec: DataSpec) -> Rows:
    """The folder's rows as they would be with this `columns.yaml`."""
    found = read_folder(
        folder,
        domains=tuple(Domain),
        bad_rows=BadRows.drop,
        own_rewards=spec.own_rewards,
        declared=mappings_of("\n".join(lines), folder / FILE_NAME),
    )
    by_role = {role: Counter(row.domain for row in rows) for role, rows in found.rows.items()}
    evaluation = by_role[Role.evaluation] or by_role[Role.offline_evaluation]
    return Rows(by_role[Role.train], evaluation, tuple(row.reason for row in found.bad))


class _Needs:
    """Compares what a run asks for with what there is; each check lets the next see what it changed."""

    def __init__(self, spec: DataSpec, rows: Rows, lack: Lack) -> None:
        self._spec, self._rows, self._lack = spec, rows, lack
        self._weights = {domain: spec.weights[domain] for domain in spec.train_domains}

    def check(self, mix: str, batch: int) -> None:
        rows, lack = self._rows, self._lack
        if rows.bad and self._spec.cleaning.bad_rows is BadRows.refuse:
            lack.problems.append(f"{len(rows.bad)} rows cannot be used, the first: {rows.bad[0].rstrip('.')}")
            lack.settings["data.cleaning.bad_rows"] = "drop"
        if not rows.train.total():
            self._give_up("no row can be trained on")
            return
        self._check_domains(mix)
        if not self._spec.filters:  # how many problems they leave is known when data are made
            self._check_amount(batch)
        there = [domain for domain in Domain if rows.measured[domain]]
        if (lack.settings or lack.columns) and not set(self._spec.evaluated_domains) <= set(there):
            lack.settings["eval.domains"] = f"[{','.join(there)}]"

    def _give_up(self, why: str) -> None:
        self._lack.problems.append(why)
        self._lack.settings.clear()
        self._lack.columns = None

    def _check_domains(self, mix: str) -> None:
        has = {domain: count for domain, count in self._rows.train.items() if count}
        absent = [domain for domain in self._weights if domain not in has]
        if not absent:
            return
        there = ", ".join(f"{count} {domain}" for domain, count in has.items())
        asked = " or ".join(absent)
        self._lack.problems.append(f"no {asked} problem for training, which domain_mix={mix} asks for (there: {there})")
        kept = {domain: weight for domain, weight in self._weights.items() if domain in has}
        self._weights = kept or dict.fromkeys(has, 1.0)
        (first, *others) = self._weights
        if not others and first in _MIXES:
            self._lack.settings["domain_mix"] = first
        else:
            shares = (f"{domain}: {self._weights.get(domain, 0):g}" for domain in Domain if domain is not Domain.OWN)
            self._lack.settings |= {"domain_mix": "guru_six", "domain_mix.weights": f"{{{', '.join(shares)}}}"}

    def _check_amount(self, batch: int) -> None:
        spec, lack = self._spec, self._lack
        aside = 0 if self._rows.evaluation else max(spec.n_eval_per_domain or 0, spec.n_val_per_domain)
        left = {domain: max(0, self._rows.train[domain] - aside) for domain in self._weights}
        kept = f" ({aside} of each domain are held out for evaluation)" if aside else ""
        short = (
            []
            if spec.n_unique is None
            else list(domain_counts({str(d): w for d, w in self._weights.items()}, spec.n_unique).items())
        )
        short = [(domain, count) for domain, count in short if left[domain] < count]
        if short:
            needs = ", ".join(f"{count} different {domain} problems, and {left[domain]} are" for domain, count in short)
            lack.problems.append(f"data_scale.n_unique={spec.n_unique} needs {needs} for training{kept}")
            lack.settings["data_scale"] = "full"
        if (short or spec.n_unique is None) and sum(left.values()) < batch:
            total = sum(left.values())
            lack.problems.append(f"training.train_batch_size={batch} is more than the {total} for training{kept}")
            if aside:
                fewer = max(1, min(self._rows.train[domain] for domain in self._weights) // 4)
                lack.settings |= dict.fromkeys(("eval.problems_per_domain", "eval.val_problems_per_domain"), str(fewer))
                left = {domain: max(0, self._rows.train[domain] - fewer) for domain in self._weights}
            if not sum(left.values()):
                self._give_up("add rows")
                return
            smaller = min(batch, 2 ** (max(1, sum(left.values())).bit_length() - 1))
            sizes = ("training.train_batch_size", "training.ppo_mini_batch_size")
            lack.settings |= dict.fromkeys(sizes, str(smaller))
