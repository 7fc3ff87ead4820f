"""Tiny models: the same bytes every time, and a tokenizer that gives every text back."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from data_prep.synthetic import SPECIAL_STRINGS
from sweeper.tiny import build_tokenizer
from tests.verl.models import build, tokenizer

TOKENIZER = build_tokenizer(SPECIAL_STRINGS)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    first, again = _files(build(tmp_path / "a")), _files(build(tmp_path / "b"))
    assert first == again


def test_another_seed_gives_other_weights_and_the_same_tokenizer(tmp_path: Path) -> None:
    one, two = _files(build(tmp_path / "a", seed=1)), _files(build(tmp_path / "b", seed=2))
    assert [name for name in one if one[name] != two[name]] == ["model.safetensors"]


@given(st.lists(st.one_of(st.text(), st.sampled_from(SPECIAL_STRINGS))).map("".join))
def test_decoding_gives_the_text_back(text: str) -> None:
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    assert TOKENIZER.decode(ids, skip_special_tokens=True) == text


def test_special_strings_and_the_newline_are_single_tokens_after_loading(tiny_model: Path) -> None:
    for text in (*SPECIAL_STRINGS, "\n"):
        assert len(tokenizer(tiny_model)(text, add_special_tokens=False)["input_ids"]) == 1, text


def test_verl_and_transformers_load_the_same_tokenizer_class(tiny_model: Path) -> None:
    assert type(tokenizer(tiny_model)).__name__ == "Qwen2Tokenizer"
    assert tokenizer(tiny_model)("f(x)?\n é")["input_ids"] == TOKENIZER("f(x)?\n é")["input_ids"]


def test_the_chat_frame_of_a_question_takes_two_tokens(tiny_model: Path) -> None:
    question = [{"role": "user", "content": "1+1?"}]
    text = tokenizer(tiny_model).apply_chat_template(question, add_generation_prompt=True, tokenize=False)
    assert len(tokenizer(tiny_model)(text, add_special_tokens=False)["input_ids"]) == 2 + len("1+1?")
