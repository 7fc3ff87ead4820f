"""Numbers as people read them."""

from analysis.passk.estimate import Estimate


def short(value: float) -> str:
    """A count as people say it: 12K, 1.6M, 7.1B."""
    for unit, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")):
        if value >= unit * 0.9995:
            return f"{value / unit:.3g}{suffix}"
    return f"{value:.3g}"


def signed(value: Estimate) -> str:
    """A difference with its interval: +0.123 [+0.101, +0.145]."""
    if value.low is None or value.high is None:
        return f"{value.value:+.3f} (no interval)"
    return f"{value.value:+.3f} [{value.low:+.3f}, {value.high:+.3f}]"


def plain(value: Estimate) -> str:
    """A share with its interval: 0.123 [0.101, 0.145]."""
    if value.low is None or value.high is None:
        return f"{value.value:.3f} (no interval)"
    return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"
