"""What a job finds where it runs: `python -m sweeper.oversight.probe [--out FILE] [--held FILE]`, JSON.

Run by `python -m sweeper doctor` in the environment of a job, here or on a compute node.
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data_prep.files.lock import is_locked
from sweeper.host import limits, temporary
from sweeper.host.errors import ConfigError
from sweeper.host.files import write_atomic
from sweeper.host.machine import hostname, versions
from sweeper.oversight.neighbours import of_machine

PACKAGES = ("verl", "torch", "ray", "transformers", "transfer_queue", "peft")
GPU_PACKAGES = ("vllm", "flash_attn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One machine's and environment's answers; None where a question does not apply."""

    host: str
    python: str
    executable: str
    versions: dict[str, str]
    broken: dict[str, str]  # packages that cannot be imported, and why
    cuda: str | None  # that torch was built for
    gpus: tuple[str, ...]
    driver: str | None  # NVIDIA's; None: nvidia-smi does not answer
    attention: str | None  # what is wrong with flash-attn on the first GPU; None too where it was not run
    sandbox: str | None  # level in use; None: nothing holds
    sandbox_refusal: str | None
    sees_lock: bool | None  # that a lock held elsewhere is held here too
    tmpdir: str  # the folder of temporary files
    temporary: str | None  # the one that jobs use, with room for Ray's sockets; None: there is none
    temporary_refusal: str | None
    cpus: int  # that this process may use
    open_files: int | None  # at once, that a job raises its limit to; None: no limit
    processes: int | None  # of the user, likewise
    shared_memory: int | None  # bytes free in /dev/shm; None: there is none
    neighbours: dict[str, str]  # what other users there see, as `sweeper.oversight.neighbours` has it


def arguments(*, gpu: bool) -> list[str]:
    """Python's, that start it."""
    return ["-m", __name__, *(["--gpu"] if gpu else [])]


def probe(*, gpu: bool, held: Path | None) -> Finding:
    """Import everything, try GPUs, and start the rewards' sandbox.

    `gpu`: whether vLLM's stack is to be here; `held`: a file that another has locked.
    """
    from rewards.sandbox.walls.isolation import SandboxUnavailable, find_isolation

    broken = {}
    for name in (*PACKAGES, *(GPU_PACKAGES if gpu else ())):
        try:
            importlib.import_module(name)
        except Exception as error:  # whatever a package does when it is imported
            broken[name] = f"{type(error).__name__}: {error}"[:300]
    cuda: str | None = None
    gpus: tuple[str, ...] = ()
    if "torch" not in broken:
        import torch

        cuda = torch.version.cuda
        if torch.cuda.is_available():
            gpus = tuple(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    level = refusal = None
    try:
        level = str(find_isolation().level)
    except SandboxUnavailable as error:
        refusal = str(error)
    place = no_place = None
    try:
        place = temporary.place()
    except ConfigError as error:
        no_place = str(error)
    return Finding(
        host=hostname(),
        python=platform.python_version(),
        executable=sys.executable,
        versions=versions(),
        broken=broken,
        cuda=cuda,
        gpus=gpus,
        driver=_driver(),
        attention=_attention() if gpu and gpus and "flash_attn" not in broken else None,
        sandbox=level,
        sandbox_refusal=refusal,
        sees_lock=None if held is None else is_locked(held),
        tmpdir=tempfile.gettempdir(),
        temporary=place,
        temporary_refusal=no_place,
        cpus=len(os.sched_getaffinity(0)),
        open_files=limits.most(limits.OPEN_FILES),
        processes=limits.most(limits.PROCESSES),
        shared_memory=limits.shared_memory(),
        neighbours=of_machine(Path(tempfile.gettempdir())),
    )


def _driver() -> str | None:
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        lines = subprocess.run(query, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None
    return lines[0] if lines else None


def _attention(device: str = "cuda") -> str | None:
    """What is wrong with one small causal attention of flash-attn's, beside torch's own; None: nothing."""
    import torch

    try:
        from flash_attn import flash_attn_func

        states = torch.randn(1, 8, 2, 64, dtype=torch.bfloat16, device=device)  # batch, tokens, heads, width
        ours = flash_attn_func(states, states, states, causal=True)
        heads = states.transpose(1, 2)
        torchs = torch.nn.functional.scaled_dot_product_attention(heads, heads, heads, is_causal=True).transpose(1, 2)
        apart = float((ours - torchs).abs().max())
    except Exception as error:  # whatever a kernel of another build does
        return f"{type(error).__name__}: {error}"[:300]
    # bfloat16 keeps 8 bits, and sums of 8 values near 1 differ by their order.
    return f"its attention is {apart:.3g} apart from torch's" if not apart < 0.05 else None


def read(text: str) -> Finding | None:
    """The finding printed as the last line of a probe's output; None: there is none."""
    with suppress(json.JSONDecodeError, IndexError, TypeError):
        values: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
        return Finding(**values | {"gpus": tuple(values["gpus"])})
    return None


def main() -> None:
    """Print the finding, or write it to a file."""
    parser = argparse.ArgumentParser(prog="python -m sweeper.oversight.probe")
    parser.add_argument("--gpu", action="store_true", help="also vLLM, and flash-attn on the first GPU")
    parser.add_argument("--held", type=Path)
    parser.add_argument("--out", type=Path, help="file; a job step's rank is added to its name")
    options = parser.parse_args()
    finding = probe(gpu=options.gpu, held=options.held)
    text = json.dumps(asdict(finding)) + "\n"
    if options.out is None:
        print(f"\n{text}", end="")
    else:
        write_atomic(options.out.with_name(f"{options.out.name}.{os.environ.get('SLURM_PROCID', '0')}"), text)


if __name__ == "__main__":
    main()
