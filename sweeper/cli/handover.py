"""The verbs of the other three programs under this one's name: `sweeper report` is `python -m analysis report`.

Nothing of `analysis` is imported here: the process becomes the other program, so its exit code and what Ctrl-C does
are its own. It is told how it was started, for the usage lines of its help.
"""

import os
import sys
from collections.abc import Sequence
from os import execve
from typing import Never

from rewards.program import STARTED_VARIABLE
from sweeper.cli.verb import program

# Verb: the program, the words before what follows, and the line in the list of verbs.
HANDED_OVER = {
    "report": ("analysis", ("report",), "one offline page with figures, tables and fits of a grid (--grid)"),
    "ask": ("analysis", ("ask",), "one question of the field, answered with intervals (--list names all)"),
    "fit": ("analysis", ("fit",), "laws of rows or of your own CSV, with intervals"),
    "rank": ("analysis", ("rank",), "laws by their error on what comes next"),
    "passk": ("analysis", ("passk",), "pass@k with intervals, of counts of right answers"),
    "import": ("analysis", ("import",), "rows of runs made elsewhere: wandb folders, verl's logs"),
    "audit": ("analysis", ("audit",), "kept samples that a second scorer judges differently, by step"),
    "data": ("data_prep", (), "fetch, prepare, inspect and validate data"),
    "rewards": ("rewards", (), "check golds by their own scorers; how model code is isolated (doctor)"),
}


def hand_over(verb: str, arguments: Sequence[str]) -> Never:
    """Become the program that has the verb, by the same interpreter."""
    module, words, _ = HANDED_OVER[verb]
    sys.stdout.flush()
    sys.stderr.flush()
    # Of analysis the verb is a word of its own, of the others what their verbs come after.
    started = program() if words else f"{program()} {verb}"
    command = [sys.executable, "-m", module, *words, *arguments]
    execve(sys.executable, command, os.environ | {STARTED_VARIABLE: started})
