"""Failure classes, on messages that users of torch, NCCL, vLLM, Ray, verl and SLURM reported; `source` says where."""

import errno
import time
from pathlib import Path

import pytest

from data_prep.spec import DataError
from rewards.bounded_file import TAIL_BYTES
from sweeper.host.errors import ConfigError, RunFailedError
from sweeper.host.log_lines import heard
from sweeper.host.process import reason
from sweeper.rows.failure_class import FailureClass
from sweeper.runs.triage import Ending, classes, classify, of_exception, tail

# (source, lines of the log, class, part of the evidence)
LOGS = [
    (
        "verl-project/verl#2828",
        [
            "Traceback (most recent call last):",
            'File "/verl/verl/workers/actor/dp_actor.py", line 266, in _forward_micro_batch',
            'File "/verl/verl/utils/torch_functional.py", line 148, in entropy_from_logits',
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 13.91 GiB.",
        ],
        FailureClass.cuda_oom,
        "13.91 GiB",
    ),
    (
        "markingprowlik/EasyR1#9",
        [
            "ray.exceptions.RayTaskError(OutOfMemoryError): ray::Runner.run()",
            "torch.OutOfMemoryError: CUDA out of memory.",
        ],
        FailureClass.cuda_oom,
        "CUDA out of memory",
    ),
    (
        "verl-project/verl#302",
        ["CUDA Error: out of memory at /workspace/csrc/cumem_allocator.cpp:62"],
        FailureClass.vllm_oom,
        "cumem_allocator",
    ),
    (
        "vllm-project/vllm#10439",
        [
            'File "/usr/lib/python3.12/dist-packages/vllm/worker/worker.py", line 493, in raise_if_cache_size_invalid',
            "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when "
            "initializing the engine.",
        ],
        FailureClass.vllm_oom,
        "cache blocks",
    ),
    (
        "pytorch/pytorch#175666",
        [
            "ValueError: Free memory on device cuda:0 (19.77/22.05 GiB) on startup is less than desired GPU memory "
            "utilization (0.9, 19.84 GiB)."
        ],
        FailureClass.vllm_oom,
        "19.77/22.05",
    ),
    (
        "the same message of torch, raised by the engine (frames as in vllm-project/vllm#10439)",
        [
            "Traceback (most recent call last):",
            'File "/opt/venv/site-packages/vllm/v1/worker/gpu_model_runner.py", line 1067, in load_model',
            'File "/opt/venv/site-packages/torch/nn/modules/module.py", line 1751, in _wrapped_call_impl',
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 388.00 MiB.",
        ],
        FailureClass.vllm_oom,
        "388.00 MiB",
    ),
    (
        "vLLM's engine, whose logger prints the traceback of another process (vllm/v1/engine/core.py)",
        [
            "ERROR 08-20 10:11:12 [core.py:700] EngineCore failed to start.",
            "ERROR 08-20 10:11:12 [core.py:700] Traceback (most recent call last):",
            'ERROR 08-20 10:11:12 [core.py:700]   File "/opt/vllm/v1/core/kv_cache_utils.py", line 1',
            "ERROR 08-20 10:11:12 [core.py:700] ValueError: No available memory for the cache blocks. Try more",
            "Traceback (most recent call last):",
            'File "/opt/venv/site-packages/vllm/v1/engine/utils.py", line 500, in wait_for_engine_startup',
            "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
        ],
        FailureClass.vllm_oom,
        "cache blocks",
    ),
    (
        "real-stanford/flingbot#11",
        ["ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory."],
        FailureClass.host_oom,
        "running low on memory",
    ),
    (
        "WM-PO/WMPO#3",
        ["node_manager.cc:3277: 2 Workers (tasks / actors) killed due to memory pressure (OOM), 0 Workers crashed"],
        FailureClass.host_oom,
        "memory pressure",
    ),
    (
        "hiyouga/LlamaFactory#7396",
        [
            "[rank0]:[E321 02:07:08.408271257 ProcessGroupNCCL.cpp:607] [Rank 0] Watchdog caught collective operation "
            "timeout: WorkNCCL(SeqNum=1580, OpType=ALLREDUCE, Timeout(ms)=600000) ran for 600060 milliseconds"
        ],
        FailureClass.node,
        "SeqNum=1580",
    ),
    (
        "NVIDIA/nccl#2076",
        [
            "torch.distributed.DistBackendError: NCCL error in: NCCLUtils.hpp:268, remote process exited or there was "
            "a network error, NCCL version 2.21.5",
            "ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.",
        ],
        FailureClass.node,
        "DistBackendError",
    ),
    (
        "verl-project/verl#407",
        ["RuntimeError: CUDA error: uncorrectable ECC error encountered"],
        FailureClass.node,
        "ECC",
    ),
    (
        "ray/_private/node.py of Ray 2.60, and seen on a busy machine",
        [
            "Exception: The current node timed out during startup. This could happen because some of the raylet failed "
            "to startup or the GCS has become overloaded."
        ],
        FailureClass.node,
        "timed out during startup",
    ),
    (
        "ray/_private/node.py of Ray 2.60",
        ["RuntimeError: Failed to connect to GCS. Last connection error: Deadline Exceeded"],
        FailureClass.node,
        "connect to GCS",
    ),
    (
        "ray-project/ray#43751",
        [
            "ray.exceptions.RayActorError: The actor died unexpectedly before finishing this task.",
            "The actor is dead because its node has died.",
        ],
        FailureClass.node,
        "its node has died",
    ),
    (
        "one rank's memory, then the others' echo (verl-project/verl#2828, NVIDIA/nccl#2076)",
        [
            "torch.distributed.DistBackendError: NCCL error in: NCCLUtils.hpp:268, remote process exited",
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 13.91 GiB.",
        ],
        FailureClass.cuda_oom,
        "13.91 GiB",
    ),
    (
        "verl-project/verl#5558",
        ["NotImplementedError: Reward function is not implemented for data_source='mine'"],
        FailureClass.reward,
        "data_source",
    ),
    (
        "an exception of a scorer, as a traceback of this program shows it",
        [
            "Traceback (most recent call last):",
            'File "/opt/venv/site-packages/verl/experimental/reward_loop/reward_manager/naive.py", line 70',
            'File "/results/code/ab12/rewards/math/score.py", line 31, in score',
            "ZeroDivisionError: division by zero",
        ],
        FailureClass.reward,
        "division by zero",
    ),
    (
        "a reward function of the user's own that fails, as Ray shows it",
        [
            "ray.exceptions.RayTaskError(OwnRewardError): ray::RewardLoopWorker.compute_score() (pid=1, ip=1.2.3.4)",
            "rewards.own.own_scorer.OwnRewardError: a.py:score failed for 10 of the last 10 answers",
        ],
        FailureClass.reward,
        "OwnRewardError",
    ),
    (
        "an exception of verl's own data set",
        [
            "Traceback (most recent call last):",
            'File "/opt/venv/site-packages/verl/utils/dataset/rl_dataset.py", line 214, in __getitem__',
            "KeyError: 'prompt'",
        ],
        FailureClass.data,
        "'prompt'",
    ),
    ("NVIDIA/Megatron-LM#878", ["OSError: [Errno 28] No space left on device"], FailureClass.disk, "Errno 28"),
    (
        "verl's own checks (verl/utils/config.py)",
        ["AssertionError: real_train_batch_size (12) must be divisible by minimal possible batch size (8)"],
        FailureClass.config,
        "divisible",
    ),
    (
        "Hydra 1.3",
        ["Could not override 'trainer.nodes'.", "Key 'nodes' is not in struct"],
        FailureClass.config,
        "trainer.nodes",
    ),
    ("verl-project/verl#2680", ["ModuleNotFoundError: No module named 'custom_module'"], FailureClass.config, "custom"),
    (
        # Ray lists the OOM killer among "common causes" of every dead worker: that is a guess, not evidence.
        "verl-project/verl#4921",
        [
            "ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.",
            "Worker unexpectedly exits with a connection error code 2. End of file. Some common causes include: (1) "
            "the process was killed by the OOM killer due to high memory usage, (2) ray stop --force was called",
        ],
        FailureClass.unknown,
        "",
    ),
    (
        "Ray warns of a disk that is nearly full, which is no failure",
        ["(raylet) file_system_monitor.cc:111: /tmp/ray is over 95% full, available space: 4 GB", "RuntimeError: odd"],
        FailureClass.unknown,
        "",
    ),
]


