"""The law of a learning curve: one fit wherever it is printed, chosen because it holds what it promises."""

from pathlib import Path

import numpy as np
import pytest

from analysis.laws.catalogue import POWER
from analysis.laws.fitting import fit
from analysis.laws.inference import Inference
from analysis.laws.losses import LOG_L2
from analysis.questions import QUESTIONS
from analysis.report.evidence import Evidence
from analysis.report.sections import curves
from analysis.row_laws.curve_law import own_law, sample_of
from analysis.runs.checkpoints import Axis, Checkpoint, checkpoints
from analysis.runs.selection import select
from tests.analysis.laws.synthetic import ar1
from tests.analysis.questions.planted import Planted, curve, selection
from tests.analysis.whole_sweep import write_whole_sweep

ANSWERS = 256  # behind each validation


def drawn(rng: np.random.Generator, *, runs: int, validations: int, start: float, alpha: float) -> list[Checkpoint]:
    """Validations of runs of one size around start x step^-alpha; a run's level and course deviate."""
    steps = np.arange(1, validations + 1) * 2
    found = []
    for run in range(runs):
        mean = start * steps**-alpha
        logit = np.log(mean / (1 - mean)) + rng.normal(0, 0.05) + ar1(rng, validations, 0.6, 0.05)
        wrong = rng.binomial(ANSWERS, 1 / (1 + np.exp(-logit)))
        found += [
            Checkpoint(
                run_id=str(run),
                series="",
                model="m",
                size=1000,
                seed=run,
                step=int(step),
                samples=None,
                flops=None,
                error=float(count / ANSWERS),
                held_out=False,
            )
            for step, count in zip(steps, wrong, strict=True)
        ]
    return found


@pytest.mark.parametrize(("runs", "validations"), [(1, 4), (3, 4), (3, 20)])
def test_the_exponent_is_covered_with_few_validations_too(runs: int, validations: int) -> None:
    held = []
    for i in range(200):
        points = drawn(np.random.default_rng(i), runs=runs, validations=validations, start=0.8, alpha=0.08)
        law = own_law(points, Axis.steps)
        assert isinstance(law, Inference)
        ends = law.estimates[1].interval
        assert ends is not None
        low, high = (-np.inf if ends.low is None else ends.low), (np.inf if ends.high is None else ends.high)
        held.append(low <= 0.08 <= high)
    assert 0.92 <= np.mean(held) <= 0.985


def test_squares_of_the_error_find_the_exponent_better_than_those_of_its_logarithm() -> None:
    ours, logarithm = [], []
    for i in range(150):
        points = drawn(np.random.default_rng(i), runs=3, validations=20, start=0.9, alpha=0.3)
        law = own_law(points, Axis.steps)
        assert isinstance(law, Inference)
        ours.append(law.fit.natural["alpha"] - 0.3)
        logarithm.append(fit(POWER, sample_of(points, Axis.steps), loss=LOG_L2).natural["alpha"] - 0.3)
    assert np.sqrt(np.mean(np.square(ours))) < 0.93 * np.sqrt(np.mean(np.square(logarithm)))


@pytest.mark.parametrize(("validations", "held"), [(4, 0), (6, 0), (7, 2), (20, 5)])
def test_the_last_quarter_is_held_out_where_five_remain(validations: int, held: int) -> None:
    made = selection([Planted(steps=validations, curve=curve(lambda step: step / 99, steps=validations, every=1))])
    points = checkpoints(made.runs, {made.runs[0].row.run_id: ""})
    assert [point.held_out for point in points] == [False] * (validations - held) + [True] * held


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sweep")
    write_whole_sweep(made, seeds=2, sizes={"tiny-40k": 27_000, "tiny-130k": 102_000, "tiny-450k": 400_000})
    return made


def test_report_and_questions_print_the_same_law_of_the_same_curves(folder: Path) -> None:
    chosen = select(folder)
    evidence = Evidence(selection=chosen)
    answer = QUESTIONS["compute"].ask(chosen)
    asked = answer.tables["curves"].set_index("arm")
    (drawn_slopes,) = (figure.data for figure in curves.section(evidence).figures if figure.name == "slopes")
    own = drawn_slopes[drawn_slopes["group"] == curves.OWN]
    of_report = own[["y", "low", "high"]].to_numpy(dtype=np.float64)
    of_question = asked[["alpha", "low", "high"]].to_numpy(dtype=np.float64)
    assert len(of_report) == 6  # two series of three sizes
    for line in of_report:
        assert (of_question == line).all(axis=1).sum() == 1
    joint = [law.joint for law in evidence.curve_laws if law.axis is Axis.compute]
    asked_joint = answer.tables["k_of_n"].dropna(subset=["low"])
    for name in ("N0", "K_max"):
        ours = np.array([_ends(law, name) for law in joint])
        theirs = asked_joint[asked_joint["parameter"] == name][["value", "low", "high"]].to_numpy(dtype=np.float64)
        assert len(ours) == 2
        np.testing.assert_array_equal(ours[ours[:, 1].argsort()], theirs[theirs[:, 1].argsort()])


def _ends(law: Inference | str, name: str) -> tuple[float | None, ...]:
    assert isinstance(law, Inference)
    (found,) = (item for item in law.estimates if item.name == name)
    assert found.interval is not None
    return found.value, found.interval.low, found.interval.high
