"""Two verdicts on gains that no question asks for: domain by domain, and beyond k = 1."""

from collections.abc import Iterator, Sequence

from analysis.drawing.answer import Status
from analysis.drawing.page import Verdict
from analysis.estimates.numerals import signed
from analysis.estimates.points import clear_gains, gain, mean_gain, table_ks
from analysis.report.sections.passk import domains_of
from analysis.runs.selection import Point

MOST_DOMAINS = 4  # told by name; the table by domain has all


def gain_verdicts(points: Sequence[Point]) -> Iterator[Verdict]:
    """By domain where there are several, and of pass@k where a k beyond 1 was measured; none without a base model."""
    measured = [point for point in points if gain(point) is not None]
    domains = sorted({name for point in measured for name in domains_of(point)} - {"all"})
    if len(domains) > 1:
        yield from _by_domain(measured, domains)
    ks = table_ks(measured)
    if ks:
        yield from _beyond_one(measured, ks)


def _by_domain(points: list[Point], domains: list[str]) -> Iterator[Verdict]:
    """Mean gain in pass@1 of each domain, largest first, with how many configurations it is clear in."""
    known = {name: own for name in domains if (own := [p for p in points if gain(p, domain=name) is not None])}
    cells = [(point, 1, name) for name, own in known.items() for point in own]
    clear = clear_gains(cells)
    means = {name: mean for name, own in known.items() if (mean := mean_gain(own, domain=name)) is not None}
    said = []
    for name in sorted(means, key=lambda name: -means[name].value):
        signs = [sign for (_, _, of), sign in zip(cells, clear, strict=True) if of == name]
        said.append(f"{name} {signed(means[name])} ({_counted(signs)})")
    if not said:
        return
    more = f"; {len(said) - MOST_DOMAINS} more in the table" if len(said) > MOST_DOMAINS else ""
    kept = said if not more else [*said[: MOST_DOMAINS // 2], *said[-MOST_DOMAINS // 2 :]]
    yield _verdict(
        "Gain by domain",
        f"pass@1, mean over {len(points)} configurations: {', '.join(kept)}{more}; Holm over {len(cells)}.",
        clear,
    )


def _beyond_one(points: list[Point], ks: list[int]) -> Iterator[Verdict]:
    """In how many configurations pass@k lies above and below the base model's, and in how many clearly."""
    cells = [(point, k, "all") for k in ks for point in points if gain(point, k) is not None]
    if not cells:
        return
    clear = clear_gains(cells)
    said = []
    for k in ks:
        own = [
            (found, sign)
            for (point, of, _), sign in zip(cells, clear, strict=True)
            if of == k and (found := gain(point, k)) is not None
        ]
        rose, fell = (sum(side * found.value > 0 for found, _ in own) for side in (1, -1))
        up, down = (sum(sign == side for _, sign in own) for side in (1, -1))
        said.append(f"pass@{k} rose in {rose} of {len(own)} (clearly in {up}) and fell in {fell} (clearly in {down})")
    yield _verdict("pass@k beyond 1", f"{'; '.join(said)}; Holm over {len(cells)}.", clear)


def _counted(signs: Sequence[int]) -> str:
    up, down = signs.count(1), signs.count(-1)
    fell = f", clearly down in {down}" if down else ""
    return f"clearly up in {up} of {len(signs)}{fell}"


def _verdict(question: str, sentence: str, clear: Sequence[int]) -> Verdict:
    status = Status.answered if any(clear) else Status.not_identified
    return Verdict(question=question, sentence=sentence, status=status, link="passk")
