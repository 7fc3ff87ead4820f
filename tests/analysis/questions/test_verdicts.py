"""The sentence that an answer begins with: short, plain, and no stronger than its interval."""

import numpy as np
import pytest

from analysis.drawing.answer import LONGEST, Status
from analysis.estimates.numerals import plain, signed
from analysis.estimates.panel import panel, pull
from analysis.passk.estimate import Estimate
from analysis.questions import QUESTIONS
from analysis.questions.levels import levels
from analysis.questions.overall import overall, verdict
from analysis.questions.strata import arms, strata
from analysis.runs.selection import Selection, select
from tests.analysis.questions.planted import Planted, curve, selection
from tests.analysis.whole_sweep import write_whole_sweep

INTERNAL = ("arm", "k_of_n", "tau", "R*", "_", "x^-", "e+0")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Selection:
    folder = tmp_path_factory.mktemp("verdicts")
    write_whole_sweep(folder, seeds=1)
    return select(folder)


def sizes(
    skills: dict[int, float], *, n_unique: tuple[int, ...] = (64,), rng: int = 0, n_problems: int = 120
) -> Selection:
    runs = [
        Planted(model=f"m-{size}", size=size, skill=skill, n_unique=n)
        for n in n_unique
        for size, skill in skills.items()
    ]
    return selection(runs, rng=rng, n_problems=n_problems)


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_verdict_is_one_short_sentence_without_an_internal_name(name: str, whole: Selection) -> None:
    said = QUESTIONS[name].ask(whole).verdict
    assert len(said.split()) <= LONGEST
    assert not said[0].islower() or said.startswith(("tiny-", "grpo", "ppo", "reinforce"))
    assert said.endswith(".")
    words = said.replace("reinforce_plus_plus", "").split()
    assert not [word for word in words for name in INTERNAL if name == word or (len(name) > 3 and name in word)]
    assert said.count("(") == said.count(")")
    assert said.count("[") == said.count("]")


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_text_begins_with_a_capital_and_holds_no_double_sign(name: str, whole: Selection) -> None:
    said = QUESTIONS[name].ask(whole).text
    assert said[0].isupper()
    assert "--" not in said
    assert "+-" not in said


def test_a_verdict_claims_a_direction_only_where_the_interval_excludes_none() -> None:
    clear, open_ = (QUESTIONS["size"].ask(sizes(skills)) for skills in ({1000: 0.0, 2000: 1.5}, {1000: 0.0, 2000: 0.0}))
    assert clear.verdict.startswith("Larger is better: pass@1 rises by ")
    assert open_.verdict.startswith("Not decided: 1,000 and 2,000 parameters differ by ")
    assert "smallest difference this sweep can see: " in open_.verdict
    assert open_.status is Status.not_identified
    worse = QUESTIONS["size"].ask(sizes({1000: 1.5, 2000: 0.0}))
    assert worse.verdict.startswith("Larger is worse: pass@1 falls by ")


def test_the_verdict_of_one_setting_has_the_number_of_its_table() -> None:
    found = QUESTIONS["size"].ask(sizes({1000: 0.0, 2000: 1.5}))
    (row,) = found.tables["slopes"].to_dict("records")
    slope = Estimate(row["per_doubling"], row["low"], row["high"])
    assert plain(slope) in found.verdict
    assert signed(slope) in found.text


def test_what_settings_say_together_is_the_mean_of_their_slopes_paired_over_their_problems() -> None:
    chosen = sizes({1000: 0.0, 2000: 0.4, 4000: 0.8}, n_unique=(64, 128))
    notes: list[str] = []
    several = [
        found
        for stratum in strata(chosen.completed, free=["model"])
        for found in levels(
            stratum.label,
            arms(stratum, label=lambda row: row.model, x=lambda row: row.n_params_non_embedding),
            notes,
        )
    ]
    together = overall(several)
    assert together is not None
    assert together.settings == len(several) == 2
    assert together.slope.value == pytest.approx(np.mean([found.trend.slope.value for found in several]))
    both = panel([arm for found in several for arm in found.panel.arms])
    assert not isinstance(both, str)
    weights = [weight / 2 for found in several for weight in pull(found.panel.x)]
    assert together.slope == pytest.approx(both.contrast(weights).interval())
    assert together.step.value == pytest.approx(2 * together.slope.value, rel=0.5)
    said = verdict(together, several, more="Larger", unit="parameters")
    assert plain(together.slope) in said
    assert "averaged over 2 settings" in said


def test_the_caveat_counts_the_configurations_with_one_seed() -> None:
    own = curve(lambda step: 0.3 + 0.01 * step)
    runs = [Planted(model="m-1", size=1000, seed=seed, curve=own) for seed in (0, 1)]
    runs.append(Planted(model="m-2", size=2000, curve=own))
    said = QUESTIONS["steps"].ask(selection(runs)).text
    assert "1 of 2 configurations has one seed: what another would change is not in its interval." in said
    assert "One seed" not in said


def ladder(skills: tuple[float, ...]) -> Selection:
    """Four sizes with two series each, whose FLOPs are a multiple of their size."""
    runs = [
        Planted(model=f"m-{10**i}", size=1000 * 10**i, skill=skill, n_unique=n, flops=6e6 * 10**i)
        for i, skill in enumerate(skills)
        for n in (64, 320)
    ]
    return selection(runs, n_problems=120)


def test_a_law_of_compute_that_moves_together_with_size_is_said_to_be_no_separate_evidence() -> None:
    found = QUESTIONS["compute"].ask(ladder((-1.0, 0.0, 1.0, 2.0)))
    assert found.verdict.startswith("More compute is better: the error falls as a power of training FLOPs")
    assert found.verdict.endswith("; not separate from size: both move together here.")
    assert found.status is Status.answered


def test_compute_is_open_where_the_interval_over_base_models_holds_zero() -> None:
    found = QUESTIONS["compute"].ask(ladder((0.0, 0.9, 0.0, 0.9)))
    assert found.verdict.startswith("Not decided: the exponent of the error over training FLOPs is ")
    assert found.status is Status.not_identified
    assert "the interval contains 0" in (found.reason or "")


@pytest.mark.parametrize(("steps", "little"), [((0.0, 0.1, 0.2, 0.3), False), ((0.0, 1.5, 0.0, 1.5), True)])
def test_a_wide_interval_of_an_unseen_size_is_said_to_exclude_little(steps: tuple[float, ...], little: bool) -> None:
    found = QUESTIONS["unseen_size"].ask(sizes({1000 * 4**i: skill for i, skill in enumerate(steps)}, n_problems=3000))
    row = found.tables["predictions"].iloc[0]
    assert (row["high"] - row["low"] > 0.25) == little
    where = "inside" if row["low"] <= row["measured"] <= row["high"] else "outside"
    assert found.verdict.startswith(f"Predicted from the smaller sizes, the largest lies {where} [")
    assert ("which excludes little" in found.verdict) is little
    assert ("which excludes little" in found.text) is little
