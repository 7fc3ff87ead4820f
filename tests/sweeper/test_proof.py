"""What a proof says of what it measured; tests/verl/test_proof.py makes a whole one."""

import math
import os
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.host import machine
from sweeper.host.errors import ConfigError, RunFailedError
from sweeper.host.machine import Device
from sweeper.oversight import probe
from sweeper.oversight.check import Verdict
from sweeper.oversight.proof import stack_tier, torch_tier
from sweeper.oversight.proof.learning import learning
from sweeper.oversight.proof.line import Bounds, Line, judged, near, told
from sweeper.oversight.proof.made_run import difference, metrics, series, typical
from sweeper.oversight.proof.page import page, text
from sweeper.oversight.proof.proof import Proof, Tier
from sweeper.oversight.proof.stack_tier import files_left
from sweeper.oversight.proof.trial import Trial, gpu_type
from sweeper.rows.counts import read_counts
from sweeper.rows.curve import read_curve
from tests.sweeper.test_doctor import GOOD

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "gpu-proof.md"
LOGGED = REPOSITORY / "tests" / "golden" / "sources" / "tiny-130k_s0.jsonl"  # of a real run

COUNTS = REPOSITORY / "tests" / "golden" / "folders" / "sft_share" / "rows"
RUN = "tiny-40k_grpo_uniform_n64_s1-2999fcebee97"


def wrong(line: Line) -> bool:
    return line.verdict is Verdict.wrong


def trial(folder: Path, *, gpu: str | None = None) -> Trial:
    scratch = folder / "scratch"
    scratch.mkdir()
    device = Device.cpu if gpu is None else Device.cuda
    return Trial(device=device, name=gpu or "a processor", gpu=gpu, folder=folder, scratch=scratch)


