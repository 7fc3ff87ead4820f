"""Numbers, durations and amounts of bytes as people read them."""


def duration(seconds: float) -> str:
    """Seconds in two units: 45s, 3m20s, 5h07m, 3d04h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def size(n: float) -> str:
    """Bytes in decimal units: 640 B, 12 kB, 1.9 MB, 74.8 GB."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if n >= factor:
            return f"{n / factor:.1f} {unit}"
    return f"{n / 1e3:.0f} kB" if n >= 1e3 else f"{n:.0f} B"


def hours(value: float) -> str:
    """Hours as a price that others are compared with: 0.04, 42.30, 5,495."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def between(low: float, high: float) -> str:
    """A range, whose ends are known to two digits: 0.9 to 11, 1,100 to 14,000."""
    return " to ".join(f"{float(f'{value:.2g}'):,g}" for value in (low, high))


def number_of(n: int, what: str) -> str:
    """1 run, 2 runs, 1,000 runs."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"
