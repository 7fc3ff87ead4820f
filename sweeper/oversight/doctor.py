"""Checks that a sweep will find what it needs, and says what to change: `python -m sweeper doctor [cluster=NAME]`.

What cannot be looked at from here is unknown, never right; `--job` looks from a compute node.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from data_prep.files.lock import is_locked, locked
from rewards.bounded_file import MIB, read_text
from sweeper.host import secret
from sweeper.host.amounts import size
from sweeper.host.environment import exported, for_job_here, left_behind
from sweeper.host.errors import ConfigError
from sweeper.host.files import open_results, write_atomic
from sweeper.host.machine import Device, resolve_device
from sweeper.host.printed_table import WIDE, Room, paragraph
from sweeper.launch.slurm.scheduler import SchedulerError
from sweeper.launch.slurm.script import in_environment, setup
from sweeper.launch.slurm.shape import shape_of
from sweeper.oversight import checkup, gpu, neighbours, probe, room
from sweeper.oversight.check import Check, Verdict, passed, unknown, wrong
from sweeper.oversight.probe import Finding
from sweeper.plan.secret_refusals import refuse_secrets
from sweeper.spec.cluster import ContainerRuntime, Executor
from sweeper.spec.run import VERL_VERSION, RunSpec

_NETWORK = re.compile(r"nfs|lustre|gpfs|beegfs|ceph|weka|panfs|pvfs|orangefs|afs|gluster|juicefs|vast|smb|cifs")
# The GPU stack is more than its extra: flash-attn is a step of its own.
_INSTALL = "change cluster.setup, cluster.python or cluster.container, or install the project there ({})"
_INSTALL_GPU, _INSTALL_CPU = _INSTALL.format("make setup-gpu, docs/gpu.md"), _INSTALL.format("make setup")
_ASK_JOB = "python -m sweeper doctor --job looks from a compute node"


def examine(specs: Sequence[RunSpec], results_dir: Path, *, job: bool) -> Iterator[Check]:
    """All checks of the runs of a sweep on one cluster, in the order in which they would stop it.

    The results folder is created if absent. With `job`, a job on a compute node is asked for every shape of the runs.
    """
    cluster = specs[0].cluster
    on_slurm = cluster.executor is Executor.slurm
    yield from _folder(results_dir, shared=on_slurm)
    if results_dir.is_dir():
        yield from neighbours.of_folders(results_dir)
    yield _secrets(specs[0])
    behind = left_behind(os.environ, cluster.environment, on_slurm=on_slurm)
    yield passed("variables", behind or "nothing of this shell's that may matter stays behind")
    if on_slurm:
        yield from checkup.site(specs, results_dir)
    here = _here(specs[0], results_dir)
    if isinstance(here, Finding):
        yield from environment(here, specs[0], where="here", on_node=not on_slurm)
    else:
        yield here
    if on_slurm and job:
        yield from _nodes(specs, results_dir)


def _folder(results_dir: Path, *, shared: bool) -> Iterator[Check]:
    key = "results_dir"
    try:
        open_results(results_dir)
        kind = _file_system(results_dir)
        free = f"{size(shutil.disk_usage(results_dir).free)} free"
        place = results_dir / f".doctor-{os.getpid()}"
        for text in ("one", "two"):
            write_atomic(place, text)
        replaced = place.read_text() == "two"
    except OSError as error:
        yield wrong(key, f"{results_dir}: {error.strerror}", "set results_dir to a folder that you may write")
        return
    if not replaced:
        yield wrong(key, f"a renamed file keeps its old content on {kind}", "set results_dir to another file system")
    elif not shared:
        yield passed(key, f"{results_dir} on {kind}, {free}")
    elif _NETWORK.search(kind):
        yield passed(key, f"{results_dir} on {kind}, which other nodes can mount, {free}")
    else:
        cure = f"set results_dir to the shared file system, if this is not it; {_ASK_JOB}"
        yield unknown(key, f"{results_dir} on {kind}: other nodes may not see it, {free}", cure)
    try:
        with locked(place, wait=True):
            keeps_out = is_locked(place)
        if keeps_out:
            yield passed("locks", "a held lock keeps others out")
        else:
            yield wrong("locks", f"two processes hold one lock on {kind}", "mount it with locks, or set results_dir")
    except OSError as error:
        cure = "mount it with locks (Lustre: -o flock), or set results_dir to another file system"
        yield wrong("locks", f"{kind}: {error.strerror}", cure)
    finally:
        place.unlink(missing_ok=True)


def _file_system(folder: Path) -> str:
    """The type of a folder's file system, from the kernel's table of mounts; of two at one place the last counts."""
    import psutil

    around = [item for item in psutil.disk_partitions(all=True) if folder.is_relative_to(item.mountpoint)]
    return max(reversed(around), key=lambda item: len(item.mountpoint)).fstype if around else "an unknown file system"


def _secrets(spec: RunSpec) -> Check:
    name, cluster = "secrets", spec.cluster
    try:
        refuse_secrets(cluster)
        found = secret.read(Path(cluster.secrets_file)) if cluster.secrets_file else {}
    except ConfigError as error:
        return wrong(name, str(error), "change cluster.secrets_file")
    short = secret.unhidden()
    told = f"; too short or too common to be hidden in rows: {', '.join(short)}" if short else ""
    known = set(found) if cluster.executor is Executor.slurm else set(found) | set(os.environ)
    hears_mode = cluster.executor is Executor.local or "WANDB_MODE" in cluster.environment
    is_offline = hears_mode and os.environ.get("WANDB_MODE") in ("offline", "disabled")
    if "wandb" in spec.logging.trackers and not is_offline and "WANDB_API_KEY" not in known:
        netrc = Path.home() / ".netrc"
        if not (netrc.exists() and "wandb" in read_text(netrc, MIB, errors="replace")):
            cure = "write WANDB_API_KEY=... into a file of mode 0600 and set cluster.secrets_file, or log in with wandb"
            return wrong(name, "runs log to wandb, and jobs find no key", cure)
        return passed(name, f"wandb's key comes from ~/.netrc{told}")
    return passed(name, f"jobs read {', '.join(sorted(found))}{told}" if found else f"none is needed{told}")


def _here(spec: RunSpec, results_dir: Path) -> Finding | Check:
    """What a job would find on this machine; a check when that cannot be told."""
    cluster, shape = spec.cluster, shape_of(spec)
    name = "environment here"
    arguments = probe.arguments(gpu=_on_gpus(spec))
    root = str(Path(__file__).resolve().parents[2])
    if cluster.executor is Executor.local:
        command, variables = [sys.executable, *arguments], for_job_here(os.environ, cluster.environment)
    else:
        startable = {ContainerRuntime.none: True, ContainerRuntime.apptainer: shutil.which("apptainer") is not None}
        if not startable.get(cluster.container.runtime, False):
            return unknown(name, f"{cluster.container.image} cannot be started on this machine", _ASK_JOB)
        inner, _ = in_environment(arguments, shape, results_dir, root)
        # As `frozen_start` sets it.
        path = f"export PYTHONPATH={shlex.quote(root)}${{PYTHONPATH:+:$PYTHONPATH}}"
        lines = [*setup(shape), path, 'exec "$@"']
        command = ["bash", "-c", "\n".join(lines), "job", *inner]
        passing = exported(os.environ, cluster.environment)
        variables = {key: os.environ[key] for key in passing if key in os.environ}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=root, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        return wrong(name, f"a job's command does not start here: {error}", _INSTALL_GPU)
    finding = probe.read(done.stdout)
    if finding is None:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return wrong(name, f"a job's command fails here: {last}", _INSTALL_GPU)
    return finding


def _on_gpus(spec: RunSpec) -> bool:
    return resolve_device(spec.cluster.device) is Device.cuda


def environment(found: Finding, spec: RunSpec, *, where: str, on_node: bool) -> Iterator[Check]:
    """Checks on what a probe found somewhere; `on_node`, where runs execute, missing GPUs are a fault."""
    cuda = _on_gpus(spec)
    install = _INSTALL_GPU if cuda else _INSTALL_CPU
    name = f"Python {where}"
    if (3, 11) <= tuple(int(part) for part in found.python.split(".")[:2]) < (3, 13):
        yield passed(name, f"{found.python}, {found.executable} on {found.host}")
    else:
        yield wrong(name, f"{found.python}, {found.executable} on {found.host}: 3.11 or 3.12 is needed", install)
    name = f"packages {where}"
    for package, reason in found.broken.items():
        yield wrong(name, f"{package} cannot be imported: {reason}", install)
    version = found.versions.get("verl")
    if version != VERL_VERSION and "verl" not in found.broken:
        yield wrong(
            name, f"verl {version}, but runs are defined for {VERL_VERSION}", f"pip install verl=={VERL_VERSION}"
        )
    elif not found.broken:
        yield passed(name, ", ".join(f"{key} {value}" for key, value in found.versions.items() if key != "python"))
    if cuda:
        yield from gpu.checks(found, spec, where=where, on_node=on_node, install=install, ask_job=_ASK_JOB)
    if on_node:
        yield from room.on_node(found, spec, where=where, is_cuda=cuda)
        yield from neighbours.on_node(found.neighbours, where=where)
    name = f"TMPDIR {where}"
    if found.temporary_refusal is not None:
        yield wrong(
            name, found.temporary_refusal, "set TMPDIR to a shorter path, in cluster.setup where jobs are SLURM's"
        )
    elif found.temporary == found.tmpdir:
        yield passed(name, f"{found.tmpdir} has room for Ray's sockets")
    else:
        length = f"{len(os.fsencode(found.tmpdir))} bytes"
        yield passed(name, f"{length}, too long for Ray's sockets: jobs use a private folder in {found.temporary}")
    name = f"sandbox {where}"
    if found.sandbox is None:
        yield wrong(name, str(found.sandbox_refusal), "see docs/rewards.md, or set REWARDS_SANDBOX_URL to a service")
    else:
        yield passed(name, f"programs of models run in {found.sandbox}")


def _nodes(specs: Sequence[RunSpec], results_dir: Path) -> Iterator[Check]:
    """What jobs find, one job for every different shape."""
    shapes = {shape_of(spec): spec for spec in specs}
    for shape, spec in shapes.items():
        what = f"{shape.nodes} x {shape.gpus_per_node} GPUs"
        try:
            found = checkup.ask_job(shape, results_dir, gpu=_on_gpus(spec))
        except SchedulerError as error:
            yield wrong(f"job of {what}", str(error), "the checks above may say why")
            continue
        if len(found) < shape.nodes:
            words = f"{len(found)} of {shape.nodes} nodes answered in {checkup.JOB_SECONDS:.0f} s"
            yield unknown(f"job of {what}", words, f"look into {results_dir / 'slurm' / 'logs'}, or try again later")
        for finding in found:
            where = f"on {finding.host}"
            yield from environment(finding, spec, where=where, on_node=True)
            if finding.sees_lock:
                yield passed(f"results_dir {where}", "seen, and a lock held elsewhere keeps it out")
            else:
                cure = (
                    "mount the file system with locks across nodes (NFS: not nolock; Lustre: flock), or set results_dir"
                )
                yield wrong(f"results_dir {where}", "a lock that is held elsewhere is free there", cure)


def text(checks: Sequence[Check], room: Room = WIDE) -> str:
    """For people: one line a check, the cure below, and the count."""
    width = max(len(check.name) for check in checks)
    lines, indent = [], " " * (width + 11)
    for check in checks:
        lines.append(f"{check.verdict:<8} {check.name:<{width}}  {check.found}")
        if check.cure and check.verdict is not Verdict.ok:
            lines.append(f"{'':<8} {'':<{width}}  -> {check.cure}")
    counts = [f"{sum(check.verdict is one for check in checks)} {one}" for one in Verdict]
    fitting = [paragraph(line, room, indent="   " if line.startswith(" ") else indent) for line in lines]
    return "\n".join([*fitting, "", ", ".join(counts)])
