"""Two-sided 95% intervals by Student's t, for every estimate with an error and degrees of freedom."""

from scipy.special import stdtrit

LEVEL = 0.95


def quantile(df: float, level: float = LEVEL) -> float:
    """Half-width of the interval in standard errors: 12.7 for one degree of freedom, 1.96 for many."""
    return float(stdtrit(df, 0.5 + level / 2))
