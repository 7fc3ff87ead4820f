"""Counts prompts in tokens, as verl does before training, and takes out the long ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_prep.cleaning.dropped import Clean, split
from data_prep.files.row import Row
from data_prep.spec import DataError

TOO_LONG = "too long"
_BATCH = 2048
# Stands for a prompt's text in a rendered template.
_MARK = "\x02text\x02"
# Unicode normalisation to composed characters makes UTF-8 at most three times as long (Unicode Annex 15, NFC).
_NFC_GROWTH = 3


class PromptLengths:
    """Counts prompts with one tokenizer and chat template, the turn that starts the answer included."""

    def __init__(self, tokenizer: str | Path, *, chat_template: str | None = None) -> None:
        """Loads the tokenizer.

        Args:
            tokenizer: Folder of a model, or the id of one in the hub's cache.
            chat_template: Used instead of the tokenizer's own; see `data_prep.prompt_style`.

        Raises:
            DataError: It cannot be loaded, or there is no chat template.
        """
        from transformers import AutoTokenizer

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(str(tokenizer), local_files_only=True)
        except (OSError, ValueError) as error:
            raise DataError(
                f"tokenizer={tokenizer} cannot be loaded from this machine: {error}. Give a model's folder."
            ) from error
        if chat_template is not None:
            self._tokenizer.chat_template = chat_template
        if not self._tokenizer.chat_template:
            raise DataError(
                f"tokenizer={tokenizer} has no chat template, so verl could not write prompts. Choose a prompt style "
                "that has one (data_prep.prompt_style)."
            )
        self._template_bytes = self._bytes_around_a_prompt()

    def count(self, rows: Sequence[Row]) -> list[int]:
        """Tokens of each row's prompt."""
        lengths: list[int] = []
        for start in range(0, len(rows), _BATCH):
            lengths += self._count([row.prompt for row in rows[start : start + _BATCH]])
        return lengths

    def rendered(self, row: Row) -> str:
        """The prompt as the model gets it."""
        chat = [{"role": turn.role, "content": turn.content} for turn in row.prompt]
        return str(self._tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False))

    def may_exceed(self, row: Row, limit: int) -> bool:
        """False where no counting is needed to see that the prompt has at most `limit` tokens."""
        if self._template_bytes is None or len(row.prompt) != 1 or row.prompt[0].role != "user":
            return True
        content = row.prompt[0].content
        most = len(content) if content.isascii() else _NFC_GROWTH * len(content.encode("utf-8", "replace"))
        return most + self._template_bytes > limit

    def _count(self, prompts: Sequence[Sequence[tuple[str, str]]]) -> list[int]:
        chats = [[{"role": role, "content": content} for role, content in prompt] for prompt in prompts]
        texts = self._tokenizer.apply_chat_template(chats, add_generation_prompt=True, tokenize=False)
        encoded = self._tokenizer(texts, add_special_tokens=False, return_attention_mask=False)["input_ids"]
        return [len(ids) for ids in encoded]

    def _bytes_around_a_prompt(self) -> int | None:
        """UTF-8 bytes that the template puts around one user turn.

        None where a prompt's bytes are no upper bound of its tokens: a tokenizer that is not byte-level, or a template
        that repeats the prompt.
        """
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        if backend is None or "ByteLevel" not in str(backend.pre_tokenizer):
            return None
        if backend.normalizer is not None and str(backend.normalizer) != "NFC()":
            return None
        chat = [{"role": "user", "content": _MARK}]
        text = str(self._tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False))
        return len(text.encode()) if text.count(_MARK) == 1 else None


def drop_too_long(rows: Sequence[Row], *, tokenizer: str | Path, max_tokens: int) -> Clean:
    """Keeps the rows whose prompt fits.

    Args:
        rows: Any number.
        tokenizer: Folder of the model, or the id of one in the hub's cache.
        max_tokens: Longest prompt in tokens, chat template included.

    Raises:
        DataError: The tokenizer cannot be loaded, or has no chat template.
    """
    lengths = PromptLengths(tokenizer)
    unsure = [number for number, row in enumerate(rows) if lengths.may_exceed(row, max_tokens)]
    counted = zip(unsure, lengths.count([rows[number] for number in unsure]), strict=True)
    reasons = {number: f"{length} tokens, {max_tokens} allowed" for number, length in counted if length > max_tokens}
    return split(rows, reasons, TOO_LONG)
