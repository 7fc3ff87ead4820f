"""How much of a measurement's samples a run kept."""

from dataclasses import dataclass

from sweeper.host.amounts import number_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of a measurement was kept.

    Attributes:
        kept: Samples that can be read.
        drawn: Samples that were drawn; None: not known.
        problems: Problems that the kept ones are of.
        judged: Kept samples whose verdict is known.
        joined: Kept samples whose prompt and right answer are known.
        damaged: Lines of the file that cannot be read; what they kept is in none of the above.
    """

    kept: int
    drawn: int | None
    problems: int
    judged: int
    joined: int
    damaged: int = 0

    def __str__(self) -> str:
        """What there is, and what there is not."""
        drawn = "" if self.drawn is None else f" of {self.drawn:,}"
        told = [f"{self.kept:,}{drawn} samples are kept, of {self.problems:,} problems"]
        if self.judged < self.kept:
            told.append(f"{self.kept - self.judged:,} of them without a verdict, by an earlier version")
        if self.joined < self.kept:
            told.append(f"{self.kept - self.joined:,} of them of problems that are not in the run's data here")
        if self.damaged:
            told.append(f"{number_of(self.damaged, 'line')} of their file cannot be read")
        return "; ".join(told)
