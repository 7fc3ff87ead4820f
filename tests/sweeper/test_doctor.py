import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from sweeper.launch.slurm import scheduler, site
from sweeper.launch.slurm.array import Chunk
from sweeper.launch.slurm.options import refuse
from sweeper.launch.slurm.script import script
from sweeper.launch.slurm.shape import shape_of
from sweeper.oversight import checkup, doctor, gpu, neighbours, probe
from sweeper.oversight.check import Verdict
from sweeper.oversight.probe import Finding
from tests.sweeper.points import spec

GOOD = {
    "host": "n1",
    "python": "3.11.7",
    "executable": "/envs/sweeper/bin/python",
    "versions": {"python": "3.11.7", "verl": "0.9.1", "torch": "2.11.0"},
    "broken": {},
    "cuda": "13.0",
    "gpus": ("NVIDIA H100",),
    "driver": "580.95.05",
    "attention": None,
    "sandbox": "namespaces",
    "sandbox_refusal": None,
    "sees_lock": None,
    "tmpdir": "/tmp",
    "temporary": "/tmp",
    "temporary_refusal": None,
    "cpus": 64,
    "open_files": 1048576,
    "processes": None,
    "shared_memory": 500 * 10**9,
    "neighbours": {"processes": "", "ptrace": "", "tmp": ""},
}


def told(finding: dict[str, object], *, on_node: bool = True) -> dict[str, Verdict]:
    found = Finding(**finding)  # type: ignore[arg-type]
    checks = doctor.environment(found, spec("cluster=slurm"), where="there", on_node=on_node)
    return {check.name.split()[0]: check.verdict for check in checks}


def test_an_environment_that_has_everything_is_right() -> None:
    assert set(told(GOOD).values()) == {Verdict.ok}


@pytest.mark.parametrize(
    ("difference", "name"),
    [
        ({"python": "3.10.2"}, "Python"),
        ({"broken": {"vllm": "ModuleNotFoundError: No module named 'vllm'"}}, "packages"),
        ({"versions": {"verl": "0.8.0"}}, "packages"),
        ({"cuda": None}, "GPUs"),
        ({"broken": {"flash_attn": "ImportError: undefined symbol"}}, "packages"),
        ({"driver": "570.172.08"}, "driver"),
        ({"driver": None}, "driver"),
        ({"attention": "RuntimeError: no kernel image is available"}, "flash-attn"),
        ({"sandbox": None, "sandbox_refusal": "nothing holds"}, "sandbox"),
        ({"temporary": None, "temporary_refusal": "too long"}, "TMPDIR"),
        ({"cpus": 1}, "CPUs"),
        ({"open_files": 1024}, "limits"),
        ({"shared_memory": 64 << 20}, "/dev/shm"),
        ({"shared_memory": None}, "/dev/shm"),
    ],
)
def test_what_an_environment_lacks_is_wrong(difference: dict[str, object], name: str) -> None:
    found = told(GOOD | difference)
    assert found[name] is Verdict.wrong
    assert [key for key, verdict in found.items() if verdict is not Verdict.ok] == [name]


def test_a_package_of_the_gpu_stack_is_installed_by_what_installs_all_of_it() -> None:
    """`pip install '.[gpu]'` leaves flash-attn out."""
    found = Finding(**GOOD | {"broken": {"flash_attn": "ModuleNotFoundError: flash_attn"}})  # type: ignore[arg-type]
    checks = doctor.environment(found, spec("cluster=slurm"), where="there", on_node=True)
    (wrong,) = [check for check in checks if check.verdict is Verdict.wrong]
    assert wrong.cure is not None
    assert "make setup-gpu" in wrong.cure


def test_a_long_tmpdir_is_right_and_said_to_be_replaced() -> None:
    found = Finding(**GOOD | {"tmpdir": "/scratch/" + "x" * 129})  # type: ignore[arg-type]
    checks = doctor.environment(found, spec("cluster=slurm"), where="there", on_node=True)
    (check,) = [check for check in checks if check.name == "TMPDIR there"]
    assert check.verdict is Verdict.ok
    assert check.found == "138 bytes, too long for Ray's sockets: jobs use a private folder in /tmp"


def test_a_node_without_gpus_is_wrong_and_flash_attn_was_not_run_there() -> None:
    found = told(GOOD | {"gpus": ()})
    assert (found["GPUs"], found["flash-attn"]) == (Verdict.wrong, Verdict.unknown)


def test_a_login_node_without_gpus_leaves_them_their_driver_and_flash_attn_unknown() -> None:
    found = told(GOOD | {"gpus": (), "driver": None}, on_node=False)
    unknown = [name for name, verdict in found.items() if verdict is not Verdict.ok]
    assert unknown == ["driver", "GPUs", "flash-attn"]
    assert {found[name] for name in unknown} == {Verdict.unknown}