@pytest.mark.parametrize(("source", "log", "failure_class", "evidence"), LOGS, ids=[item[0] for item in LOGS])
def test_a_reported_message_is_classed(source: str, log: list[str], failure_class: FailureClass, evidence: str) -> None:
    found = classify(Ending(status="failed", reason="exit code 1: see the log", log=["step:1 - reward:0.1", *log]))
    assert found.failure_class is failure_class
    assert found.evidence is not None
    assert evidence in found.evidence


# (source, SLURM's words or its programs' output, the job's exit record, class)
ENDINGS = [
    ("sacct", "TIMEOUT, exit 0:0", [], None, FailureClass.timeout),
    ("sacct", "NODE_FAIL, exit 1:0", [], None, FailureClass.node),
    ("sacct", "PREEMPTED, exit 0:15", [], "terminated", FailureClass.preempted),
    ("sacct", "OUT_OF_MEMORY, exit 0:125", [], None, FailureClass.host_oom),
    ("sacct", "CANCELLED by 1000, exit 0:0", [], "terminated", FailureClass.cancelled),
    (
        "nextflow-io/nextflow#5932",
        "FAILED, exit 1:0",
        ["slurmstepd: error: Detected 1 oom_kill event in StepId=11300781.0."],
        None,
        FailureClass.host_oom,
    ),
    (
        "ArjunaCluster/ArjunaUsers#52",
        None,
        ["slurmstepd: error: Detected 1 oom-kill event(s) in StepId=191.batch cgroup."],
        None,
        FailureClass.host_oom,
    ),
    (
        "SystemsGenetics/GEMmaker#242",
        None,
        ["slurmstepd: error: *** JOB 32391783 ON cn119 CANCELLED AT 2021-06-18T13:05:36 DUE TO PREEMPTION ***"],
        "terminated",
        FailureClass.preempted,
    ),
    (
        "ZettaAI/zetta_utils#671",
        None,
        ["slurmstepd: error: *** STEP 494583.0 ON n1 CANCELLED AT 2024-04-20T09:09:37 DUE TO TIME LIMIT ***"],
        None,
        FailureClass.timeout,
    ),
    (
        "queued again after a preemption, then killed for its memory",
        None,
        [
            "slurmstepd: error: *** JOB 7 ON n1 CANCELLED AT 2021-06-18T13:05:36 DUE TO PREEMPTION ***",
            "srun: error: n1: task 0: Out Of Memory",
        ],
        None,
        FailureClass.host_oom,
    ),
    (
        "a reason that quotes what SLURM says, in what a step prints",
        None,
        ["FAILED in train (unknown): exit code 1: odd answer: DUE TO TIME LIMIT, NODE_FAIL, Out Of Memory"],
        None,
        FailureClass.unknown,
    ),
    ("our own words on a node", None, ["node 1: its Ray worker ended (1); see x"], None, FailureClass.node),
    ("the job's own record", None, [], "expired", FailureClass.timeout),
    ("the job's own record", None, [], "terminated", FailureClass.cancelled),
    ("nothing is known", None, [], None, FailureClass.unknown),
]


