"""Prompt styles, rendered by transformers' own apply_chat_template."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.files.row import Message
from data_prep.prompt_style import STYLES, chat_template
from data_prep.spec import DataError
from tests.data_prep.tokenizers import BOS, byte_level_tokenizer

ASK = Message("user", "What is 1+1?")
BE_BRIEF = Message("system", "Be brief.")
ANSWER = Message("assistant", "<think>\nEasy.\n</think>\n\n2")
OWN = [name for name, template in STYLES.items() if template is not None]
THINKING = {"base-think", "r1-distill", "qwq"}
QWEN = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
LLAMA = "<|start_header_id|>{}<|end_header_id|>\n\n"
USER, ASSISTANT = "<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoTokenizer

    folder: Path = byte_level_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    return AutoTokenizer.from_pretrained(folder)


def _rendered(tokenizer: Any, style: str, *messages: Message, answered: bool = False) -> str:
    chat = [{"role": turn.role, "content": turn.content} for turn in messages]
    return str(
        tokenizer.apply_chat_template(
            chat, chat_template=chat_template(style), add_generation_prompt=not answered, tokenize=False
        )
    )


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("base", "What is 1+1?\n"),
        ("base-bos", f"{BOS}What is 1+1?\n"),
        ("llama3", f"{BOS}{LLAMA.format('user')}What is 1+1?<|eot_id|>{LLAMA.format('assistant')}"),
        ("chatml", "<|im_start|>user\nWhat is 1+1?<|im_end|>\n<|im_start|>assistant\n"),
        (
            "instruct",
            f"<|im_start|>system\n{QWEN}<|im_end|>\n<|im_start|>user\nWhat is 1+1?<|im_end|>\n<|im_start|>assistant\n",
        ),
        ("base-think", "<|im_start|>user\nWhat is 1+1?<|im_end|>\n<|im_start|>assistant\n<think>\n"),
        ("qwq", "<|im_start|>user\nWhat is 1+1?<|im_end|>\n<|im_start|>assistant\n<think>\n"),
        ("r1-distill", f"{BOS}{USER}What is 1+1?{ASSISTANT}<think>\n"),
    ],
)
def test_a_prompt_is_written_as_the_family_was_trained(tokenizer: Any, style: str, expected: str) -> None:
    assert _rendered(tokenizer, style, ASK) == expected


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("base", "Be brief.\n\nWhat is 1+1?\n"),
        ("base-bos", f"{BOS}Be brief.\n\nWhat is 1+1?\n"),
        (
            "llama3",
            f"{BOS}{LLAMA.format('system')}Be brief.<|eot_id|>"
            f"{LLAMA.format('user')}What is 1+1?<|eot_id|>{LLAMA.format('assistant')}",
        ),
        (
            "instruct",
            "<|im_start|>system\nBe brief.<|im_end|>\n"
            "<|im_start|>user\nWhat is 1+1?<|im_end|>\n<|im_start|>assistant\n",
        ),
        ("r1-distill", f"{BOS}{USER}Be brief.\n\nWhat is 1+1?{ASSISTANT}<think>\n"),
    ],
)
def test_a_system_turn_goes_where_the_family_expects_it(tokenizer: Any, style: str, expected: str) -> None:
    assert _rendered(tokenizer, style, BE_BRIEF, ASK) == expected


@pytest.mark.parametrize("style", ["base", "base-bos", "chatml", "instruct", "llama3"])
def test_the_prompt_is_the_beginning_of_the_answered_chat(tokenizer: Any, style: str) -> None:
    whole = _rendered(tokenizer, style, ASK, ANSWER, answered=True)
    assert whole.startswith(_rendered(tokenizer, style, ASK) + ANSWER.content)


def test_earlier_thoughts_are_left_out_for_models_distilled_from_r1(tokenizer: Any) -> None:
    text = _rendered(tokenizer, "r1-distill", ASK, ANSWER, ASK)
    assert "Easy" not in text
    assert text.endswith("<think>\n")


@pytest.mark.parametrize("style", OWN)
def test_the_styles_of_models_that_think_open_a_thought_and_no_others(tokenizer: Any, style: str) -> None:
    assert _rendered(tokenizer, style, ASK).endswith("<think>\n") is (style in THINKING)


@pytest.mark.parametrize("style", OWN)
@given(text=st.text(max_size=60))
def test_no_style_changes_the_problem(tokenizer: Any, style: str, text: str) -> None:
    assert text in _rendered(tokenizer, style, Message("user", text))


def test_the_models_own_template_is_kept_by_default() -> None:
    assert chat_template("model") is None


def test_an_unknown_style_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DataError, match="r1-distill"):
        chat_template("think-harder")
