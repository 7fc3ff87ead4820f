"""Which problems a run gained and lost against another or its base model, with a sample of each side to read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sweeper.host.errors import DamagedError, ResultsError
from sweeper.rows.clear_change import clear_changes
from sweeper.rows.passk import Count
from sweeper.rows.sample import Origin, Sample
from sweeper.runs.folder import RunDir
from sweeper.runs.samples import counts, kept_samples

KINDS = ("gained", "lost", "both", "neither")  # solved, by at least one sample: after alone, before alone, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One problem before and after.

    Attributes:
        problem_id: Its name.
        kind: One of `KINDS`.
        clear: 1: clearly more often correct, -1: clearly less often, 0: neither (`sweeper.rows.clear_change`).
        before: Samples and correct ones.
        after: Likewise.
        samples: A kept sample of each side, one that shows the change where there is one; None: none was kept.
        unread: Of each side, whether its file of samples is damaged, which may be why there is no sample.
    """

    problem_id: str
    kind: str
    clear: int
    before: Count
    after: Count
    samples: tuple[Sample | None, Sample | None]
    unread: tuple[bool, bool] = (False, False)

    @property
    def has_changed(self) -> bool:
        """Whether it was gained or lost, or is solved clearly more or less often."""
        return self.kind in ("gained", "lost") or self.clear != 0

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        first, second = (None if sample is None else sample.as_dict() for sample in self.samples)
        return {
            "problem_id": self.problem_id,
            "kind": self.kind,
            "clear": self.clear,
            "before": {**self.before._asdict(), "sample": first},
            "after": {**self.after._asdict(), "sample": second},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All problems that both sides were measured on.

    Attributes:
        before: What stands on the first side: a run's id, or "base".
        after: The run.
        problems: The largest changes of the share of correct samples first.
        only_before: Problems that the first side alone was measured on.
        only_after: Problems that the second side alone was measured on.
        damaged: Files whose samples could not be read, or not all of them.
    """

    before: str
    after: str
    problems: tuple[Changed, ...]
    only_before: int
    only_after: int
    damaged: tuple[DamagedError, ...] = ()

    def kinds(self) -> dict[str, int]:
        """How many problems are of each of `KINDS`, and how many changed clearly."""
        found = Counter(item.kind for item in self.problems)
        clear = Counter(item.clear for item in self.problems)
        return {**{kind: found[kind] for kind in KINDS}, "clearly_up": clear[1], "clearly_down": clear[-1]}

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it; of unchanged problems only how many there are."""
        return {
            "before": self.before,
            "after": self.after,
            "n_problems": len(self.problems),
            "only_before": self.only_before,
            "only_after": self.only_after,
            **self.kinds(),
            "problems": [item.as_dict() for item in self.problems if item.has_changed],
        }


def compared(run_dir: RunDir, other: RunDir | None = None) -> Comparison:
    """A run against another one, or against its base model.

    Raises:
        ResultsError: one of them was not evaluated, or they share no problem.
        DamagedError: a file of theirs is not what was written.
    """
    first, origin = (run_dir, Origin.base) if other is None else (other, Origin.evaluation)
    before, after = _counts(first, origin), _counts(run_dir, Origin.evaluation)
    shared = [name for name in after if name in before]
    if not shared:
        raise ResultsError(f"{first.run_id} and {run_dir.run_id} were evaluated on different problems: none is shared")
    clear = clear_changes([before[name] for name in shared], [after[name] for name in shared])
    (old, old_damage), (new, new_damage) = _samples(first, origin), _samples(run_dir, Origin.evaluation)
    unread = bool(old_damage), bool(new_damage)
    found = []
    for name, sign in zip(shared, clear, strict=True):
        one, two = before[name], after[name]
        is_worse = one.c / one.n > two.c / two.n
        pair = (_telling(old.get(name, ()), right=is_worse), _telling(new.get(name, ()), right=not is_worse))
        kind = ("both" if two.c else "lost") if one.c else ("gained" if two.c else "neither")
        found.append(
            Changed(problem_id=name, kind=kind, clear=sign, before=one, after=two, samples=pair, unread=unread)
        )
    found.sort(key=lambda item: (-abs(item.clear), -abs(item.after.c / item.after.n - item.before.c / item.before.n)))
    return Comparison(
        before="base" if other is None else other.run_id,
        after=run_dir.run_id,
        problems=tuple(found),
        only_before=len(before) - len(shared),
        only_after=len(after) - len(shared),
        damaged=(*old_damage, *new_damage),
    )


def _counts(run_dir: RunDir, origin: Origin) -> dict[str, Count]:
    found = {item.problem_id: Count(item.n, item.c) for item in counts(run_dir, origin)}
    if not found:
        what = "its base model was" if origin is Origin.base else "it was"
        raise ResultsError(f"{run_dir.run_id} has no per-problem counts here: {what} not evaluated, or they are gone")
    return found


def _samples(run_dir: RunDir, origin: Origin) -> tuple[Mapping[str, list[Sample]], list[DamagedError]]:
    """The kept samples by problem, and what of them could not be read."""
    found: dict[str, list[Sample]] = {}
    try:
        kept = kept_samples(run_dir, origin)
        for sample in kept:
            found.setdefault(str(sample.problem_id), []).append(sample)
    except DamagedError as error:
        return found, [error]
    except ResultsError:  # counts may outlive the texts: the pairs are missing then, and say so
        return {}, []
    return found, kept.damaged


def _telling(samples: Iterable[Sample], *, right: bool) -> Sample | None:
    """The sample that shows best what was asked for: one of a known verdict before one without, any before none."""

    def order(sample: Sample) -> int:
        return 1 if sample.verdict is None else 0 if (sample.verdict == "correct") == right else 2

    return min(samples, key=order, default=None)