@pytest.mark.parametrize(("source", "scheduler", "step_log", "status", "failure_class"), ENDINGS)
def test_slurms_words_and_the_jobs_record_are_classed(
    source: str, scheduler: str | None, step_log: list[str], status: str | None, failure_class: FailureClass
) -> None:
    ending = Ending(status=status, scheduler=scheduler, step_log=step_log, log=["step:1 - reward:0.1"])
    assert classify(ending).failure_class is failure_class


def test_a_process_that_the_kernel_killed_ran_out_of_host_memory() -> None:
    found = classify(Ending(status="failed", reason="killed by SIGKILL: step:3 - reward:0.1"))
    assert found.failure_class is FailureClass.host_oom


def test_the_type_of_an_error_of_the_job_itself_decides() -> None:
    assert of_exception(DataError("3 rows")) is FailureClass.data
    assert of_exception(ConfigError("x=1")) is FailureClass.config
    assert of_exception(OSError(errno.ENOSPC, "No space left on device")) is FailureClass.disk
    assert of_exception(RunFailedError("exit code 1")) is None


def test_the_end_of_a_long_log_is_read_without_colours_and_prefixes(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("x" * (2 * TAIL_BYTES) + "\n\x1b[36m(TaskRunner pid=7)\x1b[0m ValueError: odd\n")
    assert tail(log)[-1] == "ValueError: odd"
    assert sum(map(len, tail(log))) <= TAIL_BYTES
    assert tail(tmp_path / "absent.txt") == []


def test_oom_names_the_three_of_memory_and_an_unknown_class_is_refused() -> None:
    assert classes(["oom", "node"]) == {
        FailureClass.host_oom,
        FailureClass.cuda_oom,
        FailureClass.vllm_oom,
        FailureClass.node,
    }
    with pytest.raises(ValueError, match="'gremlin'"):
        classes(["gremlin"])


# Words of each class, as a model may answer them.
MAGIC = [
    *(line for _, log, failure_class, _ in LOGS if failure_class is not FailureClass.unknown for line in log),
    *("slurmstepd: error: Detected 1 oom_kill event in StepId=1.0.", "CANCELLED by 1000", "killed by SIGKILL"),
    *("srun: error: n1: DUE TO TIME LIMIT", "DUE TO PREEMPTION", "[score] 1.0", "[prompt] again", "FAILED in train"),
    *("\x1b[36m(WorkerDict pid=9)\x1b[0m RuntimeError: CUDA error: uncorrectable ECC error encountered",),
    *("\rTraceback (most recent call last):\x0bOSError: [Errno 28] No space left on device",),
    *("\u2028Traceback (most recent call last):\x85torch.OutOfMemoryError: CUDA out of memory.",),
]
ANSWER = "\n".join(["I think", "Traceback (most recent call last):", *MAGIC, "so it is."])
# As verl's managers print one (verl/workers/reward_manager/naive.py: dapo, batch alike), in training and in validation.
SAMPLE = f"[prompt] {ANSWER}\n[response] {ANSWER}\n[ground_truth] 4\n[score] 0.0\n[acc] False\n[pred] 5\n"
ODD = 'Traceback (most recent call last):\n  File "/verl/trainer/ppo/ray_trainer.py", line 9\nValueError: odd\n'


def said_by(actor: str, text: str) -> str:
    """What a process of Ray prints, as Ray's log monitor shows it: each line with its prefix."""
    prefix = f"\x1b[36m({actor})\x1b[0m "
    return "".join(f"{prefix}{line}\n" for line in text.removesuffix("\n").split("\n")) if actor else text


WHEN = ("before training", "training", "the last words", "cut at its beginning")


@pytest.mark.parametrize("actor", ["TaskRunner pid=7", "RewardLoopWorker pid=8, ip=1.2.3.4", ""])
@pytest.mark.parametrize("when", WHEN)
def test_a_models_answer_never_decides_the_class(actor: str, when: str, tmp_path: Path) -> None:
    log, steps = tmp_path / "log.txt", said_by("TaskRunner pid=7", "step:1 - reward:0.1\n")
    sample = said_by(actor, SAMPLE)
    if when == "cut at its beginning":
        sample = sample[len(sample) // 3 :].partition("\n")[2]

    def found(text: str) -> FailureClass:
        log.write_bytes(text.encode())
        return classify(Ending(status="failed", reason=reason(log, 0, 1), log=tail(log))).failure_class

    one_of_each = {failure_class: lines for _, lines, failure_class, _ in LOGS}
    for lines in one_of_each.values():
        real = "\n".join(["Traceback (most recent call last):", *lines]) + "\n"
        # verl itself, whose lines have no prefix, prints no sample once it has ended.
        texts = {"before training": [sample, steps, real], "the last words": [steps, real, sample if actor else ""]}
        text = "".join(texts.get(when, [steps, sample, steps, sample, real]))
        # Lines of an engine's logger are not told from a bare sample before them: no class, rather than a wrong one.
        is_logger = not actor and lines[0].startswith("ERROR ")
        assert found(text) in {found(f"{steps}{real}"), *([FailureClass.unknown] if is_logger else [])}
    assert found(f"{steps}{sample}{ODD}") is FailureClass.unknown


def test_an_answer_that_a_message_quotes_never_decides_the_class() -> None:
    for line in MAGIC:
        log = ["Traceback (most recent call last):", 'File "/x/y.py", line 1', f"RuntimeError: cannot read {line!r}"]
        assert classify(Ending(status="failed", reason=f"exit code 1: {log[-1]}", log=log)).failure_class is (
            FailureClass.unknown
        ), line


def test_what_a_plain_error_of_python_says_without_quotes_never_decides_the_class() -> None:
    for line in MAGIC:
        for name in ("ValueError", "AssertionError", "AttributeError", "json.decoder.JSONDecodeError"):
            for said in (f"{name}: cannot read {line}", f"{name}: cannot read it\n{line}"):
                log = ["Traceback (most recent call last):", 'File "/x/y.py", line 1', *said.split("\n")]
                found = classify(Ending(status="failed", reason=f"exit code 1: {log[2]}", log=log)).failure_class
                assert found in (FailureClass.unknown, FailureClass.config, FailureClass.reward, FailureClass.data), (
                    said
                )


def test_a_plain_error_that_vllm_raises_is_heard() -> None:
    said = "ValueError: No available memory for the cache blocks. Try increasing it"
    log = ["Traceback (most recent call last):", 'File "/x/vllm/v1/core/utils.py", line 1', said]
    assert classify(Ending(status="failed", log=log)).failure_class is FailureClass.vllm_oom


def test_a_sample_is_known_behind_a_bar_and_from_a_process_without_a_name(tmp_path: Path) -> None:
    full = "torch.OutOfMemoryError: CUDA out of memory."
    for first in ("TaskRunner pid=7", "pid=7"):
        said = said_by(first, f"\rTraining Progress:   5%|#  |[response] {full}\n") + said_by("TaskRunner pid=7", full)
        log = tmp_path / "log.txt"
        log.write_bytes(f"{said}ray.exceptions.ActorDiedError: died\n".encode())
        assert tail(log) == ["ray.exceptions.ActorDiedError: died"]


def test_quotations_that_were_cut_or_never_end_take_no_time_and_decide_nothing() -> None:
    began = time.process_time()
    for quoted in (
        "'CUDA out of memory, and so on",
        "\\'" * 20_000 + "its node has died",
        "'\\a" * 20_000,
        "\"'" * 20_000,
    ):
        line = f"RuntimeError: cannot read '{quoted}"
        assert classify(Ending(status="failed", reason=line, log=[line])).failure_class is FailureClass.unknown
    assert time.process_time() - began < 20  # a hang guard


def test_the_exception_that_ended_a_run_outranks_what_its_reward_function_printed(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    for line in MAGIC:
        log.write_text(f"{said_by('RewardLoopWorker pid=8', line)}{ODD}")
        found = classify(Ending(status="failed", reason=reason(log, 0, 1), log=tail(log)))
        assert found.failure_class is FailureClass.unknown, line


def test_a_process_that_prints_samples_is_left_out_and_no_other(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text(
        f"{said_by('TaskRunner pid=7', SAMPLE)}"
        f"{said_by('WorkerDict pid=9', 'torch.OutOfMemoryError: CUDA out of memory.')}"
        f"{said_by('TaskRunner pid=7', 'ValueError: odd')}ray.exceptions.ActorDiedError: died\n"
    )
    assert tail(log) == ["torch.OutOfMemoryError: CUDA out of memory.", "ray.exceptions.ActorDiedError: died"]
    assert classify(Ending(status="failed", log=tail(log))).failure_class is FailureClass.cuda_oom


OF_A_WORKER = 'ray.exceptions.RayTaskError(RuntimeError): ray::X.run() (pid=1)\nFile "/x/z.py", line 2\nRuntimeError'
RAISED = (
    *("RuntimeError", "Exception", "OSError", "verl.utils.AnswerError", "mine.BadAnswer", "torch.AcceleratorError"),
    *("SystemError", OF_A_WORKER),
)


@pytest.mark.parametrize("name", RAISED)
def test_an_answer_in_the_message_of_whatever_error_never_decides_the_class(name: str) -> None:
    for line in MAGIC:
        traced = f'Traceback (most recent call last):\nFile "<stdin>", line 1\n{line}'
        for said in (f"cannot read {line}", f"cannot read it\n{line}", f"\n{line}", f"odd: {line}", f"it\n{traced}"):
            error = f"{name}: {said}".split("\n")
            log = ["Traceback (most recent call last):", 'File "/x/y.py", line 1', *error]
            for before in ([], ["step:1 - reward:0.1"], [*log, "step:1 - reward:0.1"]):
                words = next(line for line in reversed(error) if ": " in line)
                found = classify(Ending(status="failed", reason=f"exit code 1: {words}", log=[*before, *log]))
                assert found.failure_class is FailureClass.unknown, error


def test_an_answer_that_an_error_of_a_reward_says_and_nothing_else_is_the_rewards_failure() -> None:
    for line in MAGIC:
        frames = ['File "/verl/trainer/x.py", line 9', 'File "/results/code/ab/rewards/math/score.py", line 1']
        log = ["Traceback (most recent call last):", *frames, *f"RuntimeError: {line}".split("\n")]
        found = classify(Ending(status="failed", reason=f"exit code 1: {log[3]}", log=log))
        assert found.failure_class in (FailureClass.reward, FailureClass.unknown), line


def test_what_ended_a_worker_is_heard_below_rays_own_lines() -> None:
    for inner, wanted in (
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", FailureClass.cuda_oom),
        ("OSError: [Errno 28] No space left on device: '/x'", FailureClass.disk),
        ("RuntimeError: CUDA error: uncorrectable ECC error encountered", FailureClass.node),
    ):
        log = [
            *("Traceback (most recent call last):", 'File "/verl/trainer/main_ppo.py", line 9', "ray.get(refs)"),
            "ray.exceptions.RayTaskError(RuntimeError): ray::TaskRunner.run() (pid=7, ip=1.2.3.4)",
            *('File "/verl/workers/actor.py", line 1, in update', "loss.backward()", inner),
        ]
        assert classify(Ending(status="failed", reason=f"exit code 1: {inner}", log=log)).failure_class is wanted


def test_a_line_that_begins_as_rays_do_and_never_ends_takes_no_time() -> None:
    began = time.process_time()
    assert heard("(pid=1" * 50_000) == ["(pid=1" * 50_000]
    assert heard("(WorkerDict pid=12, ip=1.2.3.4) KeyError: 'x'") == ["KeyError: 'x'"]
    assert time.process_time() - began < 2.0
