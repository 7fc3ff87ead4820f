"""Free-form STEM answers by rules alone."""

# ruff: noqa: RUF001 - look-alike characters are what some of these answers are about
import time

import pytest

from rewards import BadGroundTruth, check_gold, compute_score
from rewards.answers.quantity import read_unit
from rewards.math import answer as math_answer
from rewards.math.algebra.judge import NotJudged
from rewards.problem.question import Question
from rewards.problem.verdict import Late, Outcome
from rewards.route.scorers import STEM
from tests.rewards.labelled import is_right

_RIGHT = [
    ("5 m", "5 m"), ("5 m", "5.0 m"), ("0.05 m", "5 cm"), ("5 cm", "0.05 m"), ("500 cm", "5 m"), (r"5\text{ m}", "5 m"),
    (r"5\,\mathrm{m}", "5 m"), ("5", "5 m"), ("5 m", "5"), ("5 meters", "5 m"), ("5 metres", "5 m"), ("5 m/s", "5 m/s"),
    (r"5 \text{ m/s}", "5 m/s"), (r"5\ \mathrm{m\,s^{-1}}", "5 m/s"), (r"5\frac{\text{m}}{\text{s}}", "5 m/s"),
    ("18 km/h", "5 m/s"),
    ("5 meters per second", "5 m/s"), ("9.81 m/s^2", "9.8 m/s^2"), (r"9.8\,\text{m/s}^2", "9.8 m/s²"),
    ("9.8 m s^-2", "9.8 m/s^2"),
    ("1.5e-3 A", "1.5 mA"), (r"1.5 \times 10^{-3} \text{ A}", "1.5 mA"), ("1.5 mA", "0.0015 A"),
    (r"3\times10^8 m/s", "3e8 m/s"),
    ("3.00 x 10^8 m/s", "3e8 m/s"), ("1000 J", "1 kJ"), ("1.6e-19 C", "1.60e-19 C"), ("6.022e23", "6.02e23"),
    (r"6.02 \times 10^{23}", "6.022e23"),
    ("3.14", "3.1416"), ("3.1416", "3.14"), ("0.333", "1/3"), (r"\frac{1}{3}", "1/3"), (r"\frac13", "0.333"), ("42",
    "42"), ("42.0", "42"),
    ("1,200", "1200"), ("1200 J", "1,200 J"), ("25 °C", r"25^\circ C"), (r"25^{\circ}\text{C}", "25 °C"),
    ("25 degrees Celsius", "25 °C"),
    ("298.15 K", "25 °C"), (r"30^\circ", "30 degrees"), ("50%", "50 %"), ("0.5", "50%"), (r"50\%", "0.5"),
    ("10 kΩ", r"10\,k\Omega"),
    ("10000 ohms", r"10 k\Omega"), (r"5 \mu m", "5 µm"), ("2.5 kJ/mol", "2.5 kJ mol^-1"), ("8.314 J/(mol K)",
    "8.314 J/mol·K"),
    ("0.1 M", "0.1 mol/L"), ("1 atm", "101325 Pa"), ("x = 5", "5"), ("v = 5 m/s", "5 m/s"), ("5", "x = 5"),
    (r"F = 10\text{ N}", "10 N"),
    ("10 kg·m/s²", "10 N"), ("≈ 5.00 m", "5 m"), ("$5", "5 dollars"), (r"\$5", "$5"), ("12 electrons", "12"), ("12",
    "12 electrons"),
    ("H2O", "H_2O"), (r"\text{H}_2\text{O}", "H2O"), (r"\mathrm{H_2O}", "H2O"), ("H₂O", "H2O"), (r"\ce{H2O}",
    "H2O"), ("Fe^{3+}", "Fe3+"),
    ("Fe³⁺", "Fe^{3+}"), ("SO_4^{2-}", "SO4^2-"), ("CO2", "CO_2"), ("NaCl", "NaCl"), ("increases", "Increases"),
    (r"\text{increases}", "increases"),
    ("The mitochondria.", "the mitochondria"), ("Newton's second law", "newtons second law"), ("B", "(B)"), ("b",
    "B"), ("true", "True"),
    (r"\frac{1}{2}mv^2", r"\frac{mv^2}{2}"), ("mgh", "m g h"), (r"E = mc^2", "mc^2"), (r"2\pi r", r"2 r \pi"),
    ("x^2+2x+1", "(x+1)^2"),
    (r"\sqrt{2}", r"2^{1/2}"), ("5 m, 10 s", "5 m, 10 s"), ("5 m and 10 s", "5 m, 10 s"), ("-5 V", "−5 V"), ("5 eV",
    "5 eV"),
    (r"1.38 \times 10^{-23} \text{ J/K}", "1.38e-23 J/K"), ("0.25 mol", "0.25 moles"), ("2 h", "120 min"),
    ("7200 s", "2 hours"),
    (r"\Delta H = -286 \text{ kJ/mol}", "-286 kJ/mol"), (r"\frac{\pi}{4}\text{ rad}", "0.785 rad"), (r"\ln 2", "0.693"),
    (r"\sqrt{2}", "1.414"), ("1.414", r"\sqrt{2}"), (r"2\pi", "6.28"), (r"e^{-1}", "0.368"),
    (r"\frac{3}{4}\,\text{m}", "75 cm"),
    (r"32^\circ F", "0 °C"), ("300 K", "27 °C"), ("T_1 = 300 K", "300 K"), ("5 + 10", "15.0"), (r"2\sqrt{2}",
    r"\sqrt{8}"),
    ("500 nm", r"\lambda = 5 \times 10^{-7}\,\text{m}"), (r"2\,\text{mol}\cdot\text{L}^{-1}", "2 mol/L"),
    ("200 kPa", "2.0e5 Pa"),
]  # fmt: skip
_WRONG = [
    ("1.5", r"\sqrt{2}"), ("6.3", r"2\pi"), (r"9^{9^{9^9}}", "5.0"), (r"2\sqrt{3}", r"\sqrt{8}"), ("5-6", "5.0"),
    ("2019-2020", "2019"),
    (r"sp^{2}", "sp^3"), ("2:1", "1:2"), ("310 K", "27 °C"), (r"\frac{\pi}{3}", "0.785"),
    ("5 m", "5 cm"), ("5 cm", "5 m"), ("5 m", "5 s"), ("5 m/s", "5 m"), ("5 m/s", "5 m/s^2"), ("5 mW", "5 MW"),
    ("5 MW", "5 mW"), ("6 m", "5 m"),
    ("50 cm", "5 m"), ("5.1 m", "5.0 m"), ("1000 m", "1 m"), ("5", "6"), ("43", "42"), ("42.3", "42"), ("2020", "2019"),
    ("1001", "1000"), ("1199 J", "1200 J"), ("3.2", "3.14"), ("3.1", "3.14"), ("0.3", "1/3"), ("0.34", "1/3"),
    ("-5 V", "5 V"), ("5 V", "-5 V"),
    ("1.6e-18 C", "1.6e-19 C"), ("1.5 A", "1.5 mA"), ("25 K", "25 °C"), ("30 rad", "30 degrees"), ("5 or 6 m",
    "5 m"), ("5 m or 6 m", "5 m"),
    ("0.5", "50"), ("5%", "50%"), ("CO", "Co"), ("Co", "CO"), ("CO2", "CO"), ("H2O2", "H2O"), ("Fe^{2+}",
    "Fe^{3+}"), ("SO_3^{2-}", "SO_4^{2-}"),
    ("decreases", "increases"), ("does not increase", "increases"), ("C", "B"), ("A or B", "B"), ("A", "B"),
    ("False", "True"), ("seat", "east"), ("a b", "a - b"),
    ("T_1 T_2", "T_1 - T_2"), ("PVnRT", "PV - nRT"), ("5 x", "5 - x"), ("a/b", "ab"), ("a", "-a"), ("v = ir", "V = IR"),
    ("the nucleus", "the mitochondria"), ("mv^2", r"\frac{1}{2}mv^2"), ("2 m g h", "mgh"), ("x^2+1", "(x+1)^2"),
    (r"\pi r", r"2\pi r"),
    ("5 m", "5 m, 10 s"), ("5 m, 11 s", "5 m, 10 s"), ("", "5"), ("solution", "photosynthesis"), (":",
    "photosynthesis"),
    ("Final Decision: Yes", "photosynthesis"), ("__import__('os').system('true')", "5"), ("9**9**9**9", "5"),
    ("9^{9^{9^{9}}}", "5"),
    ("exit()", "5"), ("5e99999", "5"), ("100 J", "100 W"), ("2 h", "2 min"), ("10 ohms", r"10 k\Omega"), ("5 kg",
    "5 N"), ("1e400", "1e-400"),
]  # fmt: skip


