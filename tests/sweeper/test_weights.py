"""Weights of hub models: fetched once, before jobs need them, from a hub that this machine serves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeper.cli.main import main
from sweeper.host.errors import ConfigError
from sweeper.inputs import weights
from sweeper.inputs.models import absent_weights, folder_at_hand, prepare
from sweeper.inputs.weights import Weights
from sweeper.plan.view import plan_json, plan_text
from tests.sweeper.conftest import SHAPE_OVERRIDES
from tests.sweeper.hub import COMMIT, Hub, serving
from tests.sweeper.points import plan, spec
from tests.waiting import wait_until

TINY = (
    *("model=tiny-40k", "model.warm_start.steps=0", "model.source=hub", "model.path=acme/tiny"),
    *(f"model.revision={COMMIT}", *SHAPE_OVERRIDES, "data_scale=n64", "training.total_steps=3"),
)
# Its weights are fetched, and the model is left to its job: no tokenizer is loaded, which takes seconds.
WARM = (*(item for item in TINY if not item.startswith("model.warm_start")), "model.warm_start.steps=5")
ON_SLURM = ("cluster=slurm", "cluster.device=cpu")
SHARDS = ("model-1.safetensors", "model-2.safetensors")


@pytest.fixture
def hub(tiny_model: Path, tmp_path: Path) -> Iterator[Hub]:
    """The model in two files, each of some pages, beside copies of other programs."""
    folder = tmp_path / "hub"
    shutil.copytree(tiny_model, folder)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    for name in SHARDS:
        (folder / name).write_bytes(whole)
    for name in ("onnx/model.onnx", "original/consolidated.00.pth", "pytorch_model.bin", "README.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x" * 100)
    with serving(folder) as served:
        yield served


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "sweeper", *words]


def variables(hub: Hub | None, tmp_path: Path) -> dict[str, str]:
    address = hub.address if hub else "http://127.0.0.1:9"
    return {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}


def prepare_here(
    hub: Hub | None, tmp_path: Path, *more: str, settings: tuple[str, ...] = WARM
) -> "subprocess.CompletedProcess[str]":
    words = command("prepare", *settings, f"results_dir={tmp_path / 'results'}", *more)
    return subprocess.run(words, capture_output=True, text=True, env=variables(hub, tmp_path))


def begin(hub: Hub, tmp_path: Path) -> "subprocess.Popen[str]":
    words = command("prepare", *WARM, *ON_SLURM, f"results_dir={tmp_path / 'results'}")
    env = variables(hub, tmp_path)
    # A shell's background jobs ignore Ctrl-C, and so does what they start.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    finally:
        signal.signal(signal.SIGINT, heard)


def test_prepare_fetches_what_models_need_once_and_makes_them_and_the_data(hub: Hub, tmp_path: Path) -> None:
    results, folder = tmp_path / "results", tmp_path / "results" / "weights" / f"acme--tiny@{COMMIT}"
    styles = "model.prompt_style=model,base"
    done = prepare_here(hub, tmp_path, styles, *ON_SLURM, "--json", settings=TINY)
    assert done.returncode == 0, done.stderr
    [listed] = json.loads(done.stdout)["data"]
    assert listed == {"repository": "acme/tiny", "revision": COMMIT, "folder": str(folder)}
    fetched = {path.name for path in folder.iterdir()}
    assert {*SHARDS, "config.json", "tokenizer_config.json"} <= fetched
    assert not {"onnx", "original", "pytorch_model.bin", "README.md", ".cache"} & fetched
    assert re.search(r"fetching acme/tiny: [\d.]+ \wB in \d+ files\n", done.stderr)
    made = [folder_at_hand(spec(*TINY, f"model.prompt_style={style}").model, results) for style in ("model", "base")]
    assert len(set(made)) == 2
    for model in made:
        assert model is not None
        assert (model / SHARDS[0]).samefile(folder / SHARDS[0])
        assert not (model / "config.json").samefile(folder / "config.json")
    assert list((results / "data").iterdir())
    before = dict(hub.begun)
    assert set(before.values()) == {1}
    again = prepare_here(hub, tmp_path, *ON_SLURM)
    assert again.returncode == 0, again.stderr
    assert dict(hub.begun) == before


def test_a_model_that_is_warm_started_is_left_to_its_job_once_its_weights_are_here(hub: Hub, tmp_path: Path) -> None:
    done = prepare_here(hub, tmp_path, *ON_SLURM)
    assert done.returncode == 0, done.stderr
    assert absent_weights(spec(*WARM).model, tmp_path / "results") is None
    assert folder_at_hand(spec(*WARM).model, tmp_path / "results") is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_is_interrupted_in_the_middle_goes_on_with_the_files_that_are_not_whole(
    hub: Hub, tmp_path: Path, number: signal.Signals
) -> None:
    hub.held.add(SHARDS[1])
    process = begin(hub, tmp_path)
    assert wait_until(lambda: hub.begun[SHARDS[1]] == 1 and hub.sent[SHARDS[0]] == 1, 60)
    partial = Weights.of(spec(*TINY).model, tmp_path / "results")
    assert partial is not None
    assert wait_until(lambda: (partial.partial / SHARDS[0]).is_file(), 30)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if number is signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in said
    assert not partial.are_here
    assert partial.bytes_here > 0
    hub.held.clear()
    done = prepare_here(hub, tmp_path, *ON_SLURM)
    assert done.returncode == 0, done.stderr
    assert " of them here" in done.stdout
    assert hub.begun[SHARDS[0]] == 1
    assert hub.begun[SHARDS[1]] == 2
    assert partial.are_here
    assert not list((tmp_path / "results" / "weights").glob(".*.partial"))
    assert (partial.folder / SHARDS[1]).read_bytes() == (hub.folder / SHARDS[1]).read_bytes()


def test_two_that_fetch_the_same_at_once_fetch_it_once(hub: Hub, tmp_path: Path) -> None:
    hub.held.add(SHARDS[1])
    both = [begin(hub, tmp_path)]
    assert wait_until(lambda: hub.begun[SHARDS[1]] == 1, 60)
    both.append(begin(hub, tmp_path))
    hub.held.clear()
    for process in both:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert set(hub.begun.values()) == {1}


def test_a_disk_without_room_is_refused_before_a_byte_is_fetched(hub: Hub, tmp_path: Path) -> None:
    wanted = Weights(repository="acme/tiny", revision=COMMIT, folder=tmp_path / "weights" / "acme--tiny")
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(ConfigError, match=r"weights of acme/tiny need .* more below .*weights, where .* are free"):
        weights._refuse_a_full_disk({wanted: {"model.safetensors": 2 * free}})
    weights._refuse_a_full_disk({wanted: {"model.safetensors": 1}})
    assert not wanted.folder.parent.exists()


def test_a_model_that_the_hub_does_not_have_is_refused_in_one_line(hub: Hub, tmp_path: Path) -> None:
    others = [item.replace("acme/tiny", "acme/none") for item in WARM]
    words = command("prepare", *others, *ON_SLURM, f"results_dir={tmp_path / 'results'}")
    done = subprocess.run(words, capture_output=True, text=True, env=variables(hub, tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: the hub has no acme/none at {COMMIT} for you")
    assert done.stderr.count("\n") == 1


def test_a_gated_model_is_refused_with_how_to_log_in(hub: Hub, tmp_path: Path) -> None:
    hub.is_gated = True
    done = prepare_here(hub, tmp_path, *ON_SLURM)
    assert done.returncode == 2
    assert done.stderr == (
        "error: acme/tiny is gated: log in (hf auth login, or HF_TOKEN in cluster.secrets_file), once its owners let "
        "you in\n"
    )


def test_a_launch_to_slurm_fetches_first_and_where_it_cannot_names_the_command_that_does(
    hub: Hub, tmp_path: Path
) -> None:
    words = command(*WARM, *ON_SLURM, f"results_dir={tmp_path / 'results'}")
    done = subprocess.run(words, capture_output=True, text=True, env=variables(None, tmp_path))
    assert done.returncode == 2
    assert f"the hub cannot be asked for acme/tiny at {COMMIT}" in done.stderr
    assert "python -m sweeper prepare" in done.stderr
    assert not (tmp_path / "results" / "slurm").exists()
    assert not (tmp_path / "results" / "runs").exists()
    # No SLURM answers here, so that nothing is submitted; the weights came before.
    subprocess.run(words, capture_output=True, text=True, env=variables(hub, tmp_path))
    assert absent_weights(spec(*TINY).model, tmp_path / "results") is None


def test_a_job_of_slurms_fetches_nothing_and_a_run_here_does(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"acme/tiny is not in .* fetch nothing: run python -m sweeper prepare"):
        prepare(spec(*TINY, *ON_SLURM), tmp_path, log=tmp_path / "log")
    assert not hub.begun
    monkeypatch.setattr("huggingface_hub.hf_api.ENDPOINT", hub.address, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.address)
    for name, value in variables(hub, tmp_path).items():
        monkeypatch.setenv(name, value)
    made = prepare(spec(*TINY), tmp_path, log=tmp_path / "log")
    assert (made.path / "config.json").is_file()
    assert prepare(spec(*TINY, *ON_SLURM), tmp_path, log=tmp_path / "log").path == made.path


def test_a_plan_says_how_much_is_to_be_fetched_and_what_is_here(hub: Hub, tmp_path: Path) -> None:
    results = tmp_path / "results"
    asked = plan(results, *WARM, "seed=0,1")
    size = 2 * spec(*WARM).model.architecture.n_params
    assert f"weights: about {size / 1e3:.0f} kB to fetch for 1 model of 1 (acme/tiny)\n" in plan_text(asked)
    [look] = plan_json(asked, overrides=None)["weights"]
    assert look == {"repository": "acme/tiny", "revision": COMMIT, "is_here": False, "bytes_to_fetch": size}
    assert not results.exists()
    assert not hub.begun
    assert prepare_here(hub, tmp_path, "seed=0,1").returncode == 0
    [look] = plan_json(plan(results, *WARM, "seed=0,1"), overrides=None)["weights"]
    assert (look["is_here"], look["bytes_to_fetch"]) == (True, 0)
    assert "weights: all 1 are here\n" in plan_text(plan(results, *WARM, "seed=0,1"))
    assert plan_json(plan(results, "model=tiny-40k", "seed=0,1"), overrides=None)["weights"] == []


def test_exported_scripts_come_with_the_command_that_fetches_what_they_lack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export-sbatch", *TINY, *ON_SLURM, f"results_dir={tmp_path}"]) == 0
    said = capsys.readouterr().err
    assert f"acme/tiny: not in {tmp_path} yet, and jobs fetch nothing; first run: python -m sweeper prepare " in said
    assert "model.path=acme/tiny" in said
