import numpy as np

from analysis.passk.extrapolation import extrapolate
from analysis.passk.sample import Sample
from tests.analysis.known import ends


def drawn(rng: np.random.Generator, a: float, b: float, problems: int = 200, n: int = 128) -> tuple[Sample, np.ndarray]:
    p = rng.beta(a, b, problems)
    return Sample.of((f"p{i:04d}", n, int(c)) for i, c in enumerate(rng.binomial(n, p))), p


def test_the_envelope_holds_the_truth_beyond_the_samples() -> None:
    rng, ks, inside = np.random.default_rng(6), (1000, 10_000), 0
    for _ in range(10):
        sample, p = drawn(rng, 0.4, 4.0)
        for found in extrapolate(sample, ks, draws=60):
            truth = float(np.mean(1 - (1 - p) ** found.k))
            low, high = ends(found)
            inside += low <= truth <= high
    assert inside >= 19


def test_the_envelope_spans_both_models_which_part_with_k() -> None:
    sample, _ = drawn(np.random.default_rng(1), 0.3, 2.0)
    near, far = extrapolate(sample, (256, 100_000), draws=40)
    for item in (near, far):
        assert item.low <= min(item.beta_binomial, item.power_law)  # type: ignore[operator, type-var]
        assert item.high >= max(item.beta_binomial, item.power_law)  # type: ignore[operator, type-var]
    assert abs(far.beta_binomial - far.power_law) > abs(near.beta_binomial - near.power_law)  # type: ignore[operator]


def test_what_cannot_be_fitted_is_null_with_the_reason() -> None:
    few = Sample.of((f"p{i}", 8, i) for i in range(6))
    equal = Sample.of((f"p{i}", 64, 0) for i in range(6))
    for sample, word in ((few, "only 8 samples"), (equal, "solve rate 0")):
        (found,) = extrapolate(sample, (1000,))
        assert (found.beta_binomial, found.power_law, found.low) == (None, None, None)
        assert word in (found.reason or "")
