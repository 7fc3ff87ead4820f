"""Bootstrap of the k(N) law on 732 points: ours, all draws in one batch, beside scipy's curve_fit in a loop.

The points are synthetic with the shape of the published ones: seven sizes with 103 to 105 checkpoints. The peer gets
the same draws, starts from the optimum as ours does, and fits the same squares of L; its analytic derivatives are not
given, as one writes it. Run by `python -m tests.bench`, or alone: `python -m tests.analysis.laws.bench_laws`.
"""

import time

import numpy as np
from scipy.optimize import curve_fit

from analysis.laws.catalogue import KN_LOGLINEAR
from analysis.laws.fitting import Weights, fit
from analysis.laws.resampling import bootstrap
from analysis.laws.sample import Floats, Sample

SIZES = (0.5, 1.5, 3.0, 7.0, 14.0, 32.0, 72.0)
ROWS = (105, 105, 105, 105, 105, 104, 103)
DRAWS = 1000
PEER_DRAWS = 50


def points() -> Sample:
    """732 rows."""
    rng = np.random.default_rng(0)
    x = np.concatenate([np.geomspace(1e16, 1e18, rows) * size for size, rows in zip(SIZES, ROWS, strict=True)])
    n = np.repeat(SIZES, ROWS)
    slope = 0.15 * n / (n + 17)
    slope = slope * np.repeat(rng.normal(1, 0.2, len(SIZES)), ROWS)  # sizes depart from the law, as published ones do
    y = 10 ** (-slope * np.log10(x / 1e17) - 0.01 - 0.05 * np.log10(n + 1)) + rng.normal(0, 0.01, len(x))
    return Sample(columns={"x": x, "n": n}, y=y, group=tuple(f"{size:g}" for size in n))


def ours(sample: Sample) -> tuple[float, Floats]:
    """(CPU seconds of the draws, percentiles of K_max)."""
    law = fit(KN_LOGLINEAR, sample, weights=Weights.per_group)
    start = time.process_time()
    draws = bootstrap(law, draws=DRAWS)
    return time.process_time() - start, np.percentile(draws.coordinates[:, 1], [2.5, 50, 97.5])


def peer(sample: Sample) -> tuple[float, Floats]:
    """(CPU seconds of all draws, extrapolated from some, percentiles of K_max)."""
    law = fit(KN_LOGLINEAR, sample, weights=Weights.per_group)
    codes, log_x = sample.group_codes, np.log10(sample.columns["x"])
    rng = np.random.default_rng(1)
    natural = law.natural
    found = []
    start = time.process_time()
    for _ in range(PEER_DRAWS):
        groups = np.flatnonzero(counts := rng.multinomial(len(SIZES), np.full(len(SIZES), 1 / len(SIZES))))
        rows = np.isin(codes, groups)
        n, level = sample.columns["n"][rows], np.searchsorted(groups, codes[rows])

        def law_of(x: Floats, k_max: float, log_n0: float, *levels: float, n: Floats = n, at: Floats = level) -> Floats:
            return np.asarray(10 ** (-k_max * n / (n + np.exp(log_n0)) * x + np.array(levels)[at]))

        begin = [natural["K_max"], np.log(natural["N0"]), *(natural[f"E[{SIZES[i]:g}]"] for i in groups)]
        sigma = np.sqrt(np.array(ROWS)[codes[rows]] / counts[codes[rows]])
        try:
            best, _ = curve_fit(law_of, log_x[rows], sample.y[rows], p0=begin, sigma=sigma, maxfev=20_000)
        except RuntimeError:  # no convergence: costs its time, gives no draw
            continue
        found.append(best[0])
    return (time.process_time() - start) * DRAWS / PEER_DRAWS, np.percentile(found, [2.5, 50, 97.5])


def main() -> None:
    """Print one line."""
    sample = points()
    mine, middle = ours(sample)
    theirs, other = peer(sample)
    print(
        f"{DRAWS} cluster-bootstrap fits of the k(N) law on {sample.n_rows} points: {mine:.2f} s CPU; "
        f"scipy curve_fit in a loop: {theirs:.2f} s CPU ({PEER_DRAWS} draws scaled); ratio {mine / theirs:.3f}; "
        f"K_max {_text(middle)} and {_text(other)}",
        flush=True,
    )


def _text(ends: Floats) -> str:
    return f"{ends[1]:.3f} [{ends[0]:.3f}, {ends[2]:.3f}]"


if __name__ == "__main__":
    main()
