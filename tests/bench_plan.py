"""Planning 10,000 points beside Hydra's basic sweeper, dora and snakemake: `python -m tests.bench_plan`.

The peers are installed into a throw-away environment that sees this one's packages. Hydra and dora are too slow for
10,000 points: they are timed on a stated few, and the time of the rest is the time a further point takes. What each
does to a point differs: Hydra composes and resolves it; dora composes, hashes and looks up its run; snakemake makes a
rule's target of it, without any configuration; we compose, validate, hash, look up, check and price it.
"""

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

N = 10_000
PEERS = ("dora-search==0.1.13", "snakemake==9.27.1")
REPOSITORY = Path(__file__).parent.parent

HYDRA_APP = """
import hydra
from omegaconf import DictConfig, OmegaConf
from sweeper.grid.schema import register
register()
@hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")
def app(cfg: DictConfig) -> None:
    OmegaConf.to_container(cfg, resolve=True)
app()
"""
DORA_MAIN = """
from dora import hydra_main
from sweeper.grid.schema import register
register()
@hydra_main(version_base="1.3", config_path="../conf", config_name="config")
def main(cfg):
    pass
if __name__ == "__main__":
    main()
"""
DORA_GRID = """
import os
from dora import Explorer
@Explorer
def explorer(launcher):
    for seed in range(int(os.environ["POINTS"])):
        launcher({"model": "tiny-40k", "seed": seed})
"""
SNAKEFILE = """
rule all:
    input: expand("out/{model}-{scale}-{seed}", model=["a", "b", "c", "d"], scale=["x", "y"], seed=range(1250))
rule run:
    output: "out/{model}-{scale}-{seed}"
    shell: "touch {output}"
"""


class Took(NamedTuple):
    """What a command and its children took."""

    wall: float  # seconds
    cpu: float  # seconds
    rss: float  # bytes, of the largest process


def took(command: Sequence[str], cwd: Path, **env: str) -> Took:
    """Run a command that must succeed; the figures are the kernel's."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **env},
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            out.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{out.read().decode()[-2000:]}")
    return Took(time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024.0)


def scaled(few: Took, more: Took, n_few: int, n_more: int) -> Took:
    """What `N` points would take if each further one took what those between the two did."""
    wall, cpu = ((N - n_more) * (more[i] - few[i]) / (n_more - n_few) + more[i] for i in (0, 1))
    return Took(wall, cpu, more.rss)


def environment(folder: Path) -> Path:
    """An environment with the peers beside this one's packages; returns its `bin`."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    packages = next((folder / "lib").glob("python*/site-packages"))
    (packages / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *PEERS]
    subprocess.run(pip, check=True)
    return folder / "bin"


def main() -> None:
    """Print seconds, CPU seconds, memory and ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = [sys.executable, "-m", "sweeper", "plan", "+grid=model_scale", f"results_dir={folder / 'results'}"]
        first = took([*plan, "seed=range(0,1250)"], REPOSITORY)
        ours = took([*plan, "seed=range(0,1250)"], REPOSITORY)
        wider = took([*plan, "seed=range(0,1251)"], REPOSITORY)
        (folder / "app.py").write_text(HYDRA_APP)
        sweep = [sys.executable, str(folder / "app.py"), "-m", f"hydra.sweep.dir={folder / 'hydra'}"]
        hydra = scaled(*(took([*sweep, f"seed=range(0,{n})"], folder) for n in (1, 51)), 1, 51)
        peers = environment(folder / "venv")
        project = folder / "proj"
        (project / "grids").mkdir(parents=True)
        (folder / "conf").symlink_to(REPOSITORY / "conf")
        (project / "__init__.py").touch()
        (project / "grids" / "__init__.py").touch()
        (project / "train.py").write_text(DORA_MAIN)
        (project / "grids" / "g.py").write_text(DORA_GRID)
        explore = [str(peers / "python"), "-m", "dora", "-P", "proj", "grid", "g", "--no_monitoring", "--dry_run"]
        path = f"{REPOSITORY}:{folder}"
        dora = scaled(*(took(explore, folder, POINTS=str(n), PYTHONPATH=path) for n in (2, 12)), 2, 12)
        (folder / "Snakefile").write_text(SNAKEFILE)
        snakemake = took([str(peers / "snakemake"), "-n", "-q", "all", "--cores", "1"], folder)
    print(f"planning {N} points: seconds, CPU seconds, memory of the largest process; ratio of CPU seconds to ours")
    for who, what in (
        ("python -m sweeper plan", ours),
        ("  verl asked for the first time", first),
        ("  with 8 points more", wider),
        ("Hydra's basic sweeper (51 points, scaled)", hydra),
        ("dora grid --dry_run (12 points, scaled)", dora),
        ("snakemake -n", snakemake),
    ):
        print(
            f"{who:<42} {what.wall:8.1f} {what.cpu:8.1f} {what.rss / 1e6:6.0f} MB {what.cpu / ours.cpu:8.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
