"""`python -m data_prep reasoning-gym`: graded puzzles of the package of that name, into a folder for data_root."""

import argparse
import json
from functools import partial
from pathlib import Path

from data_prep.spec import DataError

_DESCRIPTION = """\
Make problems of the package reasoning-gym (Apache-2.0; `make setup` installs it, elsewhere the extra `gym`):
train.parquet and test.parquet in a new folder for data_root, the same bytes for the same arguments. A problem's
difficulty is its level in the task's curriculum, 1 the easiest; a task's levels come in turn. No problem is in both
files, and none twice. The package's release is in every row, so it is part of the data's digest.
"""
_EPILOG = """\
examples:
  python -m data_prep reasoning-gym --list                        the tasks with their levels, and what is left out
  python -m data_prep reasoning-gym --out data/gym --n 500 --levels 1 2 3
  python -m data_prep reasoning-gym --out data/gym-math --tasks math countdown --n 2000 --held-out 100 --seed 1
  python -m data_prep inspect data/gym                            what was made: levels, lengths, examples
"""
# No problem is twice or in both files; cleaning takes puzzles that differ in symbols alone for one another.
_AS_IT_IS = "data.cleaning.exact_duplicates=false data.cleaning.contamination=false"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the verb `reasoning-gym`."""
    parser = subparsers.add_parser(
        "reasoning-gym",
        help="make graded puzzles with the package reasoning-gym",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=Path("data/reasoning-gym"), help="folder (default: %(default)s)")
    parser.add_argument(
        "--tasks",
        nargs="+",
        metavar="TASK",
        default=[],
        help="names of tasks, or of domains (math, logic, simulation); default: all",
    )
    parser.add_argument("--n", type=int, default=200, help="training problems per task (default: %(default)s)")
    parser.add_argument(
        "--held-out", metavar="N", type=int, default=64, help="held-out problems per task (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the training problems (default: %(default)s)")
    parser.add_argument(
        "--levels", nargs="+", metavar="L", type=int, default=[], help="levels to use, from 1 (default: all)"
    )
    parser.add_argument("--list", action="store_true", help="print the tasks with their levels, and make nothing")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Executes the verb."""
    from data_prep.files.atomic_folder import make_once
    from data_prep.sources.reasoning_gym import usable_tasks
    from rewards.gym.package import LEFT_OUT

    tasks = usable_tasks(arguments.tasks)
    if arguments.list:
        _list(tasks)
    else:
        _check(arguments)
        make_once(arguments.out, done="source.json", make=partial(_make, arguments, tasks))
        print(f"made in {arguments.out}: set data_root={arguments.out} {_AS_IT_IS}")
    if not arguments.tasks:
        for name, why in sorted(LEFT_OUT.items()):
            print(f"left out: {name}: {why}")
    return 0


def _check(arguments: argparse.Namespace) -> None:
    small = [flag for flag, least in (("n", 1), ("held_out", 1), ("seed", 0)) if getattr(arguments, flag) < least]
    small += ["levels"] if any(level < 1 for level in arguments.levels) else []
    if small:
        raise DataError(f"--{small[0].replace('_', '-')} is too small: counts and levels begin at 1, seeds at 0.")
    if arguments.out.exists() and (not arguments.out.is_dir() or any(arguments.out.iterdir())):
        raise DataError(f"{arguments.out} is there and not empty. Give another folder (--out).")


def _list(tasks: list[str]) -> None:
    from data_prep.sources.reasoning_gym import domain_of_task
    from rewards.gym import task

    for name in tasks:
        levels = [str(level) for level in task.levels(name) if level is not None]
        print(f"{name}: {domain_of_task(name)}, {'levels ' + ' '.join(levels) if levels else 'no levels'}")


def _make(arguments: argparse.Namespace, tasks: list[str], folder: Path) -> None:
    from data_prep.files.row import write_rows
    from data_prep.sources.reasoning_gym import LICENCE, parts_of
    from rewards.gym.package import RELEASE

    train, held_out = parts_of(
        tasks, n=arguments.n, held_out=arguments.held_out, seed=arguments.seed, levels=sorted(set(arguments.levels))
    )
    for name, made in (("train", train), ("test", held_out)):
        write_rows(made.rows, folder / f"{name}.parquet", split=name)
        print(f"{name}: {len(made.rows)} problems of {len(tasks)} tasks")
        for note in made.notes:
            print(f"{name}: {note}")
    asked = {"tasks": tasks, "n": arguments.n, "held_out": arguments.held_out, "seed": arguments.seed}
    card = {
        "name": "reasoning-gym",
        "licence": LICENCE,
        "revision": RELEASE,
        "made with": asked | {"levels": sorted(set(arguments.levels))},
    }
    (folder / "source.json").write_text(json.dumps(card, indent=2, sort_keys=True) + "\n")
