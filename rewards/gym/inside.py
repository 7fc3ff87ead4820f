"""What a locked-down child of the sandbox does for reasoning-gym: scores one answer to one problem."""

import ast
import importlib
import json
import pkgutil
import re
import sys
import warnings
from collections.abc import Callable
from typing import Any

from rewards.gym import task
from rewards.gym.package import LEFT_OUT
from rewards.sandbox.frames import write_whole
from rewards.sandbox.inside.cell import prepare_interpreter, read_whole

_SHOWN = 300
# Of sympy, what imports its parts when they are first needed.
_SYMPY = (
    *("assumptions", "calculus", "concrete", "core", "functions", "integrals", "matrices", "ntheory", "parsing"),
    *("polys", "series", "sets", "simplify", "solvers", "tensor", "physics.units"),
)
_UNUSED = re.compile(r"[.](tests|benchmarks|autolev|latex|c|fortran|mathematica|maxima|compatibility|trace)\b|_doc$")
_scorers: dict[str, Any] = {}


class _Absent:
    """Finds no module, and remembers which parts of loaded packages were looked for in vain."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        """As `importlib` demands of a finder."""
        if "." in name and name.partition(".")[0] in sys.modules:
            self.names.append(name)


def load() -> dict[str, Callable[..., int]]:
    """Imports the package, before anything is locked away; what children can be asked for, by kind.

    A child may see no file of it, so all that scorers read or import later is read and imported here.
    """
    for name in task.names():
        if name not in LEFT_OUT:
            # At the hardest level: its ranges hold those of the easier ones.
            _scorers[name] = task.dataset(name, task.levels(name)[-1], seed=0)
    importlib.import_module("numpy.random")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for part in _SYMPY:
            package = importlib.import_module(f"sympy.{part}")
            for module in pkgutil.walk_packages(package.__path__, f"sympy.{part}."):
                if not _UNUSED.search(module.name):
                    importlib.import_module(module.name)
    return {"gym": score}


def score(request_fd: int, report_fd: int) -> int:
    """Scores `answer`; writes `{"score"}`, or `{"error"}` if the scorer raised or lacked a module."""
    request = json.loads(read_whole(request_fd))
    problem = ast.literal_eval(request["problem"])
    prepare_interpreter()
    absent = _Absent()
    sys.meta_path.append(absent)
    try:
        sys.modules["numpy"].random.seed(0)
        scorer = _scorers[request["task"]]
        scorer.config = task.configuration(request["task"], request["level"])
        report: dict[str, object] = {"score": float(scorer.score_answer(request["answer"], problem))}
    except Exception as error:
        report = {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"[:_SHOWN]}
    if absent.names:  # many scorers take any exception for a wrong answer
        report = {"error": f"the closed process lacks the module {absent.names[0]}"[:_SHOWN]}
    write_whole(report_fd, json.dumps(report).encode())
    return 0
