"""Curves of known laws with known noise."""

import numpy as np

from analysis.laws.sample import Floats, Sample

SIZES = (0.5, 1.5, 7.0, 32.0)
LEVELS = (-0.01, 0.0, 0.1, 0.25)
K_MAX, N0 = 0.15, 15.0
X = np.geomspace(1e3, 5e4, 40)


def curve(y: Floats, x: Floats = X, run: tuple[str, ...] | None = None) -> Sample:
    return Sample(columns={"x": x}, y=y, run=run)


def sigmoid(x: Floats, a: float = 0.645, b: float = 1.7, c_mid: float = 8000.0, r0: float = 0.2) -> Floats:
    return np.asarray(r0 + (a - r0) / (1 + (c_mid / x) ** b))


def power_floor(x: Floats) -> Floats:
    return np.asarray(0.3 + 5 * x**-0.35)


def exp_saturation(x: Floats) -> Floats:
    return np.asarray(0.6 - 0.4 * np.exp(-x / 12000))


def kn_loss(n: Floats, x: Floats, level: Floats) -> Floats:
    return np.asarray(10 ** (-K_MAX * n / (n + N0) * np.log10(x) + level))


def kn_sample(noise: float = 0.0, seed: int = 0, rows: int = 30, runs: int = 1, shift: float = 0.0) -> Sample:
    """Curves of four sizes; `shift` is the standard deviation of a run's own level, in log10."""
    rng = np.random.default_rng(seed)
    x = np.tile(np.geomspace(1e3, 5e4, rows), len(SIZES) * runs)
    n = np.repeat(SIZES, rows * runs)
    own = np.repeat(rng.normal(0, 1, len(SIZES) * runs) * shift, rows)
    y = kn_loss(n, x, np.repeat(LEVELS, rows * runs) + own) + rng.normal(0, noise, len(x))
    return Sample(
        columns={"x": x, "n": n},
        y=y,
        group=tuple(f"{value:g}" for value in n),
        run=tuple(str(i) for _ in SIZES for i in range(runs) for _ in range(rows)) if runs > 1 else None,
    )


def ar1(rng: np.random.Generator, n: int, rho: float, sd: float) -> Floats:
    """A stationary process."""
    noise = rng.normal(0, sd, n)
    for i in range(1, n):
        noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * noise[i]
    return noise
