"""New models from their config.json; the command runs on a copy of `conf/`."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeper.cli.main import main
from sweeper.host.errors import ConfigError
from sweeper.inputs.add_model import Found, architecture, find, settings_of
from tests.sweeper.called import called as sweeper

# config.json of published models, shortened, and the parameter counts of their weights.
LLAMA_1B = {
    "model_type": "llama",
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "hidden_act": "silu",
    "vocab_size": 128256,
    "tie_word_embeddings": True,
    "max_position_embeddings": 131072,
}
QWEN3_06B = {
    "model_type": "qwen3",
    "hidden_size": 1024,
    "intermediate_size": 3072,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "hidden_act": "silu",
    "attention_bias": False,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
    "max_position_embeddings": 40960,
}
QWEN3_30B_A3B = QWEN3_06B | {
    "model_type": "qwen3_moe",
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "num_hidden_layers": 48,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 768,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "tie_word_embeddings": False,
}


@pytest.mark.parametrize(
    ("config", "published"),
    [(LLAMA_1B, 1_235_814_400), (QWEN3_06B, 596_049_920), (QWEN3_30B_A3B, 30_532_122_624)],
)
def test_other_families_have_their_published_parameter_counts(config: dict[str, Any], published: int) -> None:
    assert architecture(config).n_params == published


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_type": "gpt2"}, "model_type=gpt2 is not supported; supported are qwen2"),
        ({"quantization_config": {"bits": 4}}, "weights are quantised"),
        ({"hidden_act": "gelu"}, "SwiGLU"),
        ({"attention_bias": True}, "biases"),
        ({"mlp_only_layers": [0]}, "dense and expert layers"),
    ],
)
def test_what_our_formulas_do_not_describe_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        architecture(LLAMA_1B | change)


def test_weights_that_have_other_parameters_than_the_shape_are_refused() -> None:
    found = Found(config=LLAMA_1B, path="x/y", revision=None, n_params=1_235_814_401, has_template=True)
    with pytest.raises(ConfigError, match="gives 1,235,814,400 parameters, but its weights have 1,235,814,401"):
        settings_of(found, name="y", family="qwen2.5")


def test_a_base_model_without_a_template_gets_the_style_of_base_models() -> None:
    found = Found(config=LLAMA_1B, path="x/y", revision="abc", n_params=None, has_template=False)
    written = settings_of(found, name="y", family="qwen2.5")
    assert written["prompt_style"] == "base"
    assert written["revision"] == "abc"


def test_a_folder_that_is_not_there_is_not_asked_of_the_hub() -> None:
    with pytest.raises(ConfigError, match="there is no such folder"):
        find("/no/such/folder")


def test_a_hub_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        ConfigError,
        match=r"the hub gave no such model .* Give the path of a folder .* or a hub id, OWNER/NAME \(its commit",
    ):
        find("nobody/no-such-model")


SMALL = LLAMA_1B | {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": None}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's project, which is the current folder."""
    assert main(["init", str(tmp_path / "project"), "--json"]) == 0
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def folder_of(where: Path, config: object = SMALL, **files: bytes) -> Path:
    """A model's folder: config.json, a tokenizer with a template, and further files, `__` for their dots."""
    where.mkdir(exist_ok=True)
    text = config if isinstance(config, bytes) else json.dumps(config).encode()
    (where / "config.json").write_bytes(text)
    (where / "tokenizer_config.json").write_text('{"chat_template": "x"}')
    for name, content in files.items():
        (where / name.replace("__", ".")).write_bytes(content)
    return where


