"""`python -m analysis fit CSV` and `python -m analysis rank CSV`: options and their help. Imports nothing heavy."""

import argparse

from rewards.strict_json import json_text
from sweeper.host.errors import ResultsError

FEWEST_DRAWS = 20

FIT_HELP = """\
Fit a law to the rows of a CSV file, with intervals and, if asked, its error on rows it never saw.

  python -m analysis fit curves.csv --law kn_loglinear --x x --y test_loss --group N_B --weights per-group
  python -m analysis fit curves.csv --law kn_loglinear --x x --y test_loss --group N_B --holdout 'N_B = 72' --json
  python -m analysis fit curves.csv --law sigmoid --x gpu_hours --y pass_rate --run seed --where 'gpu_hours > 1500'
  python -m analysis fit points.csv --law chinchilla --n N --d D --y loss --loss huber:1e-3
  python -m analysis fit points.csv --law chinchilla --n size --d 'flops / (6 * size)' --y loss --loss lad
  python -m analysis fit optima.csv --law power --x flops --y n_opt --loss log-l2 --sd log_sd

laws (docs/laws.md has units and sources)
  kn_loglinear    log10 L = -k(N) log10 x + E(N), k(N) = K_max / (1 + N0 / N)    x, y, group = model size
  sigmoid         y = R0 + (A - R0) / (1 + (C_mid / x)^B)                        x, y
  power_floor     y = L_inf + A x^-alpha                                         x, y
  exp_saturation  y = A - (A - R0) exp(-x / x0)                                  x, y
  power           ln y = ln_A - alpha ln x                                       x, y
  power_nd        ln y = ln_A - alpha ln N - beta ln D                           n, d, y
  power_ndx       ln y = ln_A - alpha ln N - beta ln D - gamma ln x              n, d, x, y
  chinchilla      y = E + A / N^alpha + B / D^beta                               n, d, y
  data_reuse      y = E + B D_eff^-beta, D_eff = U (1 + r (1 - exp(-(tau-1)/r))) unique, tau, y

A column is named, or given as an SQL expression of columns. EXPR is an SQL condition: "x_kind = 'C' and idx < 25".
Rows of --holdout are set aside before anything else is computed.
"""
RANK_HELP = """\
Rank the forms of one curve by how well they predict what comes next: each curve is cut at 25, 50 and 75% of its rows,
fitted before the cut and compared after it, beside repeating the last value.

  python -m analysis rank curves.csv --x step --y test_loss --group run
"""


def add_fit_options(parser: argparse.ArgumentParser) -> None:
    """Options of `fit CSV`."""
    parser.add_argument("csv", nargs="?", help="rows to fit; without it, the rows of --results")
    parser.add_argument("--law", help="equation, see above")
    for role, meaning in (
        ("x", "compute, data or steps"),
        ("n", "model size"),
        ("d", "training data"),
        ("unique", "unique samples (data_reuse)"),
        ("tau", "times each sample is seen (data_reuse)"),
    ):
        parser.add_argument(f"--{role}", metavar="COLUMN", help=meaning)
    _add_common(parser)
    parser.add_argument("--sd", metavar="COLUMN", help="standard deviation of each row's residual: weight 1 / sd^2")
    parser.add_argument(
        "--weights",
        choices=("equal", "per-group"),
        default="equal",
        help="whether every row or every group counts the same (default: equal, every row)",
    )
    parser.add_argument(
        "--holdout", metavar="EXPR", help="rows that the fit must not see; its error on them is reported"
    )
    parser.add_argument("--fix", metavar="NAME=VALUE", action="append", default=[], help="hold a parameter at a value")
    parser.add_argument("--draws", type=_draws, default=1000, help="bootstrap draws, 0 for none (default: 1000)")


def refuse_csv_options(options: argparse.Namespace) -> None:
    """Refuse options of `fit CSV` where no CSV is named: the rows of a sweep are fitted by laws of their own.

    Raises:
        ResultsError: with the options.
    """
    alone = argparse.ArgumentParser()
    add_fit_options(alone)
    given = [name for name, unset in vars(alone.parse_args([])).items() if getattr(options, name) != unset]
    if given:
        named = ", ".join(f"--{name}" for name in given)
        raise ResultsError(f"{named}: of fit CSV, and no CSV is named; name one, or leave the option out")


def add_rank_options(parser: argparse.ArgumentParser) -> None:
    """Options of `rank CSV`."""
    parser.add_argument("csv", help="rows of the curves")
    parser.add_argument("--x", metavar="COLUMN", required=True, help="compute, data or steps")
    _add_common(parser)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--y", metavar="COLUMN", help="loss, error or pass rate")
    parser.add_argument("--group", metavar="COLUMN", help="curve of each row: model size or arm")
    parser.add_argument("--run", metavar="COLUMN", help="training run (seed) of each row within its group")
    parser.add_argument(
        "--loss", default="l2", help="l2, log-l2, huber:DELTA, lad (default: l2; the last three act on ln y)"
    )
    parser.add_argument(
        "--residual", choices=("log", "linear"), help="scale of the residual, instead of the loss's own"
    )
    parser.add_argument("--where", metavar="EXPR", help="rows to use")


def _draws(text: str) -> int:
    if not text.isdigit() or 0 < int(text) < FEWEST_DRAWS:
        raise argparse.ArgumentTypeError(f"{text}: write 0, or at least {FEWEST_DRAWS} for a 95% interval")
    return int(text)


def fit_csv(options: argparse.Namespace) -> str:
    """What `fit CSV` prints."""
    from analysis.laws.rendering import answer_text
    from analysis.laws.request import answer
    from analysis.laws.sample import LawError

    if not options.law:
        raise LawError("fit CSV needs --law - python -m analysis fit --help lists them")
    if not options.y:
        raise LawError("fit CSV needs --y - name the column of the loss, error or pass rate")
    found = answer(options)
    if options.json:
        return json_text({"command": "fit", "data": found}, indent=1)
    return answer_text(found)


def rank_csv(options: argparse.Namespace) -> str:
    """What `rank CSV` prints."""
    from analysis.laws.rendering import ranking_text
    from analysis.laws.request import ranking
    from analysis.laws.sample import LawError

    if not options.y:
        raise LawError("rank CSV needs --y - name the column of the loss, error or pass rate")
    found = ranking(options)
    if options.json:
        return json_text({"command": "rank", "data": found}, indent=1)
    return ranking_text(found)
