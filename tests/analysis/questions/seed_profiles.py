"""Differences and slopes over five sizes whose seeds scatter unlike: coverage, and the price where they scatter alike.

    python -m tests.analysis.questions.seed_profiles 1000

prints the table of docs/questions.md. Problems have the same value in every run of an arm, so that seeds alone count.
"""

import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from analysis.estimates.panel import pull
from analysis.laws.student import quantile
from analysis.passk.crossed import contrast_mean

Floats = NDArray[np.float64]
SIZES = np.array([0.5, 1.5, 3.0, 7.0, 14.0])
PROFILES = {  # standard deviations between seeds, in points of a benchmark
    "kk_hard": (0.7, 0.8, 1.7, 8.3, 15.0),
    "mmlu_pro": (1.1, 1.9, 1.2, 9.4, 1.6),
    "gsm8k": (1.6, 0.8, 1.1, 0.9, 0.8),
    "math500": (1.0, 0.7, 0.5, 0.4, 0.5),
    "equal": (1.0, 1.0, 1.0, 1.0, 1.0),
    "rising": (1.0, 1.5, 2.2, 3.3, 5.0),
    "one large": (5.0, 1.0, 1.0, 1.0, 1.0),
    "two large": (1.0, 1.0, 1.0, 4.0, 4.0),
}
CONTRASTS: dict[str, Floats] = {
    "14B - 7B": np.array([0.0, 0.0, 0.0, -1.0, 1.0]),
    "1.5B - 0.5B": np.array([-1.0, 1.0, 0.0, 0.0, 0.0]),
    "14B - 0.5B": np.array([-1.0, 0.0, 0.0, 0.0, 1.0]),
    "slope": pull(SIZES),
}


def coverage(profile: str, contrast: str, seeds: int, sims: int) -> tuple[float, float]:
    """(share of intervals that hold the truth, their mean width over that of the variance pooled over the arms)."""
    rng = np.random.default_rng([seeds, *profile.encode()])
    weights, sd = CONTRASTS[contrast], np.array(PROFILES[profile]) / 100
    used = np.flatnonzero(weights)
    held, width, pooled = 0, 0.0, 0.0
    for deviations in rng.normal(size=(sims, seeds, 5)) * sd:
        arms = [np.repeat(deviations[:, [i]], 2, axis=1) for i in range(5)]
        low, high = contrast_mean(arms, weights.tolist()).interval()[1:]
        assert low is not None
        assert high is not None
        held += low <= 0 <= high
        width += high - low
        variance = float(deviations[:, used].var(axis=0, ddof=1).mean() * (weights**2).sum() / seeds)
        pooled += 2 * quantile(len(used) * (seeds - 1)) * variance**0.5
    return held / sims, width / pooled


def table(sims: int) -> Iterator[str]:
    """Lines of Markdown."""
    yield "| seeds, points of sd | " + " | ".join(CONTRASTS) + " |"
    yield "|---|" + "---|" * len(CONTRASTS)
    for seeds in (2, 3):
        for profile, sd in PROFILES.items():
            cells = []
            for contrast in CONTRASTS:
                held, width = coverage(profile, contrast, seeds, sims)
                cells.append(f"{held:.3f}" + (f" (width {width:.2f})" if profile == "equal" else ""))
            yield f"| {seeds}, {', '.join(f'{item:g}' for item in sd)} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    for line in table(int(sys.argv[1])):
        print(line, flush=True)
