"""The trained model of a run as a folder: opened with transformers, it computes what the run's evaluation did."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from analysis.row_laws.final import Axis, fit_laws
from analysis.row_laws.power_law import PowerLaw
from analysis.runs.selection import select
from rewards.program import EXIT_FAILED, EXIT_OK, EXIT_USAGE, run_main
from rewards.terminal import CONTROL
from sweeper.generation import Prompt, Sampling
from sweeper.generation.cpu import CpuEngine
from sweeper.host.errors import ConfigError, DamagedError, ResultsError
from sweeper.oversight import model_folder
from sweeper.oversight.model_card import _law, _start
from sweeper.oversight.model_folder import export
from sweeper.rows.grid_file import Member, Membership
from sweeper.rows.row import ResultRow, base_problems_path, problems_path, row_path
from sweeper.runs.folder import RunDir
from sweeper.spec.run_id import RunId
from sweeper.training import checkpoint
from tests.analysis.synthetic_rows import SIZES, write_grid
from tests.sweeper.kept_run import kept_run

PROMPT = [5, 17, 99, 4]


def trained(results: Path, model: Path, *overrides: str) -> tuple[RunDir, Path]:
    """A finished run whose last checkpoint has these weights, as verl leaves them; and its policy's folder."""
    run = kept_run(results, *overrides)
    actor = checkpoint.policy(run.checkpoints, run.spec().total_steps)
    shutil.copytree(model, checkpoint.weights(actor))
    config = checkpoint.weights(actor) / "config.json"
    values = json.loads(config.read_text())
    # As verl writes it: weights in float32 beside the type that rollouts have, and where the base model lay.
    config.write_text(json.dumps(values | {"dtype": "bfloat16", "_name_or_path": str(results / "models" / "x")}))
    return run, actor


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> tuple[RunDir, Path]:
    return trained(tmp_path_factory.mktemp("results"), tiny_model)