def test_without_a_gpu_the_proof_says_so_in_one_line_and_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert main(["prove", f"--out={tmp_path / 'out'}", f"--page={tmp_path / 'page.md'}"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: no GPU is here")
    asked = "srun --gpus=1 --cpus-per-task=16 python -m sweeper prove"  # with SLURM's one CPU a run would be refused
    assert asked in err
    assert asked in page(None)
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page_of = tmp_path / "none" / "page.md"
    assert main(["prove", f"--out={tmp_path / 'out'}", f"--page={page_of}"]) == 2
    assert f"--page {page_of}: there is no folder {page_of.parent}; make it first" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("NVIDIA H200", "H200"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA A100-SXM4-80GB", "A100"),
        ("NVIDIA GeForce RTX 4090", None),
    ],
)
def test_a_gpu_is_known_by_its_vendors_name(name: str, kind: str | None) -> None:
    assert gpu_type(name) == kind


@pytest.fixture
def two_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose driver lists a slow GPU first, and whose CUDA the fast one; its memory in use is its MiB."""
    monkeypatch.setattr(machine, "DEVICES", tmp_path)
    for number in range(2):
        (tmp_path / f"nvidia{number}").touch()
    (tmp_path / "torch.py").write_text(
        "import os, types\n"
        "gpus = [('NVIDIA H200', 'fa57'), ('NVIDIA A100-SXM4-80GB', '510e')]\n"
        "name, uuid = gpus[int(os.environ['CUDA_VISIBLE_DEVICES'])]\n"
        "gpu = types.SimpleNamespace(name=name, uuid=uuid)\n"
        "cuda = types.SimpleNamespace(get_device_properties=[gpu].__getitem__)\n"
    )
    smi = tmp_path / "nvidia-smi"
    smi.write_text(
        "#!/bin/sh\ncase $1 in\n"
        "  -L) printf 'GPU 0: slow (UUID: GPU-510e)\\nGPU 1: fast (UUID: GPU-fa57)\\n' ;;\n"
        "  --id=GPU-510e | --id=0) echo 100 ;;\n  --id=GPU-fa57 | --id=1) echo 200 ;;\n"
        "  *) echo 'No devices were found'; exit 6 ;;\nesac\n"
    )
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("said", "name", "gpu", "mib"), [(None, "H200", "H200", 200), ("1", "A100", "A100", 100)])
def test_name_and_memory_are_those_of_the_gpu_that_cuda_computes_on(
    said: str | None, name: str, gpu: str, mib: int, two_gpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if said is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", said)
    here = Trial.here(two_gpus, two_gpus, small=False)
    assert name in here.name
    assert (here.gpu, here.memory_in_use()) == (gpu, mib * 2**20)


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("torch.py", "raise RuntimeError('no kernel image')", "CUDA cannot use GPU 0: RuntimeError: no kernel image"),
        ("nvidia-smi", "#!/bin/sh\n[ $1 = -L ] && echo GPU 0 || exit 6\n", "does not tell the memory of GPU-fa57"),
        ("nvidia-smi", "#!/bin/sh\nexit 0\n", "no GPU is here"),
    ],
)
def test_a_gpu_that_cannot_be_asked_is_refused_before_anything_is_measured(
    file: str, text: str, why: str, two_gpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (two_gpus / file).write_text(text)
    with pytest.raises(ConfigError, match=why):
        Trial.here(two_gpus, two_gpus, small=False)


def test_a_stack_without_vllm_is_told_as_wrong_and_no_run_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def look(*, gpu: bool, held: Path | None) -> probe.Finding:
        asked.append((gpu, held))
        return probe.Finding(**GOOD | {"broken": {"vllm": "no such module"}})  # type: ignore[arg-type]

    def run_child(command: list[str], *, log: Path, **_: object) -> None:
        monkeypatch.setattr(sys, "argv", command[2:])
        with log.open("w") as file, redirect_stdout(file):
            probe.main()

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(probe, "probe", look)
    monkeypatch.setattr(stack_tier, "run_child", run_child)
    (line,) = stack_tier.prove(trial(tmp_path, gpu="H200"), seconds=0)
    assert asked == [(True, None)]
    assert wrong(line)
    assert "no such module" in line.note


def test_make_gpu_proof_without_a_gpu_fails_and_leaves_the_page(tmp_path: Path) -> None:
    before = PAGE.read_text()
    env = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(["make", "gpu-proof"], capture_output=True, text=True, cwd=REPOSITORY, env=env)
    assert done.returncode != 0
    assert "no GPU is here" in done.stderr
    assert PAGE.read_text() == before


def test_make_gpu_proof_without_an_environment_names_the_command_that_makes_one() -> None:
    done = subprocess.run(["make", "gpu-proof", "VENV=/nowhere"], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == "no environment in /nowhere: make setup-gpu"


def test_the_page_of_the_repository_is_that_of_its_figures() -> None:
    figures = PAGE.with_suffix(".json")
    assert PAGE.read_text() == page(Proof.read(figures.read_text()) if figures.exists() else None)


def test_a_page_of_no_proof_says_so_in_its_first_line_and_one_of_a_proof_what_came_of_it() -> None:
    assert page(None).splitlines()[0] == "# GPU proof: not run yet"
    lines = (near("peak", "GiB", 26.1, 25.0, whose="the plan's", share=0.2), told("startup", "s", 31.0))
    lines = (*lines, judged("reward", "", 0.01, Bounds(least=0.02), note="it did not learn"))
    proof = Proof(
        device="NVIDIA H200",
        is_small=False,
        began="2026-12-01T10:00:00+00:00",
        commit="abc",
        versions={"torch": "2.11.0"},
        tiers=(Tier(number=1, seconds=240.0, lines=lines),),
    )
    assert Proof.read(proof.to_json()) == proof
    written = page(proof)
    assert written.splitlines()[0] == "# GPU proof: run on NVIDIA H200, 2026-12-01: 1 ok, 1 wrong, 0 unknown"
    for said in ("4m00s", "| ok", "26.1 GiB", "25 GiB", "the plan's", "31 s", "it did not learn", "torch 2.11.0"):
        assert said in written
    assert "wrong" in text(proof)


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [(8.0, "ok"), (12.0, "ok"), (7.9, "wrong"), (12.1, "wrong"), (math.nan, "wrong"), (None, "unknown")],
)
def test_a_figure_is_right_within_its_share_of_the_plans(measured: float | None, verdict: str) -> None:
    assert near("peak", "GiB", measured, 10.0, whose="the plan's", share=0.2).verdict == verdict


def test_what_cannot_be_judged_is_unknown_and_not_right() -> None:
    assert near("peak", "GiB", 5.0, None, whose="the plan's", share=0.2).verdict is Verdict.unknown
    assert told("startup", "s", None).verdict is Verdict.unknown
    assert told("startup", "s", 3.0).verdict is None


def test_a_model_that_solves_more_has_learned_and_one_that_solves_less_or_as_much_has_not() -> None:
    before, after = (read_counts(COUNTS / f"{RUN}.{kind}.jsonl") for kind in ("base_problems", "problems"))
    better = [replace(item, c=min(item.n, item.c + item.n // 4)) for item in before]
    assert learning(before, better, steps=20).verdict is Verdict.ok
    assert wrong(learning(better, before, steps=20))
    assert wrong(learning(before, after, steps=20))  # a real run of a few steps that learned nothing
    assert learning(before, better, steps=8).verdict is Verdict.unknown
    assert learning([], [], steps=20).verdict is Verdict.unknown


def test_an_engine_with_other_weights_than_the_actors_is_wrong_whichever_step_shows_it() -> None:
    same = [point for point in read_curve([LOGGED]) if point.probs_diff is not None]
    assert len(same) == 8
    assert difference("a run", same).verdict is Verdict.ok
    for value in (0.05, math.nan):
        assert wrong(difference("a run", [same[0], replace(same[1], probs_diff=value), *same[2:]]))
    assert difference("a run", []).verdict is Verdict.unknown


def test_a_temporary_file_that_stays_is_wrong_and_a_cache_is_not(tmp_path: Path) -> None:
    here = trial(tmp_path)
    for name in ("ckpt_0a1b2c3d.lock", "torchinductor_root"):
        (here.scratch / name).touch()
    assert files_left(here).verdict is Verdict.ok
    (here.scratch / "rl-abcdefgh").mkdir()
    left = files_left(here)
    assert wrong(left)
    assert left.note == "rl-abcdefgh"


def test_a_pace_is_the_median_without_the_first_step() -> None:
    values = series(metrics(LOGGED), "perf/throughput")
    assert typical([0.0, *values[1:]]) == typical(values)
    assert typical(values[:1]) is None


@pytest.fixture(scope="module")
def tier_1(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    return list(torch_tier.prove(trial(tmp_path_factory.mktemp("proof")), seconds=120))


def test_passes_in_miniature_hold_the_memory_that_the_planner_says(tier_1: list[Line]) -> None:
    peaks = [line for line in tier_1 if line.what.startswith("peak memory")]
    assert [line.verdict for line in peaks] == [Verdict.ok, Verdict.ok], peaks


def test_what_has_nothing_to_compare_with_on_a_processor_is_measured_all_the_same(tier_1: list[Line]) -> None:
    rest = [line for line in tier_1 if not line.what.startswith("peak memory")]
    assert len(rest) == 6
    assert all(line.measured is not None and line.measured > 0 for line in rest)
    assert not any(map(wrong, rest))


def test_a_tier_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(RunFailedError, match="it took longer than 0 s"):
        list(torch_tier.prove(trial(tmp_path), seconds=0))


def test_gradients_written_over_the_logits_are_those_of_a_log_softmax() -> None:
    import torch

    from sweeper.oversight.proof.passes import LabelLogProbs

    torch.manual_seed(0)
    labels, weights = torch.randint(50, (600,)), torch.randn(600)
    found = []
    for ours in (True, False):
        leaf = torch.randn(600, 50, generator=torch.Generator().manual_seed(1)).requires_grad_()
        logits = leaf * 2
        if ours:
            value = LabelLogProbs.apply(logits, labels)
        else:
            value = torch.log_softmax(logits, -1).gather(1, labels[:, None]).squeeze(1)
        (value * weights).sum().backward()
        found.append((value.detach(), leaf.grad))
    torch.testing.assert_close(found[0][0], found[1][0])
    torch.testing.assert_close(found[0][1], found[1][1])
