"""The command line: overrides run, verbs ask.

Nothing heavy is imported before it is needed: `--help` answers in a fraction of a second.
"""

import argparse
import difflib
import os
import sys
import textwrap
from collections.abc import Sequence
from importlib import import_module

from rewards.program import EXIT_OK, Parser, guarded, with_one_results
from sweeper.cli.handover import HANDED_OVER, hand_over
from sweeper.cli.verb import add_results_override, program
from sweeper.host.errors import ConfigError
from sweeper.host.printed_table import screen_width
from sweeper.spec.bounds import PositiveOrZero, argument

# In the order of the help; each is a module of this folder, as `sweeper.cli.verb` has it, or another program's.
_GROUPS = {
    "run": ("plan", "retry", "cancel", "prepare", "export-sbatch"),
    "look": ("status", "dashboard", "why", "logs", "results", "samples", "export", "merge"),
    "analyse": ("report", "ask", "suggest", "fit", "rank", "passk", "import", "audit"),
    "data": ("data", "rewards"),
    "set up": ("init", "cluster-init", "options", "add-model", "doctor", "prove", "gc", "completion"),
}
VERBS = tuple(verb for verbs in _GROUPS.values() for verb in verbs)
_DESCRIPTION = """\
Run reinforcement-learning scaling experiments on language models with verl.

  {program} model=tiny-40k seed=1        train and measure one point, here; the rest is conf/config.yaml
  {program} +grid=model_scale -m         a whole grid: plan, run what is missing, print the table
  {program} algorithm=ppo,grpo -m        any comma list is an axis; axes multiply
  {program} +verl.KEY=VALUE              any key of verl's own configuration

The same command continues what was interrupted, and runs failed runs again as `retry` does; finished ones never.
"""
_EPILOG = """\
configuration groups (`{program} options` lists their options, and the question of every grid):
  model model_family data_scale domain_mix curriculum algorithm training eval cluster grid

useful keys:
  results_dir=results   where runs, rows and reports go      data_root=FOLDER   train on your own Guru-format rows
  seed=0,1,2            replicates                           logging.backends=[wandb] log to Weights & Biases as well
  cluster=slurm         submit as SLURM jobs, and return     --cfg job          print the composed config (Hydra)
"""
_LEAST_ABOUT = 20  # characters beside the names of verbs; with less room they stand above
_HELP_FLAGS = ("-h", "--help", "help")
_HYDRA_FLAGS = (
    *("--cfg", "-c", "--info", "--hydra-help", "--resolve", "--package", "--config-name", "-cn", "--config-dir", "-cd"),
)


