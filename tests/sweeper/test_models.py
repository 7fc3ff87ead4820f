"""Base models as runs prepare them."""

from pathlib import Path

import pytest

from data_prep.prompt_style import chat_template
from sweeper.host.errors import ConfigError
from sweeper.inputs.models import model_digest, prepare
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
