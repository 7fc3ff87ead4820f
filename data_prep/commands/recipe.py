"""`python -m data_prep recipe`: the positions that a published selection takes, for whoever has the full file."""

import argparse

from data_prep.spec import DataError


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the verb `recipe`."""
    parser = subparsers.add_parser(
        "recipe",
        help="row positions of the published math curriculum (arXiv:2509.25300)",
        description="One row number per line: positions in the 51,200 training rows sorted by difficulty, or with "
        "--holdout those of the 500 held-out rows among all 54,404.",
    )
    parser.add_argument("name", choices=["guru_math_cl"])
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--size", type=int, help="rows of the subset; published: 512 to 25,600")
    chosen.add_argument("--holdout", action="store_true")
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Executes the verb."""
    from data_prep.choosing.curriculum_recipe import N_TRAIN, holdout_positions, subset_positions

    if not arguments.holdout and not 1 <= arguments.size <= N_TRAIN:
        raise DataError(f"--size {arguments.size}: the recipe has 1 to {N_TRAIN} rows.")
    positions = holdout_positions() if arguments.holdout else subset_positions(arguments.size)
    print("\n".join(map(str, positions.tolist())))
    return 0
