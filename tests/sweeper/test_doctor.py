from pathlib import Path

import pytest

from sweeper.launch.slurm import site
from sweeper.oversight import doctor
from sweeper.oversight.check import Verdict
from sweeper.oversight.probe import Finding
from tests.sweeper.points import spec

GOOD = {
    "host": "n1",
    "python": "3.11.7",
    "executable": "/envs/sweeper/bin/python",
    "versions": {"python": "3.11.7", "verl": "0.9.1", "torch": "2.11.0"},
    "broken": {},
    "cuda": "12.8",
    "gpus": ("NVIDIA H100",),
    "sandbox": "namespaces",
    "sandbox_refusal": None,
    "sees_lock": None,
    "tmpdir": "/tmp",
    "temporary": "/tmp",
    "temporary_refusal": None,
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
        ({"gpus": ()}, "GPUs"),
        ({"sandbox": None, "sandbox_refusal": "nothing holds"}, "sandbox"),
        ({"temporary": None, "temporary_refusal": "too long"}, "TMPDIR"),
    ],
)
def test_what_an_environment_lacks_is_wrong(difference: dict[str, object], name: str) -> None:
    found = told(GOOD | difference)
    assert found[name] is Verdict.wrong
    assert [key for key, verdict in found.items() if verdict is not Verdict.ok] == [name]


def test_a_long_tmpdir_is_right_and_said_to_be_replaced() -> None:
    found = Finding(**GOOD | {"tmpdir": "/scratch/" + "x" * 129})  # type: ignore[arg-type]
    checks = doctor.environment(found, spec("cluster=slurm"), where="there", on_node=True)
    (check,) = [check for check in checks if check.name == "TMPDIR there"]
    assert check.verdict is Verdict.ok
    assert check.found == "138 bytes, too long for Ray's sockets: jobs use a private folder in /tmp"


def test_a_login_node_without_gpus_leaves_them_unknown() -> None:
    assert told(GOOD | {"gpus": ()}, on_node=False)["GPUs"] is Verdict.unknown


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
