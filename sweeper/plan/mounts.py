"""What a job in a container reads and does not see there: no mount of the container's shows it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sweeper.spec.cluster import Cluster, ContainerRuntime, Executor
from sweeper.spec.run import RunSpec


def unmounted(specs: Sequence[RunSpec], results_dir: Path) -> Iterator[str]:
    """A line for each file or folder that jobs of these runs read and their container does not show, with its mount.

    Results, the code and the files of own reward functions, which a launch copies to the results, are always mounted.
    What a link leads to is looked at, too: the link alone would lead to nothing.
    """
    told = set[tuple[str, str]]()
    for spec in specs:
        if spec.cluster.executor is not Executor.slurm or spec.cluster.container.runtime is ContainerRuntime.none:
            continue
        shown = _shown(spec.cluster, results_dir)
        for key, name in _read_by_jobs(spec).items():
            path = Path(name).expanduser()
            hidden = [one for one in (path.absolute(), path.resolve()) if not any(map(one.is_relative_to, shown))]
            if hidden and (key, name) not in told:
                told.add((key, name))
                yield _said(key, name, hidden[-1])


def _said(key: str, name: str, hidden: Path) -> str:
    leads = "" if str(hidden) == name else f", which is {hidden}"
    mount = hidden if hidden.is_dir() else hidden.parent
    return (
        f"{key}={name}{leads}: jobs read it, and their container does not show it; add {mount} to "
        "cluster.container.mounts"
    )


def _read_by_jobs(spec: RunSpec) -> Mapping[str, str]:
    """Paths by the keys that name them, of what is outside of the results and read again in a job."""
    model = spec.model.path
    found = {
        "model.path": model if model is not None and Path(model).expanduser().is_dir() else None,
        "cluster.secrets_file": spec.cluster.secrets_file,
        "data_root": spec.data.root,
        "data.sft_solutions": spec.data.sft_solutions,
        **{f"data.annotations[{number}]": path for number, path in enumerate(spec.data.annotations)},
    }
    return {key: path for key, path in found.items() if path is not None}


def _shown(cluster: Cluster, results_dir: Path) -> list[Path]:
    """Folders that a job sees at the paths that they have here."""
    inside = [mount.split(":")[1] if ":" in mount else mount for mount in cluster.container.mounts]
    # apptainer mounts the user's home unless its site says otherwise; enroot does not.
    home = [Path.home()] if cluster.container.runtime is ContainerRuntime.apptainer else []
    return [results_dir.absolute(), results_dir.resolve(), *map(Path, inside), *home]