def test_a_torch_whose_cuda_is_newer_than_we_know_leaves_the_driver_unknown() -> None:
    assert told(GOOD | {"cuda": "14.1"})["driver"] is Verdict.unknown


def test_the_driver_that_doctor_asks_for_is_the_one_that_the_set_up_asks_for() -> None:
    said = Path(__file__).parents[2].joinpath(".ci", "gpu-needs").read_text()
    assert f"driver_needed={gpu.driver_needed('13.0')} " in said


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        (lambda heads: heads, None),
        (lambda heads: heads.flip(2), "apart from torch's"),
        (lambda heads: heads * float("nan"), "nan apart from torch's"),
        (lambda heads: heads.on_no_such_gpu(), "AttributeError"),
    ],
)
def test_an_attention_that_is_not_torchs_or_fails_is_said(
    kernel: Callable[[torch.Tensor], torch.Tensor], said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flash_attn_func(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *, causal: bool) -> torch.Tensor:
        """In place of flash-attn, which no machine without a GPU can run: torch's own, changed by `kernel`."""
        q, k, v = (states.transpose(1, 2) for states in (q, k, v))
        attention = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return kernel(attention).transpose(1, 2)

    monkeypatch.setitem(sys.modules, "flash_attn", SimpleNamespace(flash_attn_func=flash_attn_func))
    found = probe._attention("cpu")
    assert found is None if said is None else said in str(found)


def test_the_probe_of_this_machine_imports_what_training_needs_and_says_what_a_gpu_machine_would_lack() -> None:
    found = probe.probe(gpu=True, held=None)
    assert not {"verl", "torch", "transfer_queue", "peft"} & set(found.broken)
    if not found.gpus:
        assert {"vllm", "flash_attn"} <= set(found.broken)
        assert found.attention is None


def test_a_folder_on_a_local_disk_is_right_for_a_machine_and_unknown_for_a_cluster(tmp_path: Path) -> None:
    for shared, verdict in ((False, Verdict.ok), (True, Verdict.unknown)):
        folder, locks = doctor._folder(tmp_path, shared=shared)
        assert folder.verdict is verdict
        assert locks.verdict is Verdict.ok
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (check,) = doctor._folder(tmp_path / "file" / "results", shared=True)
    assert check.verdict is Verdict.wrong
    assert check.cure == "set results_dir to a folder that you may write"


def test_the_key_of_wandb_is_looked_for_where_jobs_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WANDB_API_KEY", "0123456789")
    here, there = (spec(f"cluster={name}", "logging.wandb=true") for name in ("local", "slurm"))
    assert doctor._secrets(here).verdict is Verdict.ok
    assert doctor._secrets(there).verdict is Verdict.wrong  # a job does not get the variables of this shell
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert doctor._secrets(there).verdict is Verdict.ok  # which a job does get
    monkeypatch.delenv("WANDB_MODE")
    private = tmp_path / "private"
    private.write_text("WANDB_API_KEY=0123456789\n")
    private.chmod(0o600)
    with_file = spec("cluster=slurm", "logging.wandb=true", f"cluster.secrets_file={private}")
    assert doctor._secrets(with_file).verdict is Verdict.ok


def test_slurms_own_words_are_read() -> None:
    text = "n1|idle|64|515000|gpu:a100:4(S:0-1)\nn2|down*|64+|515000+|(null)\nn3|mixed|128|1031000|lscratch:1,gpu:8\n"
    nodes = list(site._nodes(text))
    assert [(node.gpus, node.gpu_type, node.usable) for node in nodes] == [
        (4, "a100", True),
        (0, None, False),
        (8, None, True),
    ]
    assert [site._minutes(text) for text in ("UNLIMITED", "2-00:00:00", "01:30:00")] == [None, 2880, 90]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_folder_that_others_may_list_or_write_is_told_with_what_that_means(open_folder: Path) -> None:
    folder = open_folder / "results"
    folder.mkdir()
    said = {}
    for mode in (0o700, 0o755, 0o777, 0o770):
        folder.chmod(mode)
        said[mode] = next(check for check in neighbours.of_folders(folder) if check.name != "home")
    assert [check.verdict for check in said.values()] == [Verdict.ok, Verdict.open, Verdict.open, Verdict.open]
    assert "nobody else may enter it" in said[0o700].found
    assert "prompts, answers and logs" in said[0o755].found
    assert "runs code as everybody" in said[0o777].found
    assert "its group may enter and list and write" in said[0o770].found
    assert "others" not in said[0o770].found.partition(", and who")[0]
    assert f"chmod go-w {folder}" in str(said[0o777].cure)
    open_folder.chmod(0o700)
    assert neighbours.may(folder) == "nobody else may enter it"


@pytest.mark.parametrize(("mode", "verdict"), [(0o700, Verdict.ok), (0o711, Verdict.ok), (0o755, Verdict.open)])
def test_a_home_that_others_may_list_is_told(
    mode: int, verdict: Verdict, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_folder.chmod(mode)
    monkeypatch.setenv("HOME", str(open_folder))
    assert next(iter(neighbours.of_folders(open_folder))).verdict is verdict


PARTITION = "PartitionName=gpu AllowAccounts=ALL AllowQos=ALL Default=YES State=UP MaxTime=UNLIMITED "


@pytest.mark.parametrize(
    ("words", "override", "verdict"),
    [
        ("OverSubscribe=NO ExclusiveUser=NO", None, Verdict.open),
        ("OverSubscribe=YES:4 ExclusiveUser=NO", None, Verdict.open),
        ("OverSubscribe=FORCE:1", None, Verdict.open),
        ("OverSubscribe=EXCLUSIVE ExclusiveUser=NO", None, Verdict.ok),
        ("OverSubscribe=NO ExclusiveUser=YES ExclusiveTopo=NO", None, Verdict.ok),
        ("OverSubscribe=NO ExclusiveUser=NO", "cluster.sbatch.exclusive=user", Verdict.ok),
        ("OverSubscribe=NO ExclusiveUser=NO", "cluster.sbatch.exclusive=true", Verdict.ok),
    ],
)
@pytest.mark.parametrize("container", ["job_container/tmpfs", "(null)"])
def test_nodes_and_tmp_that_other_users_share_are_told_with_the_key_that_takes_whole_nodes(
    words: str, override: str | None, verdict: Verdict, container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "ask", lambda _: f"JobContainerType        = {container}\nMaxArraySize = 1001\n")
    shape = shape_of(spec("cluster=slurm", *([override] if override else [])))
    shared, tmp = neighbours.on_partition(site._partition(PARTITION + words), [shape])
    assert shared.verdict is verdict
    assert verdict is Verdict.ok or "cluster.sbatch.exclusive=user" in str(shared.cure)
    assert tmp.verdict is (Verdict.ok if "tmpfs" in container else Verdict.open)


@pytest.mark.parametrize(("value", "line"), [("user", "#SBATCH --exclusive=user"), ("true", "#SBATCH --exclusive")])
def test_the_key_that_doctor_names_takes_whole_nodes(value: str, line: str) -> None:
    run = spec("cluster=slurm", f"cluster.sbatch.exclusive={value}")
    refuse(run)
    text = script(Chunk(name="a", run_ids=(run.run_id,), code="/code"), shape_of(run), Path("/results"))
    assert line in text.splitlines()


def test_what_other_users_of_a_node_see_is_told_and_fails_nothing() -> None:
    seen = {"processes": "users see each other", "ptrace": "ptrace_scope is 0", "tmp": "others have files in /tmp"}
    found = told(GOOD | {"neighbours": seen})
    assert [found[name] for name in seen] == [Verdict.open] * 3
    assert Verdict.wrong not in found.values()


def test_a_machine_is_open_only_where_another_user_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(neighbours, "_owners", lambda _: {0, os.getuid()})
    assert set(neighbours.of_machine(tmp_path).values()) == {""}
    monkeypatch.setattr(neighbours, "_owners", lambda _: {0, os.getuid(), 4711})
    found = neighbours.of_machine(tmp_path)
    assert "hidepid" in found["processes"]
    assert str(tmp_path) in found["tmp"]
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    is_traced = not scope.exists() or scope.read_text().strip() == "0"
    assert ("ptrace_scope" in found["ptrace"]) is is_traced
    monkeypatch.undo()
    assert neighbours._owners(tmp_path) == {os.getuid()}


def test_without_slurm_the_error_is_said_once_and_all_else_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(command: list[str], **_: object) -> str:
        raise scheduler.SchedulerError(f"{command[0]}: no controller")

    monkeypatch.setattr(scheduler, "ask", silent)
    monkeypatch.setattr(checkup, "version", lambda: silent(["sinfo"]))
    found = list(checkup.site([spec("cluster=slurm", "cluster.cpus_per_gpu=1")], tmp_path))
    assert [(check.name, check.verdict) for check in found] == [
        ("SLURM", Verdict.wrong),
        ("squeue", Verdict.wrong),
        ("sacct", Verdict.unknown),
        ("scontrol", Verdict.wrong),
        ("cluster", Verdict.unknown),
        ("CPUs asked for", Verdict.wrong),
    ]
    assert [check.found for check in found[:4]] == ["sinfo: no controller", "the same", "the same", "the same"]