@pytest.fixture(scope="module")
def folder(run: tuple[RunDir, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("to") / "model"
    assert (
        run_main(
            "sweeper.cli.main",
            ["export", run[0].run_id[-8:], "--to", str(to), "--results", str(run[0].results_dir)],
        )
        == EXIT_OK
    )
    return to


def opened(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"]
    return model.eval()


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return torch.as_tensor(model(torch.tensor([PROMPT])).logits)


def test_transformers_computes_the_tokens_that_the_runs_own_evaluation_drew(
    folder: Path, run: tuple[RunDir, Path]
) -> None:
    engine = CpuEngine.load(checkpoint.weights(run[1]), pad_id=0, seed=0)
    asked = iter([[(0, Prompt(token_ids=PROMPT))], []])
    ((((_, (sample,))),),) = engine.answers(
        lambda _: next(asked, []), n=1, sampling=Sampling(temperature=0.0, max_tokens=12)
    )
    model = opened(folder)
    answer = model.generate(torch.tensor([PROMPT]), max_new_tokens=12, do_sample=False)
    assert model.dtype == torch.float32
    assert answer[0, len(PROMPT) :].tolist() == list(sample.token_ids)


def test_tokenizer_and_chat_template_come_with_it(folder: Path, run: tuple[RunDir, Path]) -> None:
    from transformers import AutoTokenizer

    chat = [{"role": "user", "content": "1+1=?"}]
    own, kept = (AutoTokenizer.from_pretrained(place) for place in (folder, checkpoint.weights(run[1])))
    assert own.apply_chat_template(chat, tokenize=False) == kept.apply_chat_template(chat, tokenize=False)
    assert (folder / "generation_config.json").exists()


def test_the_card_says_what_it_is_made_of_what_it_solves_and_how_to_serve_it(
    folder: Path, run: tuple[RunDir, Path]
) -> None:
    text = (folder / "README.md").read_text()
    for said in (
        f"run `{run[0].run_id}`",
        "vllm serve ./model",
        "AutoModelForCausalLM.from_pretrained(folder)",
        "| base model | tiny-130k, made here from random weights",
        "| reward | scorers of suite 2 |",
        "| GPU-hours of training | none: on CPU |",
        "| verl | 0.9.1 |",
        "64 problems",
        "by domain logic 32, math 32",
        "No law of size has been fitted",
    ):
        assert said in text
    # 4 of 4 on every other problem, and 3 of 4 on all but one.
    assert "| pass@1 | 0.500 [" in text
    assert "] | 0.625 [" in text


def of_grid(results: Path, models: dict[str, int]) -> tuple[RunDir, ResultRow]:
    """A run in a grid with others of these sizes."""
    run = kept_run(results)
    others = write_grid(results, models=models, scales=(64,), grid="others")
    (results / "grids" / "others.json").unlink()
    members = tuple(Member(run_id=RunId(run_id), choice=(run_id,)) for run_id in (run.run_id, *others))
    axes = {"run": tuple(member.run_id for member in members)}
    Membership(name="g", grid=None, axes=axes, members=members).write(results)
    row = run.row()
    assert row is not None
    return run, row


def test_the_position_against_the_law_is_that_of_the_runs_of_its_grid(tmp_path: Path) -> None:
    """A real process: that of the law."""
    run, row = of_grid(tmp_path, SIZES)
    said = _law(run, row)
    law = next(law for law in fit_laws(select(tmp_path, "g").completed) if law.axis is Axis.size)
    assert isinstance(law.result, PowerLaw)
    expected = law.result.predict(row.n_params_non_embedding)
    assert f"law of size of the grid g ({len(SIZES) + 1} runs of {law.result.n_clusters} base models, " in said
    assert f"{law.result.n_levels} sizes, with an interval over base models" in said
    assert f"alpha {law.result.alpha:.3f} [{law.result.alpha_low:.3f}, {law.result.alpha_high:.3f}]" in said
    assert f"an error (1 - pass@1) of {expected:.3f} is expected at this size, 0.375 was measured" in said


def test_a_card_says_how_many_rows_its_law_lacks_and_which(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = of_grid(tmp_path, SIZES)
    weights = checkpoint.weights(checkpoint.policy(run.checkpoints, run.spec().total_steps))
    shutil.copytree(tiny_model, weights)
    other = next(path for path in sorted((tmp_path / "rows").glob("*.json")) if path.stem != run.run_id)
    other.write_text("{")
    words = ["export", run.run_id, "--to", str(tmp_path / "model"), "--results", str(tmp_path)]
    assert run_main("sweeper.cli.main", words) == EXIT_FAILED
    assert f"{other} is damaged: " in capsys.readouterr().err
    card = (tmp_path / "model" / "README.md").read_text()
    (law,) = (line for line in card.splitlines() if "law of size" in line.lower())
    assert f", without 1 whose row is damaged: `{other.stem}`" in law


def test_a_grid_without_a_law_is_said_to_have_none_and_why(tmp_path: Path) -> None:
    run, row = of_grid(tmp_path, {"tiny-40k": 27_000})
    assert _law(run, row).startswith("No law of size has been fitted to a grid that this run belongs to (g: ")


def test_no_file_names_a_place_of_this_machine(folder: Path, run: tuple[RunDir, Path]) -> None:
    for path in folder.iterdir():
        assert str(run[0].results_dir).encode() not in path.read_bytes()
    assert "_name_or_path" not in json.loads((folder / "config.json").read_text())


def test_adapters_are_merged_into_the_base(tmp_path: Path, tiny_model: Path) -> None:
    from safetensors.torch import load_file, save_file

    run, actor = trained(tmp_path, tiny_model, "algorithm.lora.rank=4")
    file = checkpoint.weights(actor) / "model.safetensors"
    plain, adapted, by_hand = load_file(file), {}, opened(tiny_model).float()
    weights = by_hand.state_dict()
    torch.manual_seed(0)
    for name, value in plain.items():
        key = f"base_model.model.{name}"
        if not name.endswith("q_proj.weight"):
            adapted[key] = value
            continue
        module = key.removesuffix(".weight")
        adapted[f"{module}.base_layer.weight"] = value
        adapted[f"{module}.lora_A.default.weight"] = torch.randn(4, value.shape[1])
        adapted[f"{module}.lora_B.default.weight"] = torch.randn(value.shape[0], 4)
        down, up = (adapted[f"{module}.lora_{side}.default.weight"] for side in "AB")
        weights[name].copy_(value + 8 / 4 * (up @ down))
    save_file(adapted, file, metadata={"format": "pt"})
    (actor / "lora_train_meta.json").write_text('{"r": 4, "lora_alpha": 8, "task_type": "CAUSAL_LM"}')
    for path in (problems_path, base_problems_path):
        path(tmp_path, run.run_id).unlink()
    to = tmp_path / "exported"
    export(run, to)
    model = opened(to)
    assert torch.equal(logits(model), logits(by_hand))
    assert not torch.allclose(logits(model), logits(opened(tiny_model).float()))
    assert not checkpoint.merged_weights(actor).exists()  # the run's folder is as it was
    card = (to / "README.md").read_text()
    assert "low-rank adapters merged" in card
    assert "counts of this run are not here any more" in card
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_a_folder_that_holds_something_is_never_overwritten(run: tuple[RunDir, Path], tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    for to in (tmp_path, tmp_path / "mine"):
        with pytest.raises(ConfigError, match="something is there already, and is never overwritten"):
            export(run[0], to)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a\x1b[31mb", "control characters"),
        ("a\nb", "control characters"),
        ("runs/mine", "among the runs or rows"),
        ("rows/../rows/x/y", "among the runs or rows"),
    ],
)
def test_a_name_with_control_characters_and_a_place_of_runs_are_refused(
    name: str, said: str, run: tuple[RunDir, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_folder, "make_once", lambda *_, **__: pytest.fail("it was made"))
    with pytest.raises(ConfigError, match=said) as refused:
        export(run[0], run[0].results_dir / name)
    assert CONTROL.search(str(refused.value)) is None


def test_the_lines_that_serve_it_are_quoted_for_a_shell_and_for_python() -> None:
    said = _start('my $(x) "m"')
    assert "vllm serve './my $(x) \"m\"'\n" in said
    assert 'folder = "my $(x) \\"m\\""\n' in said


def test_the_printed_line_that_serves_it_is_quoted(
    run: tuple[RunDir, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "a;b $(c)"
    monkeypatch.setattr(model_folder, "export", lambda _, to: to.mkdir())
    assert (
        run_main("sweeper.cli.main", ["export", run[0].run_id, "--to", str(to), "--results", str(run[0].results_dir)])
        == EXIT_OK
    )
    assert f"vllm serve '{to}'" in capsys.readouterr().out


def test_an_export_that_fails_leaves_nothing(
    run: tuple[RunDir, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_folder, "card", lambda *_: f"made in {run[0].results_dir}")
    with pytest.raises(ResultsError, match=r"README\.md would name a place of this machine"):
        export(run[0], tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def cut(folder: Path) -> None:
    with (folder / "model.safetensors").open("r+b") as file:
        file.truncate(1000)


def cut_at_the_end(folder: Path) -> None:
    weights = folder / "model.safetensors"
    with weights.open("r+b") as file:
        file.truncate(weights.stat().st_size - 1)


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def without_a_tensor(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights.pop("model.norm.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def without_a_part(folder: Path) -> None:
    index = {"weight_map": {"model.norm.weight": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut, r"model\.safetensors is no safetensors file"),
        (cut_at_the_end, r"model\.safetensors is no safetensors file \(it has [\d,]+ bytes, and its header says"),
        (without("config.json"), r"config\.json is not there; restore it"),
        (without("tokenizer.json"), r"tokenizer\.json is not there; restore it"),
        (without_a_tensor, r"huggingface: its weights hold [\d,]+ parameters, and config\.json states [\d,]+"),
        (
            without_a_part,
            r"model-00002-of-00002\.safetensors is not there, and model\.safetensors\.index\.json names it",
        ),
    ],
    ids=["cut", "cut at the end", "no config", "no tokenizer", "a tensor is lost", "a part is lost"],
)
def test_a_damaged_checkpoint_is_refused_by_the_name_of_its_file(
    damage: Callable[[Path], None], said: str, run: tuple[RunDir, Path], tmp_path: Path
) -> None:
    folder, kept = checkpoint.weights(run[1]), tmp_path / "kept"
    shutil.copytree(folder, kept)
    try:
        damage(folder)
        with pytest.raises(DamagedError, match=said):
            export(run[0], tmp_path / "model")
    finally:
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_run_without_result_or_without_weights_is_not_exported(tmp_path: Path, tiny_model: Path) -> None:
    run, actor = trained(tmp_path, tiny_model)
    shutil.rmtree(checkpoint.weights(actor))
    with pytest.raises(ResultsError, match=r"weights of step .* are not in .*: were they moved, or removed"):
        export(run, tmp_path / "model")
    row_path(tmp_path, run.run_id).unlink()
    with pytest.raises(ResultsError, match="has no result yet"):
        export(run, tmp_path / "model")
    assert run_main("sweeper.cli.main", ["export", run.run_id, "--results", str(tmp_path)]) == EXIT_USAGE
