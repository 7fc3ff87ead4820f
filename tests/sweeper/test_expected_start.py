"""What `status --start` says; SLURM's programs are scripts that answer from files."""

import json
import time
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.launch.slurm.queue import Queue
from sweeper.launch.slurm.starts import reason_in_words
from sweeper.oversight.expected_start import ExpectedStarts
from sweeper.oversight.status import run_statuses
from tests.sweeper.test_queue import RUNS, Site, pending


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Three queued runs; squeue answers `--start` by a file of its own."""
    found = Site(tmp_path, monkeypatch)
    found.submitted()
    for run_id in RUNS:
        (found.results / "runs" / run_id).mkdir(parents=True)
    program = tmp_path / "bin" / "squeue"
    program.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/squeue.calls\n'
        f'case "$*" in *--start*) [ -s {tmp_path}/start.err ] && cat {tmp_path}/start.err >&2 && exit 1\n'
        f"cat {tmp_path}/start.out;; *) cat {tmp_path}/squeue.out;; esac\n"
    )
    found.says("squeue", pending())
    return found


def told(site: Site, capsys: pytest.CaptureFixture[str], *flags: str) -> list[str]:
    capsys.readouterr()
    assert main(["status", "--results", str(site.results), *flags]) == 0
    return capsys.readouterr().out.splitlines()


def test_each_queued_run_says_when_slurm_expects_it_and_what_it_waits_for(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    soon = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 2130))
    site.says(
        "start", f"7|0|{soon}|Resources\n7|1|N/A|Priority\n7|2|N/A|QOSMaxJobsPerUserLimit\n8|0|{soon}|Resources\n"
    )
    lines = [next(line for line in told(site, capsys, "--start") if run_id in line) for run_id in RUNS]
    assert f"SLURM expects it to start at {soon[:16].replace('T', ' ')} (in 35m" in lines[0]
    assert "it is next, and waits until enough nodes or GPUs are free" in lines[0]
    assert "SLURM gives no estimate: jobs of a higher priority wait before it" in lines[1]
    assert "SLURM gives no estimate: its QOS lets a user run no more jobs at once" in lines[2]
    found = json.loads("\n".join(told(site, capsys, "--start", "--json")))["data"]
    assert [item["start"]["expected"] is None for item in found] == [False, True, True]


def test_it_costs_one_question_more_by_job_ids_and_none_without_the_flag(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.says("start", "")
    told(site, capsys)
    assert len(site.calls("squeue")) == 1
    told(site, capsys, "--start")
    (_, call) = site.calls("squeue")  # the queue's own answer is still good
    words = call.split()
    assert words[words.index("-j") + 1] == "7"
    assert site.calls("sacct") == []


def test_who_looks_again_asks_no_more_often_than_the_queue_is_asked(site: Site) -> None:
    site.says("start", "7|0|N/A|Priority\n")
    expected, queue = ExpectedStarts(), Queue.ask(site.results)
    for _ in range(3):
        expected.tell(run_statuses(site.results, None, queue), queue, time.time())
    assert len(site.calls("squeue")) == 2
    again = Queue.ask(site.results)
    expected.tell(run_statuses(site.results, None, again), again, time.time())
    assert len(site.calls("squeue")) == 4


def test_nothing_is_asked_where_nothing_waits(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.says("squeue", pending(state="RUNNING"))
    told(site, capsys, "--start")
    assert len(site.calls("squeue")) == 1


def test_a_squeue_that_does_not_answer_is_told_and_costs_nothing_else(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    (site.folder / "start.err").write_text("slurm_load_jobs error: Unable to contact slurm controller\n")
    lines = [line for line in told(site, capsys, "--start") if RUNS[0] in line]
    assert "7_0 PENDING (Resources); when it starts is not known: squeue: slurm_load_jobs Unable to contact" in lines[0]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Priority", "higher priority"),
        ("Resources", "nodes or GPUs are free"),
        ("Dependency", "other jobs to end"),
        ("JobArrayTaskLimit", "elements of its array"),
        ("JobHeldUser", "held until it is released"),
        ("QOSMaxGRESPerUser", "no more GPUs at once"),
        ("QOSMaxJobsPerUserLimit", "no more jobs at once"),
        ("QOSMaxGRESPerJob", "it never starts so"),
        ("PartitionTimeLimit", "it never starts so"),
        ("MaxGRESPerAccount", "your account has as much at once"),
        ("QOSGrpGRES", "all users of its QOS together"),
        ("QOSGrpGRESMinutes", "the hours that its QOS grants"),
        ("AssocGrpGRES", "your account has as much at once"),
        ("AssocGrpCPUMinutesLimit", "hours granted to your account"),
        ("ReqNodeNotAvail, UnavailableNodes:n[1-4]", "down, drained or reserved"),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
            "down, drained",
        ),
        ("None", "not looked at it yet"),
        ("", "not looked at it yet"),
        ("SomethingNew", "SLURM calls the reason SomethingNew"),
    ],
)
def test_squeues_words_are_said_in_ours(reason: str, words: str) -> None:
    assert words in reason_in_words(reason)