WRONG_CONFIGS: dict[str, tuple[object, str]] = {
    "cut off": (b'{"model_type": "qwen2", ', "config.json is not JSON"),
    "empty": (b"", "config.json is not JSON"),
    "not text": (b'{"x": "\xff"}', "config.json is not JSON"),
    "too deep": (b"[" * 100_000, "config.json is not JSON"),
    "a pointer": (
        POINTER,
        "config.json is not JSON: Expecting value: line 1 column 1 (char 0): it is a git-lfs pointer; ",
    ),
    "a list": ([], "config.json holds a list, not an object"),
    "another kind": (LLAMA_1B | {"model_type": "gpt2"}, "model_type=gpt2 is not supported"),
    "no kind": ({}, "model_type=None is not supported"),
    "null": (LLAMA_1B | {"hidden_size": None}, "config.json: it states no whole number above 0 for hidden_size"),
    "no heads": (LLAMA_1B | {"num_attention_heads": 0}, "no whole number above 0 for num_attention_heads"),
    "negative": (LLAMA_1B | {"num_hidden_layers": -2}, "no whole number above 0 for num_hidden_layers"),
    "text": (LLAMA_1B | {"vocab_size": "512"}, "no whole number above 0 for vocab_size"),
    "a fraction": (LLAMA_1B | {"vocab_size": 512.5}, "no whole number above 0 for vocab_size"),
    "true": (LLAMA_1B | {"vocab_size": True}, "no whole number above 0 for vocab_size"),
    "endless": (LLAMA_1B | {"intermediate_size": 10**400}, "no whole number above 0 for intermediate_size"),
    "negative groups": (LLAMA_1B | {"num_key_value_heads": -1}, "num_key_value_heads=-1 is no whole number above 0"),
    "odd groups": (LLAMA_1B | {"num_key_value_heads": 5}, "num_attention_heads=32 is no multiple of"),
    "odd heads": (SMALL | {"num_attention_heads": 6}, "does not divide hidden_size=64"),
    "too large": (LLAMA_1B | {"num_hidden_layers": 999_999}, "no number of H100 GPUs holds its training"),
}


