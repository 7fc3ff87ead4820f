"""The text of a job array, rendered by submitit, in the job's own environment or container."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from sweeper.host.environment import exported
from sweeper.host.machine import SNAPSHOT
from sweeper.launch.slurm import frozen_start
from sweeper.launch.slurm.array import Chunk, folder
from sweeper.launch.slurm.options import replaced
from sweeper.launch.slurm.shape import Shape
from sweeper.spec.bounds import Text, validated
from sweeper.spec.cluster import JOB_BEGAN, Container, ContainerRuntime

# A warning (USR2) that comes while Python still starts would kill the job, and nothing would queue it again: it is
# ignored until the job listens. The task sets it, because SLURM does not pass on what srun ignores.
DEAF = ("sh", "-c", 'trap "" USR2; exec "$@"', "sh")
# Stands for "%" in the path of the logs while submitit renders: it puts patterns of its own in the place of "%j", and
# SLURM reads "%%" as "%" there.
_PERCENT = "\ue000"


def script(
    chunk: Chunk,
    shape: Shape,
    results_dir: Path,
    *,
    arguments: Sequence[str] = (),
    before: Sequence[str] = (),
    after: Sequence[str] = (),
) -> str:
    """The batch script of an array of runs, or of one, with shell lines `before` and `after` its command.

    The command starts our Python once per node of each element: with `arguments`, else as `element` wants it; from the
    chunk's code, if that is still what was frozen. submitit
    renders the script; its executor does not submit it, because it writes a job's pickle after `sbatch`: killed in
    between, it leaves jobs that find nothing to do and fail.

    Raises:
        ConfigError: the path of the results or of the code has control characters.
    """
    from submitit.slurm.slurm import _make_sbatch_string

    for key, path in (("results_dir", results_dir), ("code", chunk.code)):
        validated(Text, key, str(path))  # in lines of its own, which a newline would end
    arguments = arguments or ["-m", "sweeper.launch.slurm.element", str(results_dir), chunk.name]
    manifest = str(Path(chunk.code, SNAPSHOT))
    start = ["-I", "-S", "-c", Path(frozen_start.__file__).read_text(), manifest, chunk.digest]
    command, flags = in_environment([*start, *arguments], shape, results_dir, chunk.code)
    left_out = replaced(shape.sbatch)
    cpus = None if "cpus-per-task" in left_out else shape.cpus_per_node
    # srun does not take it over from sbatch since Slurm 22.05 (sbatch(1)): a task may be bound to one core.
    cores = [] if cpus is None else [f"--cpus-per-task={cpus}"]
    text: str = _make_sbatch_string(
        command=shlex.join([*DEAF, *command]),
        folder=str(folder(results_dir) / "logs").replace("%", _PERCENT),
        job_name=chunk.name,
        partition=shape.partition,
        account=shape.account,
        qos=shape.qos,
        time=shape.minutes,
        nodes=shape.nodes,
        ntasks_per_node=1,
        gpus_per_node=None if "gpus-per-node" in left_out else shape.gpus_per_node or None,
        cpus_per_task=cpus,
        mem=f"{shape.memory_gb}GB" if shape.memory_gb is not None and "mem" not in left_out else None,
        signal_delay_s=shape.signal_seconds,
        exclude=",".join(shape.exclude) or None,
        setup=[*setup(shape), *before],
        teardown=_teardown(results_dir, after, in_array=shape.arrays),
        comment=f"{chunk.name} {results_dir}",
        array_parallelism=chunk.at_once,
        map_count=len(chunk.run_ids) if shape.arrays else None,
        wckey=None,  # type: ignore[arg-type]  # leaves the flag out: not every cluster has such keys
        stderr_to_stdout=True,
        additional_parameters={
            **_waiting(chunk),
            "requeue": True,
            "chdir": chunk.code,
            # SLURM keeps a job's environment: only what was named goes there.
            "export": ",".join(exported(os.environ, shape.environment)),
            **dict(shape.sbatch),
        },
        # One node's failure ends the others, so that no GPU waits for what will not come.
        srun_args=["--kill-on-bad-exit=1", *cores, *flags],
    )
    if not shape.arrays:  # its logs are called as those of an array's only element
        text = text.replace("/%j_", "/%j_0_")
    return f"{text}\n".replace(_PERCENT, "%%")


def _waiting(chunk: Chunk) -> dict[str, str | bool]:
    held: dict[str, str | bool] = {"hold": True} if chunk.is_held else {}
    return held | ({"dependency": ":".join(["afterany", *map(str, chunk.after)])} if chunk.after else {})


def setup(shape: Shape) -> list[str]:
    """The shell lines before a job's command: a line of the user's that fails ends the job, and is named.

    What fails inside of a file that a line sources, or of a function that it calls (`module`, `conda`), is not its
    failure as long as it succeeds itself.
    """
    # Without the first, srun would pass on what --export names, and not what follows.
    ours = ["export SLURM_EXPORT_ENV=ALL", f"{JOB_BEGAN}=$(date +%s)", f"export {JOB_BEGAN}"]
    if not shape.setup:
        return ours
    depth = "${#BASH_SOURCE[@]}"  # of files that are being sourced
    told = 'echo "cluster.setup failed (exit code $failed): $BASH_COMMAND" >&2'
    trap = f'failed=$?; [ {depth} -gt "$sourced" ] || {{ {told}; exit "$failed"; }}'
    return [*ours, f"sourced={depth} failed=0", f"trap {shlex.quote(trap)} ERR", *shape.setup, "trap - ERR", "set +e"]


def in_environment(arguments: Sequence[str], shape: Shape, results_dir: Path, code: str) -> tuple[list[str], list[str]]:
    """The command that runs our Python as the cluster's settings say, and the flags that `srun` needs for it.

    It runs in the folder of the code: `python -m` looks there before the path, and Ray's workers do too, so from a
    checkout they would load what is edited meanwhile.
    """
    container = shape.container
    if container.runtime is ContainerRuntime.none:
        return [shape.python or sys.executable, *arguments], []
    inside = [shape.python or "python3", *arguments]
    mounts = [str(results_dir), *container.mounts]
    if container.runtime is ContainerRuntime.pyxis:
        return inside, _pyxis(container, mounts, code)
    binds = [part for mount in mounts for part in ("--bind", mount)]
    devices = ["--nv"] if shape.gpus_per_node else []
    return ["apptainer", "exec", *devices, *binds, "--pwd", code, container.image, *inside], []


def _pyxis(container: Container, mounts: Sequence[str], code: str) -> list[str]:
    pairs = [mount if ":" in mount else f"{mount}:{mount}" for mount in mounts]
    image = f"--container-image={container.image}"
    return [image, f"--container-mounts={','.join(pairs)}", f"--container-workdir={code}"]


def requeue_mark(results_dir: Path, element: str) -> Path:
    """A file by which an element asks its batch script to queue it again: a container has no scontrol."""
    return folder(results_dir) / "requeue" / element


def _teardown(results_dir: Path, after: Sequence[str], *, in_array: bool) -> list[str]:
    mark = shlex.quote(str(requeue_mark(results_dir, "")))
    return [
        "code=$?",
        'element="${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"' if in_array else 'element="${SLURM_JOB_ID}_0"',
        f'if [ -e {mark}/"$element" ]; then',
        f'  rm -f {mark}/"$element"',
        '  scontrol requeue "$element"' if in_array else '  scontrol requeue "$SLURM_JOB_ID"',
        "fi",
        *after,
        'exit "$code"',
    ]