def main(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code (0 ok, 1 a run failed, 2 refused, 130 interrupted)."""
    return guarded(lambda: _dispatch(arguments))


def _flags(name: str | None = None) -> argparse.ArgumentParser:
    """The flags of a launch, for usage lines of `name`; what it leaves are overrides."""
    usage = None if name is None else f"{name} KEY=VALUE ... [flags]"
    parser = Parser(prog=name, usage=usage, add_help=False, allow_abbrev=False)
    parser.add_argument("-m", "--multirun", action="store_true", help="run every point of a grid or of comma lists")
    parser.add_argument("--wait", action="store_true", help="with cluster=slurm: follow the jobs to the end")
    parser.add_argument(
        "--canary",
        action="store_true",
        help="with cluster=slurm: one run of each shape goes first, the others once it has taken a training step",
    )
    parser.add_argument(
        "--budget-gpu-hours", type=argument(PositiveOrZero), metavar="N", help="start nothing that takes more"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask, whatever it costs")
    add_results_override(parser)
    parser.add_argument("--version", action="store_true", help="print the version, and the commit if it is known")
    return parser


def parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser whose help is the program's, and those of the verbs that are no other program's, by name."""
    return _parser(), {verb: _of_verb(verb) for verb in VERBS if verb not in HANDED_OVER}


def _parser() -> argparse.ArgumentParser:
    name = program()
    return Parser(
        prog=name,
        usage=f"{name} KEY=VALUE ... [flags]\n       {name} VERB [arguments]",
        description=_DESCRIPTION.format(program=name),
        epilog=f"{_listed()}\n\n{_EPILOG.format(program=name)}",
        parents=[_flags()],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _of_verb(verb: str) -> argparse.ArgumentParser:
    module = import_module(f"sweeper.cli.{verb.replace('-', '_')}")
    parser = Parser(prog=f"{program()} {verb}", description=" ".join(str(module.__doc__).split()))
    module.arguments(parser)
    parser.set_defaults(run=module.run, verb=verb)
    return parser


def _about(verb: str) -> str:
    """One line on a verb: the first of its module's."""
    if verb in HANDED_OVER:
        return HANDED_OVER[verb][2]
    about = str(import_module(f"sweeper.cli.{verb.replace('-', '_')}").__doc__)
    first = about.partition("\n")[0].removesuffix(".")
    return f"{first[0].lower()}{first[1:]}"


def _listed() -> str:
    """Every verb with a line of what it does, by groups."""
    wide = max(map(len, VERBS))
    indent, width = " " * (wide + 4), min(screen_width(otherwise=100) or 100, 120)
    lines = ["verbs (each has --help):"]
    for group, names in _GROUPS.items():
        lines.append(f" {group}")
        for verb in names:
            beside, rest = (f"{verb:<{wide}}", indent) if width > len(indent) + _LEAST_ABOUT else (f"{verb}:", "    ")
            start = f"  {beside}  "
            about = textwrap.TextWrapper(width, initial_indent=start, subsequent_indent=rest)
            about.break_long_words = about.break_on_hyphens = False
            lines += about.wrap(_about(verb))
    return "\n".join(lines)


def _dispatch(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in HANDED_OVER:
        hand_over(arguments[0], arguments[1:])
    if arguments and arguments[0] in VERBS:
        # Arguments of a verb may stand before and after its flags, which argparse's own subparsers do not allow.
        chosen = _of_verb(arguments[0]).parse_intermixed_args(arguments[1:])
        if hasattr(chosen, "overrides"):
            _say_replaced()
        return int(chosen.run(chosen))
    if not arguments or any(argument in _HELP_FLAGS for argument in arguments):
        _parser().print_help()
        return EXIT_OK
    if "=" not in arguments[0] and not arguments[0].startswith(("-", "+", "~")):
        raise ConfigError(_unknown_verb(arguments[0]))
    launcher = _flags(program())
    arguments = with_one_results(launcher, arguments)
    if _is_stock_hydra(arguments):
        return _stock_hydra(arguments)
    flags, overrides = launcher.parse_known_args(arguments)
    if flags.version:
        print(_version())
        return EXIT_OK
    if unknown := [item for item in overrides if item.startswith("-")]:
        raise ConfigError(_unknown_flag(unknown[0], launcher))
    if not overrides and not flags.multirun:
        raise ConfigError(f"nothing to run is named: add a setting (seed=0) or a grid; see: {program()} --help")
    _say_replaced()
    from sweeper.cli.launch import launch

    return launch(flags, overrides)


def _version() -> str:
    """The installed version, and the commit of the code that runs, where it is known."""
    from importlib import metadata

    from sweeper.host.machine import git_state

    try:
        version = metadata.version("rl-scaling-sweeper")
    except metadata.PackageNotFoundError:
        version = "(not installed)"
    commit, dirty = git_state()
    at = "" if commit is None else f", commit {commit[:12]}{' with uncommitted changes' if dirty else ''}"
    return f"sweeper {version}{at}"


def _say_replaced() -> None:
    from sweeper.grid.project import replaced

    if names := replaced():
        print(f"note: conf/ of this project replaces the package's {', '.join(names)}", file=sys.stderr)


def _unknown_verb(word: str) -> str:
    near = difflib.get_close_matches(word, VERBS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"verbs are {', '.join(VERBS)}."
    return f"no verb {word}; {hint} A setting is written KEY=VALUE. See: {program()} --help"


def _unknown_flag(word: str, launcher: argparse.ArgumentParser) -> str:
    flag = word.partition("=")[0]
    near = difflib.get_close_matches(flag, [*launcher._option_string_actions, *_HYDRA_FLAGS], n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"unknown flag {flag}{hint} (see: {program()} --help)"


def _is_stock_hydra(arguments: Sequence[str]) -> bool:
    return any(
        item.split("=")[0] in _HYDRA_FLAGS or item.startswith(("hydra/launcher=", "hydra/sweeper="))
        for item in arguments
    )


def _stock_hydra(arguments: Sequence[str]) -> int:
    """Hydra's own application: config printing, and its stock sweepers and launchers."""
    from hydra._internal.utils import get_args_parser

    from sweeper.cli.hydra_app import app

    hydras = get_args_parser()
    hydras.error = Parser(prog=program()).error  # type: ignore[method-assign]
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come here, where Hydra would print them and end the process
    # Hydra up to 1.3.8 cannot parse overrides placed after a flag; flags first means the same.
    flags = [item for item in arguments if item in ("-m", "--multirun")]
    sys.argv[1:] = [*flags, *(item for item in arguments if item not in flags)]
    hydras.parse_args(sys.argv[1:])
    app()
    return EXIT_OK
