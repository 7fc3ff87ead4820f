"""A proof: what a machine did when it was tried, tier by tier, and how it is told."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sweeper.host import temporary
from sweeper.host.amounts import duration
from sweeper.host.errors import RunFailedError
from sweeper.host.files import open_results
from sweeper.host.machine import git_state, versions
from sweeper.oversight.check import Verdict
from sweeper.oversight.proof import stack_tier, torch_tier
from sweeper.oversight.proof.line import Line, failed
from sweeper.oversight.proof.trial import Trial
from sweeper.training.context import now

SECONDS = 600.0  # that a tier may take on a GPU
SMALL_SECONDS = 1800.0  # in miniature: a processor is shared, and its pace says nothing
TIERS = {1: ("PyTorch and transformers alone", torch_tier.prove), 2: ("the installed stack", stack_tier.prove)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What one tier found, and the wall seconds it took."""

    number: int
    seconds: float
    lines: tuple[Line, ...]

    @property
    def title(self) -> str:
        """For people."""
        return f"Tier {self.number}, {TIERS[self.number][0]}: {duration(self.seconds)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Tiers that were tried on one machine.

    Attributes:
        device: Its name by its vendor.
        is_small: In miniature on a processor: it shows that the proof works, and nothing about the machine.
        began: ISO 8601, UTC.
        commit: Of the code; None: not known.
        versions: Of the packages that matter.
        tiers: In their order.
    """

    device: str
    is_small: bool
    began: str
    commit: str | None
    versions: dict[str, str]
    tiers: tuple[Tier, ...]

    def to_json(self) -> str:
        """For a file."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def read(cls, text: str) -> "Proof":
        """What `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        tiers = tuple(Tier(**item | {"lines": tuple(map(Line.read, item["lines"]))}) for item in values["tiers"])
        return cls(**values | {"tiers": tiers})

    def count(self, verdict: Verdict) -> int:
        """Lines with a verdict."""
        return sum(line.verdict is verdict for tier in self.tiers for line in tier.lines)


def prove(folder: Path, *, tiers: Sequence[int], small: bool, tell: Callable[[Line], None]) -> Proof:
    """Try this machine.

    Args:
        folder: For logs, runs and `proof.json`; made here.
        tiers: Keys of `TIERS`.
        small: In miniature, on the processor.
        tell: Is given every line when it is known.

    Raises:
        ConfigError: there is no GPU, and it is not to be small.
    """
    began, found = now(), []
    with temporary.with_room(), TemporaryDirectory(prefix="rl-", ignore_cleanup_errors=True) as scratch:
        trial = Trial.here(folder, Path(scratch), small=small)
        open_results(folder.parent)
        folder.mkdir()
        seconds = SMALL_SECONDS if small else SECONDS
        for number in tiers:
            start, lines = time.monotonic(), []
            for line in _kept(f"tier {number}", TIERS[number][1](trial, seconds=seconds)):
                lines.append(line)
                tell(line)
            found.append(Tier(number=number, seconds=time.monotonic() - start, lines=tuple(lines)))
    proof = Proof(
        device=trial.name,
        is_small=small,
        began=began,
        commit=git_state()[0],
        versions=versions(),
        tiers=tuple(found),
    )
    (folder / "proof.json").write_text(proof.to_json())
    return proof


def _kept(name: str, lines: Iterable[Line]) -> Iterator[Line]:
    """The lines of a tier; what ends it too early is the last of them."""
    try:
        yield from lines
    except RunFailedError as error:
        yield failed(name, str(error))
