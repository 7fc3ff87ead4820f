"""The programs as users call them, without a process for each command: to start one takes seconds."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from rewards.program import run_main

Done = subprocess.CompletedProcess[str]
# Of other programs: PROGRAM.cli. What `data_prep` has a child of its own execute is named as its verb is.
_MODULES = {
    "sweeper": "sweeper.cli.main",
    "data_prep annotate": "sweeper.cli.annotate",
    "data_prep prepare": "sweeper.cli.prepare_data",
}

# Executes commands one after the other, whatever becomes of them.
_SEVERAL = """
import contextlib, io, json, sys
from rewards.program import run_main

def answer(program, *words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run_main("sweeper.cli.main" if program == "sweeper" else f"{program}.cli", words)
        except SystemExit as ended:
            code = ended.code
    return code, out.getvalue(), err.getvalue()

answers = [answer(*words) for words in json.loads(sys.argv[1])]
print(json.dumps(answers))
"""


def called(*words: str, program: str = "sweeper", folder: Path | None = None) -> Done:
    """What a program answers, executed in this process, in a folder."""
    with chdir(folder or Path.cwd()), redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        try:
            code = run_main(_MODULES.get(program, f"{program}.cli"), words)
        except SystemExit as ended:  # argparse's own
            code = ended.code if isinstance(ended.code, int) else 1
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def all_called(
    commands: Sequence[Sequence[str]], folder: Path, env: Mapping[str, str], python: str = sys.executable
) -> list[Done]:
    """What commands answer, each its program and words, one after the other in one process of another environment."""
    process = [python, "-P", "-c", _SEVERAL, json.dumps([list(words) for words in commands])]
    done = subprocess.run(process, cwd=folder, env=dict(env), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    return [subprocess.CompletedProcess(words, *answer) for words, answer in zip(commands, answers, strict=True)]
