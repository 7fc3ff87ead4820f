"""How often one submission reads the files of the arrays that were submitted before; SLURM's programs are scripts."""

import json
import os
import subprocess
import sys
from pathlib import Path

SQUEUE = "#!/bin/sh\nexit 0\n"
SBATCH = '#!/bin/sh\necho x >> "$0.jobs"\nwc -l < "$0.jobs"\n'
SCONTROL = "#!/bin/sh\necho 'MaxArraySize            = 1001'\n"
SUBMIT = """
import collections, json, sys
from pathlib import Path
from sweeper.launch.slurm.submit import submit
from tests.sweeper.points import spec

opened = collections.Counter()

def count(event, about):
    if event == "open" and Path(str(about[0])).match("slurm/sweep-*.json"):
        opened[Path(str(about[0])).name] += 1

results, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
points = ("cluster=slurm", "cluster.device=cpu", "model.resources.nodes=1")
shapes = [(f"model.resources.hours={hours}", 10 * hours) for hours in range(first, last)]
runs = [spec(*points, hours, f"seed={seed + i}") for hours, seed in shapes for i in (1, 2)]
sys.addaudithook(count)
submit(runs, results, with_canary=True)
print(json.dumps(opened))
"""


def opened_by_submission(results: Path, programs: Path, first: int, last: int) -> dict[str, int]:
    """How often each array's file was opened by a submission of two runs per shape, `last - first` shapes."""
    env = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    command = [sys.executable, "-c", SUBMIT, str(results), str(first), str(last)]
    found: dict[str, int] = json.loads(subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE).stdout)
    return found


def test_a_submission_reads_each_earlier_array_once_and_its_own_never(tmp_path: Path) -> None:
    n_shapes = 3
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("squeue", SQUEUE), ("sbatch", SBATCH), ("scontrol", SCONTROL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    results = tmp_path / "results"
    assert opened_by_submission(results, programs, 1, 1 + n_shapes) == {}
    earlier = {path.name: 1 for path in (results / "slurm").glob("sweep-*.json")}
    assert len(earlier) == 2 * n_shapes  # of each shape the canary, and the run that waits for it
    assert opened_by_submission(results, programs, 1 + n_shapes, 1 + 2 * n_shapes) == earlier
    assert len(list((results / "slurm").glob("sweep-*.json"))) == 2 * len(earlier)
