"""Which variables of a shell reach the jobs that it starts; the one owner of that.

A job's result must not depend on the shell that started it. What decides where and how a job computes is ours to set
(threads, Ray, verl, vLLM, wandb's run) or the scheduler's inside the job (its own `SLURM_` variables, the GPUs that it
names). So:

- A job on SLURM gets `ALWAYS` and the names in `cluster.environment`, through `sbatch --export`.
- A job on this machine gets the shell's variables without `_NOT_OURS` and `_DECIDES`, but with `_LOGS_TO` and those in
  `cluster.environment`. `CUDA_VISIBLE_DEVICES` stays: it says which of this machine's GPUs are ours, in an allocation
  too. `PYTHONPATH` stays: the launch itself was found with it.
- `sbatch`, `squeue` and the like get no variable that they would read as an option.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from pathlib import Path

# What a shell on a compute node cannot do without. SLURM adds its own variables.
ALWAYS = ("HOME", "LANG", "LOGNAME", "PATH", "SHELL", "USER")
# Of the allocation that the shell is in, or options of SLURM's commands: they would win over what a script states
# (SBATCH_TIMELIMIT), change what is printed (SQUEUE_FORMAT), or reach the job (SLURM_CPU_BIND).
_NOT_OURS = (
    *("SLURM_", "SLURMD_", "SBATCH_", "SRUN_", "SALLOC_", "SQUEUE_", "SACCT_", "SINFO_", "SCANCEL_", "SCONTROL_"),
    *("SSTAT_", "SPRIO_", "PMI_", "PMIX_", "OMPI_", "PRTE_"),
)
# How SLURM's commands find and greet the controller.
_CONTROLLER = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT")
# Where and how programs compute. A name, or with an underscore at its end all names that begin so.
_DECIDES = (
    *("RAY_", "VERL_", "VLLM_", "TQ_", "HYDRA_", "ACCELERATE_", "TORCHELASTIC_", "TORCHINDUCTOR_", "TORCHDYNAMO_"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "NUMEXPR_", "VECLIB_"),
    *("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT"),
    *("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF", "NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"),
    *("PYTHONHASHSEED", "PYTHONOPTIMIZE", "WANDB_", "MLFLOW_", "SWANLAB_", "TRACKIO_", "CLEARML_TASK_", "TENSORBOARD_"),
)
# Of those, who logs and where to: the user's to say.
_LOGS_TO = (
    *("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_ENTITY", "WANDB_MODE", "WANDB_SILENT", "WANDB_CACHE_DIR"),
    *("WANDB_DATA_DIR", "WANDB_CONFIG_DIR", "WANDB_HTTP_TIMEOUT", "WANDB_INIT_TIMEOUT", "WANDB__SERVICE_WAIT"),
    *("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"),
    *("SWANLAB_API_KEY", "SWANLAB_MODE", "TRACKIO_DIR", "TRACKIO_SPACE_ID"),
)
# What a job on SLURM may be missed for, beside what decides: told when it stays behind.
_MISSED = (
    *("PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "TMPDIR", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"),
    *("ROCR_VISIBLE_DEVICES", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("HF_", "NCCL_", "REWARDS_", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
)
# Where programs on a GPU keep what they compile, by who does.
_CACHES = {
    "VLLM_CACHE_ROOT": "vllm",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TRITON_CACHE_DIR": "triton",
    "FLASHINFER_WORKSPACE_BASE": "flashinfer",
    "CUDA_CACHE_PATH": "cuda",
}
_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")  # of a proxy's address


def for_scheduler(shell: Mapping[str, str]) -> dict[str, str]:
    """The variables of SLURM's commands."""
    return {name: value for name, value in shell.items() if name in _CONTROLLER or not _is_any(name, _NOT_OURS)}


def exported(shell: Mapping[str, str], named: Iterable[str]) -> tuple[str, ...]:
    """The names that a job on SLURM gets of the shell; `named` is `cluster.environment`.

    One whose value holds a password stays behind: SLURM keeps what it is given.
    """
    return tuple(name for name in dict.fromkeys((*ALWAYS, *named)) if not _PASSWORD.search(shell.get(name, "")))


def for_job_here(shell: Mapping[str, str], named: Collection[str]) -> dict[str, str]:
    """The variables of a job on this machine; `named` is `cluster.environment`."""
    kept = {
        name: value
        for name, value in shell.items()
        if name in named or name in _LOGS_TO or not _is_any(name, (*_NOT_OURS, *_DECIDES))
    }
    name_gpus_once(kept)
    return kept


def name_gpus_once(variables: MutableMapping[str, str]) -> None:
    """Leave one name for the GPUs in use: SLURM names them to all vendors' libraries, and verl refuses to choose."""
    if "CUDA_VISIBLE_DEVICES" in variables:
        variables.pop("ROCR_VISIBLE_DEVICES", None)
        variables.pop("HIP_VISIBLE_DEVICES", None)


def settle(variables: MutableMapping[str, str]) -> None:
    """Take out of a job's variables what would mislead its programs, however the job was started.

    The shell's were sorted before (`for_job_here`, `exported`); SLURM, a container and `cluster.setup` set more.
    """
    name_gpus_once(variables)
    variables.pop("RAY_ADDRESS", None)  # a job has a Ray of its own
    for name in ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"):
        # vLLM frees a sleeping engine's memory with an allocator that such segments cannot be used with.
        parts = [part for part in variables.pop(name, "").split(",") if part]
        kept = [part for part in parts if not part.strip().startswith("expandable_segments")]
        if kept:
            variables[name] = ",".join(kept)


def caches(folder: Path) -> dict[str, str]:
    """Variables that keep compiled kernels and graphs below a folder, which should be on the node and of one run.

    Beneath HOME, their place otherwise, they are on a file system that nodes share, and processes that compiled the
    same at once have damaged them (vLLM's issue 31199).
    """
    return {name: str(folder / part) for name, part in _CACHES.items()}


def left_behind(shell: Mapping[str, str], named: Collection[str], *, on_slurm: bool) -> str | None:
    """For people: which of the shell's variables that may have mattered do not reach its jobs; None: none.

    `named` is `cluster.environment`; `on_slurm` says whether jobs run there, or on this machine.
    """
    reach = set(exported(shell, named) if on_slurm else for_job_here(shell, named))
    watched: Collection[str] = (*_NOT_OURS, *_DECIDES, *(_MISSED if on_slurm else ()))
    missed = sorted(name for name in shell if name not in reach and name not in _CONTROLLER and _is_any(name, watched))
    if not missed:
        return None
    groups = Counter(next((item for item in _NOT_OURS if name.startswith(item)), name) for name in missed)
    names = ", ".join(f"{name}* ({count})" if name.endswith("_") else name for name, count in groups.items())
    cure = "cluster.environment=[NAME] passes one on"
    if on_slurm:
        cure += "; secrets go into cluster.secrets_file, paths of libraries into cluster.setup"
    return f"not passed from this shell to jobs: {names} ({cure})"


def unsetting(shell: Mapping[str, str]) -> list[str]:
    """Lines for bash that take `_NOT_OURS` out of a shell which submits by hand; none where it has none."""
    names = sorted(name for name in shell if name not in for_scheduler(shell))
    return [f"unset {' '.join(names)}"] if names else []


def is_schedulers(name: str) -> bool:
    """Whether a variable is one that SLURM sets or reads."""
    return _is_any(name, _NOT_OURS)


def _is_any(name: str, patterns: Iterable[str]) -> bool:
    return any(name.startswith(item) if item.endswith("_") else name == item for item in patterns)
