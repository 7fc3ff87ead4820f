"""The section on held-out curves says what was predicted."""

from dataclasses import dataclass
from typing import cast

from analysis.report.evidence import Evidence
from analysis.report.sections.heldout import section
from analysis.row_laws.backtest import LARGEST, LAST_QUARTER, Backtest
from analysis.runs.checkpoints import Axis


@dataclass(frozen=True)
class Measured:
    """As much of the evidence as the section reads."""

    backtests: list[Backtest]


def compared(protocol: str, mae: float) -> Backtest:
    return Backtest(
        axis=Axis.data,
        series="n64",
        form="power",
        protocol=protocol,
        n=4,
        mae=mae,
        relative=mae,
        bias=0.0,
        coverage=1.0,
        last_value=0.2,
    )


def test_comparisons_are_counted_protocol_by_protocol_and_told_apart_from_an_unseen_size() -> None:
    tests = [compared(LAST_QUARTER, 0.1), compared(LAST_QUARTER, 0.3), compared(LARGEST, 0.4)]
    lead = " ".join(section(cast(Evidence, Measured(tests))).lead)
    assert "not the final pass@1 of the largest size, which is the question of an unseen size" in lead
    assert "Held out, last quarter of every run: closer than the last value in 1 of 2 comparisons." in lead
    assert "Held out, largest size left out: closer than the last value in 0 of 1 comparison." in lead