@pytest.mark.parametrize(("box", "gold"), _RIGHT)
def test_an_equal_answer_is_right_by_rules(box: str, gold: str) -> None:
    assert is_right("stem__web", f"So \\boxed{{{box}}}.", gold)
    assert is_right("stem_web", f"So \\boxed{{{box}}}.", gold)


@pytest.mark.parametrize(("box", "gold"), _WRONG)
def test_another_answer_is_wrong_by_rules(box: str, gold: str) -> None:
    assert not is_right("stem__web", f"So \\boxed{{{box}}}.", gold)


def test_no_box_is_no_answer() -> None:
    assert compute_score("stem__web", "It is 5 m.", "5 m")["outcome"] == "no_answer"
    assert compute_score("stem__web", r"<think>\boxed{5 m}</think>", "5 m")["outcome"] == "no_answer"


@pytest.mark.parametrize(
    "box", ["5" * 1_000_000, "m/" * 500_000, "H" * 1_000_000, "a, " * 300_000, "(" * 100_000, "C" * 4000 + "!"]
)
def test_a_megabyte_takes_no_time(box: str) -> None:
    start = time.process_time()
    assert not is_right("stem__web", f"\\boxed{{{box}}}", "5 m")
    assert time.process_time() - start < 1


class _Late:
    """Computer algebra that is late on every pair."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, *pair: str) -> bool:
        self.asked.append(pair)
        raise NotJudged(Outcome.TIMEOUT)


@pytest.mark.parametrize(
    ("box", "gold"),
    [(r"\max(x, y)", r"\max(y, x)"), (r"(a) \max(x, y) (b) 3", r"(a) \max(y, x) (b) 3")],
)
def test_a_formula_that_algebra_is_late_on_is_late_and_not_wrong(
    box: str, gold: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = _Late()
    monkeypatch.setattr("rewards.math.answer.judge", late)
    monkeypatch.setattr("rewards.math.answer._is_equal", math_answer._is_equal.__wrapped__)  # remembers no pair
    found = STEM.verdict(f"\\boxed{{{box}}}", Question(gold=gold))
    assert late.asked
    assert (found.outcome, found.late) == (Outcome.TIMEOUT, Late.ALGEBRA)
    assert STEM.verdict(r"\boxed{5 m}", Question(gold="6 m")).outcome is Outcome.WRONG


def test_an_empty_gold_is_a_data_error() -> None:
    with pytest.raises(BadGroundTruth):
        check_gold("stem__web", " ")


@pytest.mark.parametrize(
    ("left", "right"),
    [("N", "kg m/s^2"), ("J", "N m"), ("W", "J/s"), ("Pa", "N/m^2"), ("V", "W/A"), ("km/h", "kilometers per hour"),
    ("mL", "cm^3"),
     ("T", "kg/(A s^2)"), (r"\Omega", "V/A"), ("Hz", "s^{-1}"), ("L", "dm³"), ("kW h", "kW*h"), ("square meters",
     "m^2")],
)  # fmt: skip
def test_units_that_are_the_same_have_one_value(left: str, right: str) -> None:
    a, b = read_unit(left), read_unit(right)
    assert a is not None
    assert b is not None
    assert a.dimension == b.dimension
    assert a.factor == pytest.approx(b.factor)


@pytest.mark.parametrize("text", ["", "foo", "m//", "9", "m^", "5 m", "ziggurat", "m" * 1000])
def test_an_unknown_unit_is_none(text: str) -> None:
    assert read_unit(text) is None
