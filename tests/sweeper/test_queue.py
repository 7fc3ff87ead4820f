"""Which of SLURM's jobs are a results folder's; SLURM's programs are scripts that answer from files."""

import json
import os
import time
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.launch.slurm import scheduler
from sweeper.launch.slurm.array import Chunk
from sweeper.launch.slurm.queue import Queue
from sweeper.launch.slurm.scheduler import SchedulerError
from sweeper.oversight import checkup
from sweeper.oversight.check import Verdict
from sweeper.plan import partition
from sweeper.runs.folder import RunDir
from sweeper.runs.state import State
from sweeper.spec.run_id import RunId
from tests.sweeper.points import plan, spec

RUNS = (RunId("a-1"), RunId("a-2"), RunId("a-3"))
ME = os.getuid()


class Site:
    """Stand-ins for SLURM's programs: each notes how it was called, and prints its file."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.results = folder, folder / "results"
        (folder / "bin").mkdir()
        (self.results / "slurm").mkdir(parents=True)
        for name in ("squeue", "sacct", "scancel", "scontrol"):
            program = folder / "bin" / name
            program.write_text(
                f'#!/bin/sh\necho "$@" >>{folder}/{name}.calls\n'
                f"cat {folder}/{name}.err >&2 2>/dev/null; cat {folder}/{name}.out 2>/dev/null\n"
                f"exit $(cat {folder}/{name}.rc 2>/dev/null || echo 0)\n"
            )
            program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
        self.says("scontrol", "ClusterName = lab\nMaxArraySize = 1001\n")

    def says(self, program: str, out: str, *, err: str = "", code: int = 0) -> None:
        for suffix, text in (("out", out), ("err", err), ("rc", str(code))):
            (self.folder / f"{program}.{suffix}").write_text(text)

    def calls(self, program: str) -> list[str]:
        path = self.folder / f"{program}.calls"
        return path.read_text().splitlines() if path.exists() else []

    def submitted(
        self,
        job: int | None = 7,
        name: str = "sweep-1",
        cluster: str = "lab",
        user: int = ME,
        runs: tuple[RunId, ...] = RUNS,
    ) -> Chunk:
        chunk = Chunk(name=name, run_ids=runs, code="x", cluster=cluster, user=user)
        chunk.write(self.results, "")
        if job is not None:
            chunk.remember(self.results, job)
        return chunk

    def states(self) -> list[str]:
        queue = Queue.ask(self.results)
        return [queue.state(RunDir(results_dir=self.results, run_id=run_id)) for run_id in RUNS]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


def pending(
    job: int = 7, name: str = "sweep-1", state: str = "PENDING", count: int = 3, comment: str = "sweep-1 /x|y"
) -> str:
    return "".join(f"{job}|{index}|{state}|Resources|{name}|comment={comment}\n" for index in range(count))


def test_jobs_are_asked_for_by_uid_in_every_partition_with_one_question(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "nobody")
    monkeypatch.setenv("SQUEUE_STATES", "RUNNING")
    site.submitted()
    site.says("squeue", pending())
    assert site.states() == [State.queued] * 3
    (call,) = site.calls("squeue")
    words = call.split()
    assert "-a" in words
    assert words[words.index("-u") + 1] == str(ME)
    assert site.calls("sacct") == site.calls("scontrol") == []


def test_a_renamed_job_is_known_by_its_comment_and_names_of_two_lines_stop_nobody(site: Site) -> None:
    site.submitted()
    site.says("squeue", "9|N/A|RUNNING|None|not\nours|comment=(null)\n" + pending(name="weekend\nof|mine"))
    assert site.states() == [State.queued] * 3
    site.says("squeue", pending(comment="told\notherwise|by a site"))
    assert site.states() == [State.queued] * 3


def test_a_job_that_only_has_the_number_of_ours_is_neither_waited_for_nor_cancelled(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    # A cluster that was set up anew under its old name counts from 1 again.
    site.submitted()
    (site.results / "runs" / RUNS[0]).mkdir(parents=True)
    site.says("squeue", pending(name="mine", comment="of other work"))
    site.says("sacct", "7_[0-2]|RUNNING|0:0|mine\n")
    assert site.states() == [State.interrupted] * 3
    main(["cancel", RUNS[0], "--results", str(site.results)])
    assert "nothing is cancelled" in capsys.readouterr().out
    assert site.calls("scancel") == []
    site.says("squeue", "")
    site.says("sacct", "7|RUNNING|0:0|two\nlines\n")  # another's, who need not have arrays
    assert site.states() == [State.interrupted] * 3
    site.says("sacct", "7_[0-2]|RUNNING|0:0|sweep-1\n")
    assert site.states() == [State.running] * 3


def test_a_reader_of_a_folder_that_it_cannot_write_is_told_of_jobs_without_a_record(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.submitted(job=None)
    site.says("squeue", pending())

    def refuse(*_: object) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr("sweeper.launch.slurm.array.write_atomic", refuse)
    assert site.states() == [State.queued] * 3


def test_the_jobs_of_a_colleague_who_submitted_into_the_same_folder_are_asked_for(site: Site) -> None:
    site.submitted(user=ME + 1)
    site.says("squeue", pending())
    assert site.states() == [State.queued] * 3
    assert f"{ME},{ME + 1}" in site.calls("squeue")[0].split()


def test_a_colleague_of_whose_jobs_slurm_does_not_tell_leaves_runs_unknown(site: Site) -> None:
    site.submitted(user=ME + 1)
    assert site.states() == [State.unknown] * 3
    assert str(ME + 1) in str(Queue.ask(site.results).reason(RUNS[0]))
    site.says("sacct", "7_[0-2]|CANCELLED by 0|0:0\n")
    assert site.states() == [State.interrupted] * 3


def test_a_job_of_this_user_that_nobody_knows_of_is_gone(site: Site) -> None:
    site.submitted()
    assert site.states() == [State.interrupted] * 3


def test_a_squeue_that_does_not_know_the_user_has_not_answered(site: Site) -> None:
    site.submitted()
    site.says("squeue", "", err=f"squeue: error: Invalid user: {ME}\n")
    assert site.states() == [State.unknown] * 3
    with pytest.raises(SchedulerError, match=f"knows no user {ME}"):
        scheduler.queue()


def test_a_colleague_who_left_stops_nobody_where_squeue_refuses_to_look_for_them(site: Site) -> None:
    site.submitted(user=ME + 1)
    site.submitted(job=8, name="sweep-2")
    lines = pending(job=8, name="sweep-2", comment="sweep-2 /x")
    script = site.folder / "bin" / "squeue"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *,{ME + 1}*) echo "squeue: error: Invalid user: {ME + 1}" >&2; exit 1;; esac\n'
        f"cat <<'X'\n{lines}X\n"
    )
    assert site.states() == [State.queued] * 3


@pytest.mark.parametrize(
    ("account", "state"),
    [("PENDING", State.queued), ("RUNNING", State.running), ("CANCELLED by 0", State.interrupted)],
)
def test_what_accounting_calls_alive_is_not_gone_though_squeue_does_not_list_it(
    site: Site, account: str, state: State
) -> None:
    site.submitted()
    site.says("sacct", f"7_[0-2]|{account}|0:0\n")
    assert site.states() == [state] * 3


def test_an_elements_own_account_counts_more_than_that_of_its_array(site: Site) -> None:
    site.submitted()
    site.says("sacct", "7_1|CANCELLED by 0|0:0\n7_[0-2]|PENDING|0:0\n")
    assert site.states() == [State.queued, State.interrupted, State.queued]


def test_an_array_cancelled_as_a_whole_has_one_account_without_indices(site: Site) -> None:
    site.submitted()
    site.says("sacct", "7|CANCELLED by 0|0:0\n")
    assert site.states() == [State.interrupted] * 3
    assert Queue.ask(site.results).reason(RUNS[2]) == "CANCELLED by 0, exit 0:0"


@pytest.mark.parametrize(
    ("account", "state"),
    [
        *[(word, State.interrupted) for word in ("CANCELLED by 0", "FAILED", "TIMEOUT", "OUT_OF_MEMORY")],
        *[(word, State.running) for word in ("REQUEUED", "PENDING", "PREEMPTED", "NODE_FAIL")],
    ],
)
def test_a_completing_job_is_over_if_accounting_says_that_it_is_not_queued_again(
    site: Site, account: str, state: State
) -> None:
    site.submitted()
    site.says("squeue", pending(state="COMPLETING"))
    site.says("sacct", "".join(f"7_{index}|{account}|0:0\n" for index in range(3)))
    assert site.states() == [state] * 3
    site.says("sacct", "", err="no accounts", code=1)
    assert site.states() == [State.running] * 3


def test_another_cluster_neither_takes_its_own_jobs_for_ours_nor_calls_ours_gone(site: Site) -> None:
    site.submitted(cluster="other")
    site.says("squeue", pending(name="something", comment="of other work"))
    assert site.states() == [State.unknown] * 3
    assert "job 7 is on cluster other, and this machine asks lab" in str(Queue.ask(site.results).reason(RUNS[0]))
    site.submitted(cluster="")  # of an earlier version: its name decides
    assert site.states() == [State.interrupted] * 3


def test_runs_that_ended_on_another_cluster_go_on_here_when_a_person_has_looked_there(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.submitted(job=700, cluster="other")
    for run_id in RUNS:
        (site.results / "runs" / run_id).mkdir(parents=True)
    assert site.states() == [State.unknown] * 3
    assert "if it is over: python -m sweeper cancel RUN --gone" in str(Queue.ask(site.results).reason(RUNS[0]))
    assert main(["cancel", RUNS[0], "--gone", "--results", str(site.results)]) == 0
    assert "of 1 of 1 run the jobs on another cluster are taken for over" in capsys.readouterr().out
    assert site.calls("scancel") == []
    site.says("sacct", "700_0|COMPLETED|0:0|another's\n")  # a number of this cluster's is no account of that job
    assert site.states() == [State.interrupted, State.unknown, State.unknown]
    assert Queue.ask(site.results).reason(RUNS[0]) == "over on cluster other, as it was said (cancel --gone)"
    # It is submitted here, under a lower number, and ends without a row.
    site.submitted(job=9, name="sweep-2", runs=RUNS[:1])
    site.says("squeue", "9|0|PENDING|None|sweep-2|comment=\n")
    assert site.states() == [State.queued, State.unknown, State.unknown]
    site.says("squeue", "")
    site.says("sacct", "9_0|FAILED|1:0|sweep-2\n")
    assert Queue.ask(site.results).reason(RUNS[0]) == "FAILED, exit 1:0"
    assert main(["cancel", RUNS[0], "--gone", "--results", str(site.results)]) == 0
    assert "none has one there" in capsys.readouterr().out


def test_a_run_with_several_jobs_is_cancelled_with_all_of_them_in_one_question(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.submitted()
    site.says("squeue", pending() + pending(job=8))  # the same script was submitted twice
    assert site.states() == [State.queued] * 3
    for run_id in RUNS:
        (site.results / "runs" / run_id).mkdir(parents=True)
    record: dict[str, object] = {"name": "g", "grid": None, "axes": {}, "run_ids": RUNS, "choices": [[]] * 3}
    (site.results / "grids").mkdir()
    (site.results / "grids" / "g.json").write_text(json.dumps(record))
    assert main(["cancel", "g", "--results", str(site.results)]) == 0
    assert site.calls("scancel") == ["7_[0-2] 8_[0-2]"]
    assert "3 of 3 runs were queued or running and are cancelled, with 3 jobs more" in capsys.readouterr().out
    site.says("scancel", "", err="scancel: error: Kill job error on job id 8: Access/permission denied", code=1)
    assert main(["cancel", "g", "--results", str(site.results)]) == 1
    said = capsys.readouterr()
    assert "Access/permission denied" in said.err
    assert "are cancelled" not in said.out


def test_a_job_cancelled_before_it_began_is_not_said_to_have_a_checkpoint(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    run = spec("cluster=slurm_cpu", "seed=0")
    RunDir(results_dir=site.results, run_id=run.run_id).freeze(run)
    site.submitted(runs=(run.run_id,))
    site.says("sacct", "7|CANCELLED by 0|0:0|sweep-1\n")
    assert main(["retry", "--dry-run", "--results", str(site.results)]) == 0
    assert "again as it is\n" in capsys.readouterr().out


def test_a_squeue_that_hangs_is_not_asked_again_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.submitted()
    (site.folder / "bin" / "squeue").write_text("#!/bin/sh\nexec sleep 600\n")
    monkeypatch.setattr(scheduler, "_SECONDS", 0.5)
    monkeypatch.setattr("sweeper.launch.slurm.queue.KEPT_SECONDS", 0.4)  # over before a question is
    before = time.time()
    queue = Queue.recent(site.results)
    assert queue.error is not None
    assert queue.time >= before + 0.5


def test_the_queues_answer_is_kept_whole(site: Site) -> None:
    site.submitted()
    site.submitted(job=9, name="sweep-2", cluster="other")
    site.says("squeue", pending() + pending(job=8))
    first = Queue.recent(site.results)
    assert Queue.recent(site.results) == first
    assert len(site.calls("squeue")) == 1
    assert [len(first.all_elements(run_id)) for run_id in RUNS] == [2, 2, 2]


@pytest.mark.parametrize(
    ("account", "printed", "told"),
    [
        ("FAILED|127:0", "cluster.setup failed (exit code 127): module load cuda/99", "[config] cluster.setup failed"),
        ("FAILED|127:0", "sh: 1: exec: /nowhere/python: not found", "[config] sh: 1: exec: /nowhere/python: not found"),
        ("FAILED|0:53", None, "[config] FAILED, exit 0:53: the node cannot write slurm/logs"),
        ("OUT_OF_MEMORY|0:125", "slurmstepd: error: Detected 1 oom_kill event in StepId=7.batch", "[host_oom]"),
        ("FAILED|1:0", "nothing telling", "FAILED, exit 1:0"),
    ],
)
def test_a_job_that_died_before_its_first_attempt_is_told_with_class_and_evidence(
    site: Site, capsys: pytest.CaptureFixture[str], account: str, printed: str | None, told: str
) -> None:
    site.submitted()
    for run_id in RUNS:
        (site.results / "runs" / run_id).mkdir(parents=True)
    site.says("sacct", "".join(f"7_{index}|{account}\n" for index in range(3)))
    (site.results / "slurm" / "logs").mkdir()
    if printed is not None:
        (site.results / "slurm" / "logs" / "7_0_0_log.out").write_text(f"{printed}\n")
    assert main(["status", "--results", str(site.results)]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "a-1" in line)
    assert "interrupted" in line
    assert told in line


def test_settings_that_a_waiting_job_would_not_hear_are_refused(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("cluster=slurm_cpu", "cluster.account=lab")
    run = spec(*asked, "seed=0")
    RunDir(results_dir=site.results, run_id=run.run_id).freeze(run)
    site.submitted(runs=(run.run_id,))
    site.says("squeue", pending(count=1))
    same, _ = plan(site.results, "seed=0,1", *asked, "cluster.max_gpus=3", "cluster.confirm_gpu_hours=1").runs
    assert (same.state, same.reason) == (State.queued, None)
    other, _ = plan(site.results, "seed=0,1", *asked, "training.save_freq=2", "logging.wandb=true").runs
    assert "logging.wandb=True (was False)" in str(other.reason)
    assert "training.save_freq=2" in str(other.reason)
    (site.folder / "bin" / "sbatch").write_text("#!/bin/sh\nexit 1\n")
    (site.folder / "bin" / "sbatch").chmod(0o755)
    command = ["seed=0", "cluster=slurm_cpu", "cluster.account=other", f"results_dir={site.results}"]
    assert main(command) == 2
    assert "cluster.account=other (was lab); first cancel it" in capsys.readouterr().err
    site.says("squeue", pending(count=1, state="RUNNING"))
    running, _ = plan(site.results, "seed=0,1", *asked, "training.save_freq=2").runs
    assert (running.state, running.reason) == (State.running, None)


@pytest.mark.parametrize(
    ("limit", "hours", "said"),
    [
        (
            "02:00:00",
            3,
            "partition night end after 2 h, so it would wait for ever; set model.resources.hours=2",
        ),
        ("02:00:00", 2, None),
        ("UNLIMITED", 30, None),
    ],
)
def test_a_job_that_is_longer_than_its_partition_lets_jobs_be_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch, limit: str, hours: int, said: str | None
) -> None:
    site.says("scontrol", f"PartitionName=night Default=YES State=UP MaxTime={limit}\n")
    partition._partitions.cache_clear()
    monkeypatch.setattr("shutil.which", lambda name: name)
    run = spec("cluster=slurm_cpu", f"model.resources.hours={hours}")
    reasons = partition.wrong_partitions([run])
    partition._partitions.cache_clear()
    assert (said is None and reasons == {}) or str(said) in reasons[run.run_id]
    assert "-a" in site.calls("scontrol")[0].split()  # hidden ones, too


@pytest.mark.parametrize(("flags", "refused"), [("DenyOnLimit", True), ("DenyOnLimit,PartitionTimeLimit", False)])
def test_a_job_of_a_qos_that_overrides_its_partitions_limit_may_be_longer(
    site: Site, monkeypatch: pytest.MonkeyPatch, flags: str, refused: bool
) -> None:
    site.says("scontrol", "PartitionName=night Default=YES State=UP MaxTime=02:00:00\n")
    (site.folder / "bin" / "sacctmgr").write_text(f"#!/bin/sh\necho '{flags}'\n")
    (site.folder / "bin" / "sacctmgr").chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name: name)
    partition._partitions.cache_clear()
    partition._is_exempt.cache_clear()
    run = spec("cluster=slurm_cpu", "cluster.qos=long", "model.resources.hours=3")
    reasons = partition.wrong_partitions([run])
    partition._partitions.cache_clear()
    partition._is_exempt.cache_clear()
    assert bool(reasons) is refused


def test_a_user_without_a_name_on_this_machine_is_told_so_by_doctor(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    last = list(checkup._limits(spec("cluster=slurm_cpu").cluster, 1))[-1]
    assert last.verdict is Verdict.unknown
    assert f"user {ME} has no name on this machine" in last.found


def test_status_says_on_which_cluster_jobs_are_where_there_is_more_than_one(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.submitted(runs=RUNS[:2])
    site.says("squeue", pending(count=2))
    for run_id in RUNS:
        (site.results / "runs" / run_id).mkdir(parents=True)
    assert main(["status", "--results", str(site.results)]) == 0
    assert "cluster" not in capsys.readouterr().out
    site.submitted(job=9, name="sweep-2", cluster="other", runs=RUNS[2:])
    queue_file = site.results / "slurm" / "queue.json"
    queue_file.unlink()
    for _ in range(2):  # asked, and as it is kept
        assert main(["status", "--results", str(site.results)]) == 0
        told = capsys.readouterr().out
        lines = {line.split()[-1 if "a-" not in line else 0]: line.split() for line in told.splitlines() if line}
        assert "cluster" in told.splitlines()[0].split()
        found = [next(line for line in told.splitlines() if run_id in line) for run_id in RUNS]
        assert ["lab" in found[0].split(), "lab" in found[1].split(), "other" in found[2].split()] == [True] * 3, lines
        assert "1 run may have jobs on cluster other, which cannot be asked from here: look from there" in told
    assert main(["status", "--json", "--results", str(site.results)]) == 0
    clusters = {item["run_id"]: item.get("cluster") for item in json.loads(capsys.readouterr().out)["data"]}
    assert clusters == dict(zip(RUNS, ("lab", "lab", "other"), strict=True))


def test_cancel_says_which_runs_it_cannot_cancel_from_this_cluster(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.submitted(runs=RUNS[:1])
    site.submitted(job=9, name="sweep-2", cluster="other", runs=RUNS[1:])
    site.says("squeue", pending(count=1))
    record: dict[str, object] = {"name": "g", "grid": None, "axes": {}, "run_ids": RUNS, "choices": [[]] * 3}
    (site.results / "grids").mkdir()
    (site.results / "grids" / "g.json").write_text(json.dumps(record))
    assert main(["cancel", "g", "--results", str(site.results)]) == 1
    said = capsys.readouterr()
    assert site.calls("scancel") == ["7_[0]"]
    assert "1 of 3 runs were queued or running and are cancelled" in said.out
    assert "not cancelled: 2 runs (a-2, a-3): job 9 is on cluster other, and this machine asks lab" in said.err
    site.says("squeue", "")
    assert main(["cancel", RUNS[2], "--results", str(site.results)]) == 2  # it has no folder
    (site.results / "runs" / RUNS[2]).mkdir(parents=True)
    assert main(["cancel", RUNS[2], "--results", str(site.results)]) == 1
    assert "nothing is cancelled: none of 1 run is queued or running on this cluster" in capsys.readouterr().out
