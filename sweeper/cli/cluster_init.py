"""Write the profile of a SLURM cluster, conf/cluster/NAME.yaml, from what SLURM says of itself.

Run it on a login node. It goes into the project that the current folder is (see init), or into a checkout; a file that
is there already stays as it is. What SLURM does not tell is said, and stands in the file.
"""

import argparse
from pathlib import Path

from sweeper.cli.verb import add_json, answer
from sweeper.host.errors import ConfigError
from sweeper.spec.bounds import Name, Word, argument


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument(
        "name", nargs="?", type=argument(Name), help="how commands call the cluster (default: its own name)"
    )
    parser.add_argument(
        "--partition",
        type=argument(Word),
        metavar="NAME",
        help="for its jobs (default: one with GPUs that takes your jobs; see the file for the others)",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Executes the verb."""
    from sweeper.grid.project import conf_to_write
    from sweeper.launch.slurm import scheduler
    from sweeper.oversight.cluster_profile import profile

    place = conf_to_write("cluster-init", "a cluster") / "cluster"
    if options.name is not None:
        _refuse_present(place / f"{options.name}.yaml")
    scheduler.require()
    found = profile(options.name, options.partition)
    path = place / f"{found.name}.yaml"
    _refuse_present(path)
    _write(path, found.text())
    settings = {key: value for key, value, _ in found.settings}
    data = {"name": found.name, "path": str(path), "settings": settings, "unknown": list(found.unknown)}
    lines = (
        str(path),
        *(f"  {key}: {value}" for key, value in settings.items() if value is not None),
        "not learned:",
        *(f"  {item}" for item in found.unknown),
        f"next: python -m sweeper doctor cluster={found.name}",
    )
    return answer(options, lambda: data, lambda: "\n".join(lines))


def _refuse_present(path: Path) -> None:
    from sweeper.grid.project import packaged_conf

    if path.exists():
        raise ConfigError(f"{path} is there already; edit it, remove it first, or name another: cluster-init NAME")
    if (packaged_conf() / "cluster" / path.name).exists():
        raise ConfigError(f"the package has a cluster {path.stem}, which the profile is made from: cluster-init NAME")


def _write(path: Path, text: str) -> None:
    """Write the file; it stays only if a run can be composed with it."""
    from sweeper.grid.expand import expand
    from sweeper.host.files import write_atomic
    from sweeper.plan.plan import spec_from

    try:
        write_atomic(path, text)
        try:
            spec_from(expand([f"cluster={path.stem}"], multirun=False).points[0].config)
        except BaseException:
            path.unlink()
            raise
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None
