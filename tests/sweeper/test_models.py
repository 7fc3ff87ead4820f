"""Base models as runs prepare them."""

import re
from pathlib import Path

import pytest

from data_prep.prompt_style import chat_template
from sweeper.grid.expand import expand
from sweeper.host.errors import ConfigError
from sweeper.inputs.models import model_digest, prepare
from sweeper.plan.plan import make_plan
from tests.sweeper.conftest import SHAPE_OVERRIDES
from tests.sweeper.points import spec

UNTRAINED = ("model=tiny-40k", "model.warm_start.steps=0")


def test_a_prompt_style_is_the_prepared_models_own_template(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    styled = spec(*UNTRAINED, "model.prompt_style=base")
    assert model_digest(styled.model) != model_digest(spec(*UNTRAINED).model)
    made = prepare(styled, tmp_path, log=tmp_path / "log")
    tokenizer = AutoTokenizer.from_pretrained(made.path)
    assert tokenizer.chat_template == chat_template("base")
    assert tokenizer.apply_chat_template([{"role": "user", "content": "1+1="}], tokenize=False) == "1+1=\n"


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