@pytest.mark.parametrize("case", WRONG_CONFIGS)
def test_a_config_that_describes_no_model_is_refused_in_one_line(
    case: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, reason = WRONG_CONFIGS[case]
    refused(["add-model", str(folder_of(project / "m", config))], reason, project, capsys)


def refused(words: list[str], reason: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(words) == 2
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1
    assert not list(project.glob("conf/model/*"))


@pytest.mark.parametrize(
    ("weights", "reason"),
    [
        (POINTER, "model.safetensors is no safetensors file: it is a git-lfs pointer; run: git lfs pull"),
        (b"", "is no safetensors file (its header is cut off): fetch it again"),
        (b'\x10\0\0\0\0\0\0\0{"a": nope         ', "is no safetensors file (Expecting value"),
        (b'\x11\0\0\0\0\0\0\0{"a": {"b": [1]}} ', "is no safetensors file ('shape'): fetch it again"),
        (b'\x0a\0\0\0\0\0\0\0{"a": [1]} ', "is no safetensors file (list indices"),
    ],
)
def test_weights_that_are_none_are_refused_in_one_line(
    weights: bytes, reason: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(project / "m", model__safetensors=weights)
    refused(["add-model", str(folder)], reason, project, capsys)


@pytest.mark.parametrize(
    "name", ["123", "null", "true", "1e5", "off", ".nan", "has space", "Ünï", "a=b", "a,b", "-a", "${x}"]
)
def test_a_folder_whose_name_is_no_models_name_needs_one(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(project / name)
    refused(["add-model", str(folder), "--family", "tiny"], "cannot be a model's name", project, capsys)


@pytest.mark.parametrize("name", ["", "../evil", "a/b", "A", "null", "x" * 81])
def test_a_given_name_obeys_the_same_rules(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["add-model", str(folder_of(project / "m")), "--name", name]
    refused(words, f"{name!r} cannot be a model's name", project, capsys)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["m", "--family", "gpt"], "--family gpt: there is no such model_family; choose one of guru-32b"),
        (["m", "--family", "tiny,qwen2.5"], "there is no such model_family"),
        (["m", "--family", ""], "there is no such model_family"),
        (["", "--name", "x"], "the model's name is empty"),
        (["./none"], "add-model ./none: there is no such folder"),
        (["data"], "data has no config.json; add-model takes a folder in Hugging Face's format"),
        (["bare"], "bare has no tokenizer (tokenizer.json or the like): copy the files that belong"),
    ],
)
def test_what_names_no_model_or_no_family_is_refused_in_one_line(
    words: list[str], reason: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of(project / "m")
    (folder_of(project / "bare") / "tokenizer_config.json").unlink()
    refused(["add-model", *words], reason, project, capsys)


def test_a_model_that_cannot_be_written_leaves_nothing_behind(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "conf" / "model").touch()
    capsys.readouterr()
    assert main(["add-model", str(folder_of(project / "m"))]) == 2
    assert "m.yaml cannot be written: " in capsys.readouterr().err


def test_the_template_that_a_refusal_proposes_works(
    tiny_model: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from transformers import AutoTokenizer

    folder = shutil.copytree(tiny_model, project / "m")
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    assert main(["add-model", str(folder), "--family", "tiny"]) == 2
    said = capsys.readouterr().err
    where, template = f"{folder / 'chat_template.jinja'}; ", "for a base model this line is enough: "
    assert where + template in said
    (folder / "chat_template.jinja").write_text(said.partition(template)[2].strip())
    assert main(["add-model", str(folder), "--family", "tiny"]) == 0
    messages = [{"role": "user", "content": "1+1=?"}, {"role": "assistant", "content": "2"}]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.apply_chat_template(messages, tokenize=False) == f"1+1=?\n2{tokenizer.eos_token}"


@pytest.mark.parametrize(
    ("config", "guess"),
    [
        (QWEN3_06B, {"gpus_per_node": 8, "hours": 24}),
        (LLAMA_1B, {"gpus_per_node": 4, "hours": 24}),
        (QWEN3_30B_A3B, {"nodes": 2, "gpus_per_node": 8, "tensor_parallel": 2, "hours": 36}),
    ],
    ids=["0.6B", "1B", "30B of experts"],
)
def test_the_first_guess_fits_and_takes_no_week_for_a_small_model(
    config: dict[str, Any], guess: dict[str, int], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sweeper.grid.expand import expand
    from sweeper.plan.plan import make_plan

    capsys.readouterr()
    assert main(["add-model", str(folder_of(project / "m", config)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["resources"] == guess
    (project / "m" / "model.safetensors").touch()  # which a plan looks for
    point = expand(["model=m", "model_family=qwen2.5", "cluster=slurm"], multirun=False)
    (run,) = make_plan(point, project / "results").runs
    assert run.reason is None
    assert run.cost is not None
    assert run.cost.memory is not None
    assert run.cost.hours is not None
    assert run.cost.memory.fits
    assert run.cost.hours < 48
    assert run.cost.hours_range is not None
    assert run.cost.hours_range[1] <= guess["hours"] < run.cost.hours_range[1] + 12


def test_outside_a_project_an_installed_program_says_to_make_one(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "sweeper_project.yaml").unlink()
    monkeypatch.setattr("sweeper.grid.project.packaged_conf", lambda: project / "site-packages" / "conf")
    reason = "make one with python -m sweeper init myproject, and run this in it"
    refused(["add-model", str(folder_of(project / "m"))], reason, project, capsys)


def test_a_local_model_is_added_by_one_command_and_then_plans(tiny_model: Path, tmp_path: Path) -> None:
    assert sweeper("init", "project", folder=tmp_path).returncode == 0
    project, folder = tmp_path / "project", tmp_path / "My-Model"
    folder.symlink_to(tiny_model, target_is_directory=True)
    added = sweeper("add-model", str(folder), "--family", "tiny", "--json", folder=project)
    assert added.returncode == 0, added.stderr
    made = json.loads(added.stdout)["data"]
    assert made["name"] == "my-model"
    assert Path(made["path"]).parent == project / "conf" / "model"
    written = yaml.safe_load(Path(made["path"]).read_text())
    assert written["path"] == str(tiny_model.resolve())
    again = sweeper("add-model", str(folder), "--family", "tiny", folder=project)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    planned = sweeper("plan", "model=my-model", "training.actor_lr=0.0005", folder=project)
    assert planned.returncode == 0, planned.stderr
    assert "my-model_grpo" in planned.stdout
