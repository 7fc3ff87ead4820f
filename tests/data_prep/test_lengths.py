"""Prompts longer than the model's context for them."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.cleaning.lengths import PromptLengths
from data_prep.files.row import Message
from data_prep.spec import DataError
from tests.data_prep.cleaned import drop_too_long
from tests.data_prep.guru import math_row
from tests.data_prep.tokenizers import byte_level_tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return byte_level_tokenizer(tmp_path_factory.mktemp("tokenizer"), normalizer=True)


@pytest.fixture(scope="module")
def lengths(folder: Path) -> PromptLengths:
    return PromptLengths(folder)


def test_lengths_are_those_that_verl_counts(folder: Path, lengths: PromptLengths) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = [math_row("How many sheep are there?"), math_row("多少只羊？"), math_row("x" * 5000)]  # noqa: RUF001
    chats = [[{"role": turn.role, "content": turn.content} for turn in row.prompt] for row in rows]
    verl = [len(tokenizer.apply_chat_template(chat, add_generation_prompt=True)["input_ids"]) for chat in chats]
    assert lengths.count(rows) == verl


def test_a_prompt_of_exactly_the_limit_is_kept(folder: Path, lengths: PromptLengths) -> None:
    rows = [math_row("How many sheep " * 20), math_row("How many sheep " * 20 + "!")]
    [limit, more] = lengths.count(rows)
    assert more == limit + 1
    kept, [dropped] = drop_too_long(rows, tokenizer=folder, max_tokens=limit)
    assert kept == rows[:1]
    assert dropped.reason == f"{more} tokens, {limit} allowed"


@given(text=st.text(max_size=80))
def test_a_prompt_that_is_not_counted_is_never_too_long(lengths: PromptLengths, text: str) -> None:
    row = math_row("x")
    row = replace(row, prompt=(Message("user", text),))
    [length] = lengths.count([row])
    assert lengths.may_exceed(row.prompt, length - 1)


def test_system_turns_count(lengths: PromptLengths) -> None:
    row = math_row("How many sheep?")
    longer = replace(row, prompt=(Message("system", "Be brief."), *row.prompt))
    [short, long] = lengths.count([row, longer])
    assert long > short
    assert lengths.may_exceed(longer.prompt, 10**9)


def test_a_tokenizer_that_is_not_byte_level_counts_every_prompt(tmp_path: Path) -> None:
    lengths = PromptLengths(byte_level_tokenizer(tmp_path, bytewise=False))
    assert lengths.may_exceed(math_row("x").prompt, 10**9)


def test_a_tokenizer_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    folder = byte_level_tokenizer(tmp_path, style="model")
    with pytest.raises(DataError, match="no chat template"):
        PromptLengths(folder)
    assert PromptLengths(folder, chat_template="{{ messages[0]['content'] }}").count([math_row("How")]) == [1]


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        PromptLengths(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["{", '{"a": 1}', ""])
def test_a_damaged_tokenizer_is_refused_by_name(tmp_path: Path, text: str) -> None:
    folder = byte_level_tokenizer(tmp_path / "tokenizer")
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(DataError, match=f"tokenizer={folder} cannot be loaded from this machine"):
        PromptLengths(folder)


def test_a_chat_template_that_refuses_every_question_leaves_all_of_them_out_and_says_why(tmp_path: Path) -> None:
    folder = byte_level_tokenizer(tmp_path / "tokenizer")
    lengths = PromptLengths(folder, chat_template="{{ raise_exception('a system message is needed') }}")
    reasons = lengths.too_long([math_row("How many?").prompt], 100)
    assert reasons == {0: "the model's chat template refuses it: a system message is needed"}
