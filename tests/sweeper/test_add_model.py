"""New models from their config.json; the command runs on a copy of `conf/`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeper.host.errors import ConfigError
from sweeper.inputs.add_model import Found, architecture, find, model_file

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
        model_file(found, name="y", family="qwen2.5")


def test_a_base_model_without_a_template_gets_the_style_of_base_models() -> None:
    found = Found(config=LLAMA_1B, path="x/y", revision="abc", n_params=None, has_template=False)
    written = yaml.safe_load(model_file(found, name="y", family="qwen2.5"))
    assert written["prompt_style"] == "base"
    assert written["revision"] == "abc"


def test_a_folder_that_is_not_there_is_not_asked_of_the_hub() -> None:
    with pytest.raises(ConfigError, match="there is no such folder"):
        find("/no/such/folder")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "config.json is not JSON"),
        ("[]", "config.json holds a list, not an object"),
        (json.dumps(LLAMA_1B | {"model_type": "gpt2"}), "model_type=gpt2 is not supported"),
        (json.dumps(LLAMA_1B | {"hidden_size": None}), "states no number for hidden_size"),
        (json.dumps(LLAMA_1B), "has no chat template"),
    ],
)
def test_a_folder_is_refused_for_its_config_before_its_tokenizer(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ConfigError, match=reason):
        find(str(tmp_path))


def test_a_hub_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match="the hub gave no such model"):
        find("nobody/no-such-model")


def test_a_local_model_is_added_by_one_command_and_then_plans(tiny_model: Path, tmp_path: Path) -> None:
    shutil.copytree("conf", tmp_path / "conf")
    folder = tmp_path / "My-Model"
    folder.symlink_to(tiny_model, target_is_directory=True)

    def sweeper(*words: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{Path.cwd()}"}
        command = [sys.executable, "-m", "sweeper", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    added = sweeper("add-model", str(folder), "--family", "tiny", "--json")
    assert added.returncode == 0, added.stderr
    made = json.loads(added.stdout)["data"]
    assert made["name"] == "my-model"
    assert Path(made["path"]).parent == tmp_path / "conf" / "model"
    written = yaml.safe_load(Path(made["path"]).read_text())
    assert written["path"] == str(tiny_model.resolve())
    again = sweeper("add-model", str(folder), "--family", "tiny")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    planned = sweeper("plan", "model=my-model", "training.actor_lr=0.0005", f"results_dir={tmp_path}/results")
    assert planned.returncode == 0, planned.stderr
    assert "my-model_grpo" in planned.stdout
