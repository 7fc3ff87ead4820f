"""How often a scorer pays a wrong answer and loses a right one, by kind of answer."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.rewards.grammar.pair import Pair

_EXAMPLES = 5


@dataclass(slots=True)
class Rates:
    """Counts by kind; `examples` has some of the pairs that were judged wrongly."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Pair]] = field(default_factory=dict)

    def count(self, pair: Pair, verdict: bool) -> None:
        (self.right if pair.right else self.wrong)[pair.kind] += 1
        if verdict is pair.right:
            return
        (self.lost if pair.right else self.paid)[pair.kind] += 1
        shown = self.examples.setdefault(pair.kind, [])
        if len(shown) < _EXAMPLES:
            shown.append(pair)

    def add(self, other: "Rates") -> None:
        self.right += other.right
        self.wrong += other.wrong
        self.lost += other.lost
        self.paid += other.paid
        for kind, pairs in other.examples.items():
            self.examples[kind] = [*self.examples.get(kind, []), *pairs][:_EXAMPLES]

    def beyond(self, paid: dict[str, float], lost: dict[str, float], otherwise: float = 0.0) -> list[str]:
        """A line for each kind whose share of wrong answers paid, or of right ones lost, is above its bound."""
        found = []
        for name, counts, of, bounds in (("paid", self.paid, self.wrong, paid), ("lost", self.lost, self.right, lost)):
            for kind, number in sorted(counts.items()):
                if number > bounds.get(kind, otherwise) * of[kind]:
                    found.append(f"{kind}: {number} of {of[kind]} {name}, such as {self._shown(kind, name == 'lost')}")
        return found

    def _shown(self, kind: str, right: bool) -> str:
        return "; ".join(f"{one.response!r} for {one.gold!r}" for one in self.examples[kind] if one.right is right)


def rates(pairs: Iterable[Pair], score: Callable[[Pair], bool]) -> Rates:
    """Verdicts of `score` on `pairs`."""
    found = Rates()
    for pair in pairs:
        found.count(pair, score(pair))
    return found
