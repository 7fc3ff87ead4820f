"""Which tests run in which lane."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Tests that one pytest runs one after the other, beside other lanes.

    Attributes:
        name: Also its folder's.
        paths: Test files, and folders of them, below `tests/`.
        waits: Whether it mostly waits: it starts at once and takes no core from the others.
        trains: Whether it trains with verl, which takes what memory there is: of such lanes one runs at a time.
        at_night: Whether the gate leaves it out as a whole.
        pytest: The command that its arguments are appended to.
    """

    name: str
    paths: tuple[str, ...]
    waits: bool = False
    trains: bool = False
    at_night: bool = False
    pytest: tuple[str, ...] = (sys.executable, "-m", "pytest")

    @property
    def files(self) -> tuple[Path, ...]:
        """Where its tests are."""
        return tuple(TESTS / path for path in self.paths)


# Two clusters beside each other, since a test of SLURM waits for nine tenths of its time.
SLURM = (
    "agent", "annotation", "canary", "doctor", "environment", "export", "frozen", "no_arrays", "nodes", "ours", "retry",
    "stock", "submission", "two_users",
)  # fmt: skip
FAULTS = ("ceiling", "faults")
# Documents and catalogue plan many grids alike, which one process expands once.
DOCUMENTS = (
    "golden", "gpu_stack", "test_bad_inputs.py", "test_canaries.py", "test_checks.py", "test_documents.py",
    "test_grid_catalogue.py",
    "test_lanes.py", "test_published_runs.py", "test_setup.py", "test_site.py", "test_skill.py", "test_supply.py",
    "test_tasks.py",
    "test_terminal.py",
)  # fmt: skip
# The longest first, so that none is left to run alone.
LANES = (
    Lane(name="slurm", paths=tuple(f"slurm/test_{name}.py" for name in SLURM), waits=True),
    Lane(name="faults", paths=tuple(f"slurm/test_{name}.py" for name in FAULTS), waits=True),
    Lane(name="verl", paths=("verl",), trains=True),
    Lane(name="sweeper", paths=("sweeper",)),
    Lane(name="rewards", paths=("rewards",)),
    Lane(name="documents", paths=DOCUMENTS),
    Lane(name="analysis", paths=("analysis",)),
    Lane(name="pages", paths=("browser",)),
    Lane(name="data", paths=("data_prep",)),
    # In an environment of its own, which it makes first: vLLM's CPU build must never come near the other's PyTorch.
    Lane(name="vllm", paths=("vllm",), trains=True, at_night=True, pytest=("tests/vllm/run", sys.executable)),
)


def unplaced(lanes: Sequence[Lane], root: Path = TESTS) -> list[str]:
    """What is wrong with a table: test files in no lane or in several, and paths that do not exist."""
    wrong = [f"{lane.name}: no {root / path}" for lane in lanes for path in lane.paths if not (root / path).exists()]
    for file in sorted(root.rglob("test_*.py")):
        within = [lane.name for lane in lanes if _holds(lane.paths, file.relative_to(root))]
        if len(within) != 1:
            wrong.append(f"{file.relative_to(root)} is in {' and '.join(within) or 'no lane'}")
    return wrong


def _holds(paths: Iterable[str], file: Path) -> bool:
    return any(Path(path) in (file, *file.parents) for path in paths)
