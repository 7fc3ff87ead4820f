"""How the job of an annotation ends that SLURM warns, and where it may be submitted."""

import os
import time
from pathlib import Path
from typing import Never

import pytest

from rewards.bounded_file import read_json
from sweeper.evaluation.annotation import Annotation
from sweeper.host.files import write_atomic
from sweeper.job.exit import EXIT_EXPIRED, EXIT_FAILED
from sweeper.launch.slurm import annotation as job
from sweeper.launch.slurm.array import Chunk
from sweeper.launch.slurm.scheduler import SchedulerError
from sweeper.spec.cluster import JOB_BEGAN
from tests.sweeper.points import spec

RUN = spec("cluster=slurm_cpu", "model=tiny-40k", "model.resources.hours=1")
ASKED = Annotation(spec=RUN, n=4, split="train")
NAME = f"annotate-{ASKED.name}"


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job that is warned before it has measured anything."""

    def warned(*_: object) -> Never:
        raise SystemExit(EXIT_EXPIRED)

    monkeypatch.setattr(job, "annotate", warned)
    for module, name in (("environment", "settle"), ("limits", "raise_all"), ("signal", "signal")):
        monkeypatch.setattr(f"sweeper.launch.slurm.annotation.{module}.{name}", lambda *_: None)
    monkeypatch.setattr(job, "adopt_orphans", lambda: None)
    monkeypatch.setattr(job, "open_results", lambda _: None)
    write_atomic(tmp_path / "annotations" / f"{NAME}.json", ASKED.to_json())
    return tmp_path


def test_preemptions_fail_no_annotation_however_often_they_come(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JOB_BEGAN, str(time.time()))
    assert [job.run(results, NAME) for _ in range(3)] == [EXIT_EXPIRED] * 3
    monkeypatch.setenv(JOB_BEGAN, str(time.time() - 3600))  # its hour is over
    assert [job.run(results, NAME) for _ in range(2)] == [EXIT_EXPIRED, EXIT_FAILED]
    assert "twice; raise it" in read_json(results / "annotations" / f"{NAME}.done.json")["error"]


def test_an_annotation_of_another_clusters_queue_is_not_submitted_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "squeue").write_text("#!/bin/sh\n")
    (programs / "scontrol").write_text("#!/bin/sh\necho ClusterName = here\n")
    for path in programs.iterdir():
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    chunk = Chunk(name=NAME, run_ids=(), code="x", cluster="there", user=os.getuid())
    chunk.write(tmp_path / "r", "")
    chunk.remember(tmp_path / "r", 7)
    with pytest.raises(SchedulerError, match=r"job 7 .* went to cluster there, and this machine asks here"):
        job.submitted(ASKED, tmp_path / "r", wait=False, say=lambda _: None)
