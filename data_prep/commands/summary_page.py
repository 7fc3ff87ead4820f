"""A summary as one HTML page with inline SVG, which needs no other file and no script."""

from html import escape

from data_prep.commands.summary import Histogram, Sample, Spread, Summary

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
h1,h3,summary{overflow-wrap:anywhere}
table{border-collapse:collapse;display:block;overflow-x:auto}
td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f5f5f5;padding:.8rem;border-radius:4px}
figure{margin:0;overflow-x:auto}
svg{min-width:34rem}svg text{font:13px system-ui,sans-serif;fill:#222}svg rect{fill:#4472a8}
details{margin:.3rem 0}summary{cursor:pointer}
"""
_LABEL, _WIDTH, _LINE = 320, 820, 22
_PROBLEMS = 200


def page(summary: Summary) -> str:
    """The page; every text of the data is escaped."""
    rows = sum(file.rows for file in summary.files)
    title = f"{rows} rows in {len(summary.files)} file{'' if len(summary.files) == 1 else 's'}"
    parts = [f"<h1>{title}</h1>", *_files(summary)]
    for name, counts in (("Domains", summary.by_domain), ("Sources", summary.by_source)):
        parts += [f"<h2>{name}</h2>", bars(name, counts)]
    parts += ["<h2>Lengths</h2>", _lengths(summary)]
    for histogram in summary.difficulty:
        parts += [f"<h2>{escape(histogram.name)}</h2>", _histogram(histogram)]
    parts += ["<h2>Samples</h2>", *map(_sample, summary.samples)]
    if summary.problems:
        listed = "\n".join(escape(problem) for problem in summary.problems[:_PROBLEMS])
        parts += [f"<h2>{len(summary.problems)} problems</h2>", f"<pre>{listed}</pre>"]
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def bars(name: str, counts: tuple[tuple[str, int], ...]) -> str:
    """Horizontal bars, one a line, each with its count."""
    longest = max((count for _, count in counts), default=0)
    lines = []
    for number, (label, count) in enumerate(counts):
        middle = number * _LINE + 15
        length = (_WIDTH - _LABEL - 80) * count / longest if longest else 0
        lines.append(
            f'<text x="{_LABEL - 8}" y="{middle}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{_LABEL}" y="{number * _LINE + 3}" width="{length:.1f}" height="{_LINE - 6}"/>'
            f'<text x="{_LABEL + length + 6:.1f}" y="{middle}">{count}</text>'
        )
    height = max(len(counts), 1) * _LINE
    return (
        f'<figure><svg role="img" aria-label="{escape(name)}" viewBox="0 0 {_WIDTH} {height}" width="100%">'
        f"{''.join(lines)}</svg></figure>"
    )


def _histogram(histogram: Histogram) -> str:
    unknown = (("unknown", histogram.unknown),) if histogram.unknown else ()
    return bars(histogram.name, (*histogram.bars, *unknown))


def _files(summary: Summary) -> list[str]:
    parts = []
    for file in summary.files:
        unusable = f", {file.unusable} unusable" if file.unusable else ""
        columns = "".join(f"<tr><td>{escape(name)}</td><td>{escape(kind)}</td></tr>" for name, kind in file.columns)
        parts.append(
            f"<details><summary>{escape(file.name)}: {file.rows} rows{unusable}</summary>"
            f"<table>{columns}</table></details>"
        )
    return parts


def _lengths(summary: Summary) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("", "rows", "least", "median", "90 %", "99 %", "most"))
    spreads = (
        ("prompt, characters", summary.prompt_characters),
        ("prompt, tokens", summary.prompt_tokens),
        ("answer, characters", summary.answer_characters),
    )
    return f"<table><tr>{head}</tr>{''.join(_spread(name, spread) for name, spread in spreads if spread)}</table>"


def _spread(name: str, spread: Spread) -> str:
    values = (spread.n, spread.least, spread.median, spread.p90, spread.p99, spread.most)
    return f"<tr><td>{name}</td>{''.join(f'<td>{value}</td>' for value in values)}</tr>"


def _sample(sample: Sample) -> str:
    return (
        f"<h3>{escape(sample.place)} ({escape(sample.data_source)})</h3><pre>{escape(sample.text)}</pre>"
        f"<p>Answer:</p><pre>{escape(sample.ground_truth)}</pre>"
    )
