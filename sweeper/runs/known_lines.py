"""The lines in which torch, NCCL, vLLM, Ray, verl and our own code say what ended a run, as they write them.

Each form holds from the beginning of a line: the type of an error, then how its message begins, so that no message that
quotes something else, such as a model's answer, has one. tests/sweeper/test_triage.py names each source.
"""

import re

from sweeper.rows.failure_class import FailureClass

# What programs put before a message: Ray's daemon, vLLM's logger, a rank, a time, a level, a place in C++.
_BEFORE = r"(?:\(raylet[^)]*\) |(?:ERROR|WARNING) [\d-]+ [\d:.]+ |\[[^\[\]]*\]:? ?|\w+\.(?:cc|cpp|cu):\d+: )*"
_CUDA = r"(?:RuntimeError|(?:torch\.)?AcceleratorError): CUDA error: "
_ENFORCED = r"RuntimeError: (?:\[enforce fail at [^\]]*\] ?\.? ?)?"


def _lines(*forms: str) -> re.Pattern[str]:
    return re.compile(f"{_BEFORE}(?:{'|'.join(forms)})")


# Causes that name themselves. The first line that has any of these forms counts: what follows follows from it.
CAUSES = (
    (
        FailureClass.disk,
        _lines(
            r"OSError: \[Errno (?:28|122)\] ",
            rf"{_ENFORCED}PytorchStreamWriter failed writing",
            r"RuntimeError: unable to (?:open|write to|allocate) [\w ]*<[^>]*>.{0,60}No space left on device \(28\)",
            r"(?:\w+\.)*SafetensorError: .*(?:No space left on device|Disk quota exceeded)",
            r"(?:ray\.exceptions\.)?OutOfDiskError: ",
        ),
    ),
    (
        FailureClass.vllm_oom,
        _lines(
            r"ValueError: No available memory for the cache blocks\.",
            r"ValueError: Free memory on device .*less than desired GPU memory utilization",
            r"ValueError: (?:To serve at least one request with|The model's max seq len).*"
            r"(?:is larger than|exceeds) the (?:available KV cache memory|maximum number of tokens that can be stored)",
            r"(?:RuntimeError: )?CUDA Error: [\w ]+ at \S*cumem_allocator\.cpp:\d+$",
        ),
    ),
    (
        FailureClass.cuda_oom,
        _lines(
            r"(?:torch\.|torch\.cuda\.)OutOfMemoryError: ",
            rf"{_CUDA}(?:out of memory|CUBLAS_STATUS_ALLOC_FAILED)",
        ),
    ),
    (
        FailureClass.host_oom,
        _lines(
            r"ray\.exceptions\.OutOfMemoryError: ",
            r"\d+ Workers \(tasks / actors\) killed due to memory pressure",
            rf"{_ENFORCED}DefaultCPUAllocator: can't allocate",
            r"OSError: \[Errno 12\] ",
            r"(?:numpy\.\S*)?_?(?:Array)?MemoryError\b",
        ),
    ),
)
# What kind of code or setting is at fault, by the type of an error, or by messages of verl and Hydra.
KINDS = (
    (
        FailureClass.reward,
        _lines(
            r"NotImplementedError: Reward function is not implemented for data_source=",
            r"(?:[\w.]*RayTaskError\()?(?:[\w.]+\.)?(?:JudgeUnavailable|SandboxUnavailable|OwnRewardError)\b\)?:",
        ),
    ),
    (FailureClass.data, _lines(r"(?:[\w.]*RayTaskError\()?(?:[\w.]+\.)?(?:DataError|BadRow|ArrowInvalid)\)?:")),
    (
        FailureClass.config,
        _lines(
            r"(?:omegaconf|hydra)\.\w",
            r"(?:[\w.]+\.)?(?:ConfigError|MissingMandatoryValue|RepositoryNotFoundError|ModuleNotFoundError|ImportError):",
            r"Could not override '",
            r"Key '\S+' is not in struct$",
            r"(?:Assertion|Value)Error: \w+_[\w ().=/*-]{0,80}(?:must be|not) divisible by ",
        ),
    ),
)
# Mostly the echo of another rank's death, so asked last.
NODE = _lines(
    r"(?:[\w.]+\.)?(?:DistBackendError|NodeDiedError): ",
    r"nccl(?:Remote|System|Internal)Error: ",
    r"RuntimeError: NCCL [Ee]rror",
    r"(?:\[Rank \d+\] )?Watchdog caught collective operation timeout: ",
    rf"{_CUDA}(?:uncorrectable (?:ECC|NVLink) error|unspecified launch failure|no CUDA-capable device)",
    r"RuntimeError: (?:CUDA driver initialization failed|Failed to (?:start|connect to) GCS)",
    r"RuntimeError: \[[^\]]*gloo/transport/[^\]]*\]",
    r"The actor is dead because its node has (?:died|crashed)",
    r"ray\.exceptions\.\w+: .*Owner's node has (?:died|crashed)",
    r"The node with node id: .* has been marked dead",
    r"(?:NVRM: .*)?GPU .*has fallen off the bus",
    r"Unable to determine the device handle for .*GPU is lost",
    r"Exception: The current node timed out during startup\.",
    r"Exception: Head node [\w ]+ not found in NodeInfo",
    r"(?:[\w.]+\.)?RunFailedError: of \d+ nodes \(model\.resources\.nodes\) not all joined Ray in",
    r"of \d+ nodes \(model\.resources\.nodes\) not all joined Ray in",
)
