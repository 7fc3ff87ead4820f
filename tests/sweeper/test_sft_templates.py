"""Conversations to fine-tune on under every chat template, whatever an answer begins with."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from data_prep.prompt_style import OWN_STYLE, STYLES
from tests.vllm.families import FAMILIES

# Tokens of the families that templates name, each one token.
SPECIALS = (
    *("<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"),
    *(
        "<\uff5cUser\uff5c>",
        "<\uff5cAssistant\uff5c>",
        "<\uff5cend\u2581of\u2581sentence\uff5c>",
        "<think>",
        "</think>",
    ),
    *("<|user|>", "<|assistant|>", "<|endoftext|>"),
)
TEMPLATES = {f"style {name}": text for name, text in STYLES.items() if name != OWN_STYLE}
TEMPLATES |= {f"family {name}": family.template for name, family in FAMILIES.items()}
# Their prompt ends with the beginning of a thought, which they leave out of an answer.
THINKING = ("style base-think", "style qwq", "style r1-distill")
ASKED = ({"role": "system", "content": "Think."}, {"role": "user", "content": "What is 3 plus 4?"})


def tokenizer_with(template: str) -> Any:
    """Bytes, the special tokens, and two newlines in one token, as the families' own vocabularies have them."""
    import transformers
    from tokenizers.pre_tokenizers import ByteLevel

    vocab = {symbol: i for i, symbol in enumerate([*sorted(ByteLevel.alphabet()), "\u010a\u010a"])}
    made = transformers.Qwen2Tokenizer(vocab=vocab, merges=[("\u010a", "\u010a")], unk_token=None)
    made.add_special_tokens({"additional_special_tokens": list(SPECIALS)})
    made.bos_token, made.eos_token, made.chat_template = "<|begin_of_text|>", "<|endoftext|>", template
    assert len(made("\n\n")["input_ids"]) == 1
    return made


def item(template: str, folder: Path, *messages: dict[str, str]) -> tuple[Any, list[int], list[int]]:
    """The tokenizer, a row's tokens, and those of them that the loss is on."""
    import pyarrow
    from pyarrow import parquet

    from sweeper.training.sft_data import ConversationDataset

    made, file = tokenizer_with(template), folder / "rows.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([{"messages": list(messages)}]), file)
    config = SimpleNamespace(messages_key="messages", max_length=4096)
    row = ConversationDataset(str(file), made, config)[0]
    return made, row["input_ids"].tolist(), row["input_ids"][row["loss_mask"].bool()].tolist()


@pytest.mark.parametrize("answer", ["7", "\n7", "\n\n7", "\n", " 7\n", "\n\n\n7\n"])
@pytest.mark.parametrize("name", sorted(TEMPLATES.keys() - {*THINKING}))
def test_an_answer_follows_the_prompts_own_tokens_whatever_it_begins_with(
    name: str, answer: str, tmp_path: Path
) -> None:
    chat = (*ASKED, {"role": "assistant", "content": answer})
    made, ids, learned = item(TEMPLATES[name], tmp_path, *chat)
    asked = made.apply_chat_template(list(ASKED), add_generation_prompt=True, tokenize=False)
    whole = made.apply_chat_template(list(chat), tokenize=False)
    prompt = made(asked, add_special_tokens=False)["input_ids"]
    assert ids == [*prompt, *learned]  # as the model is asked, and as it is to answer
    assert made.decode(ids) == whole
    said = answer.strip() if "| trim" in TEMPLATES[name] else answer
    assert made.decode(learned).startswith(said)


@pytest.mark.parametrize(
    ("answer", "goes_on"),
    [("7", "7"), ("\n7", "\n7"), ("<think>\nEasy.\n</think>\n7", "Easy.\n</think>\n7"), ("<7>", "<7>")],
)
@pytest.mark.parametrize("name", THINKING)
def test_where_a_prompt_begins_a_thought_the_answer_goes_on_after_it(
    name: str, answer: str, goes_on: str, tmp_path: Path
) -> None:
    made, ids, learned = item(TEMPLATES[name], tmp_path, *ASKED, {"role": "assistant", "content": answer})
    asked = made.apply_chat_template(list(ASKED), add_generation_prompt=True, tokenize=False)
    assert asked.endswith("<think>\n")
    assert ids == [*made(asked, add_special_tokens=False)["input_ids"], *learned]
    end = "<\uff5cend\u2581of\u2581sentence\uff5c>" if "r1" in name else "<|im_end|>\n"
    assert made.decode(learned) == goes_on + end


def test_a_template_whose_prompt_is_no_beginning_of_what_it_makes_of_an_answer_is_refused(tmp_path: Path) -> None:
    apart = "{% for m in messages %}{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}{{ 'A:' }}{% endif %}"
    changing = "{{ messages | length }}" + TEMPLATES["style chatml"]
    for template in (changing, "{{ add_generation_prompt }}" + apart):
        with pytest.raises(ValueError, match="does not continue a prompt with its answer"):
            item(template, tmp_path, *ASKED, {"role": "assistant", "content": "7"})


def test_of_two_answers_the_loss_is_on_both_and_on_nothing_between(tmp_path: Path) -> None:
    chat = [*ASKED, {"role": "assistant", "content": "\n7"}, {"role": "user", "content": "And 4 plus 4?"}]
    made, _, learned = item(TEMPLATES["style chatml"], tmp_path, *chat, {"role": "assistant", "content": "\n8"})
    # What ends a turn is learned with it.
    assert made.decode(learned) == "\n7<|im_end|>\n\n8<|im_end|>\n"
