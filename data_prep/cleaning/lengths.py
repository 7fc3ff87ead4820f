"""Counts prompts in tokens, as verl does before training, and takes out the long ones."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from data_prep.files.row import Message, Row
from data_prep.spec import DataError, file_digest
from rewards.bounded_file import MIB, require_regular

TOO_LONG = "too long"
_BATCH = 2048
_FILE_BYTES = 256 * MIB  # of one of a tokenizer's files
_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "vocab.json",
    "merges.txt",
)
Prompt = Sequence[Message]
# Stands for a prompt's text in a rendered template.
_MARK = "\x02text\x02"
# Unicode normalisation to composed characters makes UTF-8 at most three times as long (Unicode Annex 15, NFC).
_NFC_GROWTH = 3


class PromptLengths:
    """Counts prompts with one tokenizer and chat template, the turn that starts the answer included."""

    def __init__(
        self,
        tokenizer: Any,
        *,
        chat_template: str | None = None,
        tools: Sequence[Mapping[str, Any]] = (),
        ending: str = "",
    ) -> None:
        """Takes up the tokenizer.

        Args:
            tokenizer: Folder of a model, the id of one in the hub's cache, or a tokenizer of transformers.
            chat_template: Used instead of the tokenizer's own; see `data_prep.prompt_style`.
            tools: Schemas that the template puts into every prompt, as it is given them.
            ending: Text that every prompt's last message ends with.

        Raises:
            DataError: It cannot be loaded, or there is no chat template.
        """
        self._tokenizer: Any = _loaded(tokenizer) if isinstance(tokenizer, str | Path) else tokenizer
        if chat_template is not None:
            self._tokenizer.chat_template = chat_template
        if not self._tokenizer.chat_template:
            raise DataError(
                f"tokenizer={tokenizer} has no chat template, so verl could not write prompts. Choose a prompt style "
                "that has one (data_prep.prompt_style)."
            )
        self._tools, self._ending = [dict(tool) for tool in tools] or None, ending
        self._template_bytes = self._bytes_around_a_prompt()

    def count(self, rows: Sequence[Row]) -> list[int]:
        """Tokens of each row's prompt."""
        return self.count_prompts([row.prompt for row in rows])

    def count_prompts(self, prompts: Sequence[Prompt]) -> list[int]:
        """Tokens of each prompt."""
        batches = [prompts[start : start + _BATCH] for start in range(0, len(prompts), _BATCH)]
        return [length for batch in batches for length in self._count(batch)]

    def rendered(self, row: Row) -> str:
        """The prompt as the model gets it."""
        return self.written(self._chat(row.prompt))

    def written(self, chat: Sequence[Mapping[str, Any]]) -> str:
        """A chat as the template writes it, with the tools and the turn that starts the answer.

        Raises:
            jinja2.TemplateError: The template refuses it.
        """
        return str(self._texts([*chat]))

    def _chat(self, prompt: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
        chat = [{"role": role, "content": content} for role, content in prompt]
        if self._ending:
            chat[-1]["content"] += self._ending
        return chat

    def _texts(self, chats: Any) -> Any:
        """One chat, or several, as the model gets them."""
        return self._tokenizer.apply_chat_template(chats, tools=self._tools, add_generation_prompt=True, tokenize=False)

    def too_long(self, prompts: Sequence[Prompt], limit: int) -> dict[int, str]:
        """What verl leaves out, by its number, and why: more than `limit` tokens, or the chat template refuses it."""
        found: dict[int, str] = {}
        unsure = [number for number, prompt in enumerate(prompts) if self.may_exceed(prompt, limit)]
        for start in range(0, len(unsure), _BATCH):
            numbers = unsure[start : start + _BATCH]
            for number, length in zip(numbers, self._lengths([prompts[number] for number in numbers]), strict=True):
                if isinstance(length, str):
                    found[number] = length
                elif length > limit:
                    found[number] = f"{length} tokens, {limit} allowed"
        return found

    def may_exceed(self, prompt: Prompt, limit: int) -> bool:
        """False where no counting is needed to see that the prompt has at most `limit` tokens."""
        if self._template_bytes is None or len(prompt) != 1 or prompt[0].role != "user":
            return True
        content = prompt[0].content
        most = len(content) if content.isascii() else _NFC_GROWTH * len(content.encode("utf-8", "replace"))
        return most + self._template_bytes > limit

    def longest(self, prompts: Sequence[Prompt]) -> int:
        """Tokens of the longest prompt; 0 where the chat template refuses all."""
        return max((length for length in self._lengths(prompts) if isinstance(length, int)), default=0)

    def _lengths(self, prompts: Sequence[Prompt]) -> list[int | str]:
        from jinja2 import TemplateError

        try:
            return [*self._count(prompts)]
        except TemplateError as error:
            if len(prompts) == 1:
                return [f"the model's chat template refuses it: {error}"]
            return [length for prompt in prompts for length in self._lengths([prompt])]

    def _count(self, prompts: Sequence[Sequence[tuple[str, str]]]) -> list[int]:
        texts = self._texts([self._chat(prompt) for prompt in prompts])
        encoded = self._tokenizer(texts, add_special_tokens=False, return_attention_mask=False)["input_ids"]
        return [len(ids) for ids in encoded]

    def _bytes_around_a_prompt(self) -> int | None:
        """UTF-8 bytes that the template puts around one user turn.

        None where a prompt's bytes are no upper bound of its tokens: a tokenizer that is not byte-level, or a template
        that repeats the prompt or refuses it.
        """
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        if backend is None or "ByteLevel" not in str(backend.pre_tokenizer):
            return None
        if backend.normalizer is not None and str(backend.normalizer) != "NFC()":
            return None
        from jinja2 import TemplateError

        try:
            text = self.written(self._chat([("user", _MARK)]))
        except TemplateError:  # told of each prompt
            return None
        return len(text.encode()) if text.count(_MARK) == 1 else None


def _loaded(tokenizer: str | Path) -> Any:
    if Path(tokenizer).is_absolute() and not Path(tokenizer).is_dir():  # transformers takes seconds to say so
        raise DataError(f"tokenizer={tokenizer} is no folder. Give a model's folder.")
    from transformers import AutoTokenizer

    try:
        for path in Path(tokenizer).glob("*.json") if Path(tokenizer).is_dir() else ():
            require_regular(path, at_most=_FILE_BYTES)
        return AutoTokenizer.from_pretrained(str(tokenizer), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # of a damaged file, whatever its reader stumbles over
        raise DataError(
            f"tokenizer={tokenizer} cannot be loaded from this machine: {type(error).__name__}: {error}. Give a "
            "model's folder."
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLimit:
    """The longest prompts that a run trains on.

    Attributes:
        tokenizer: Folder of its model, whose chat template counts too.
        max_tokens: Most tokens, the turn that starts the answer included; at least 1.
        tools: JSON of the schemas that its template puts into every prompt; "": none.
        ending: Text that every prompt's last message ends with.
    """

    tokenizer: Path
    max_tokens: int
    tools: str = ""
    ending: str = ""

    def identity(self) -> dict[str, object]:
        """The values that decide which prompts are too long; of the tokenizer its content."""
        added = {"tools": self.tools, "ending": self.ending}
        known: dict[str, object] = {"max_prompt_tokens": self.max_tokens, "tokenizer": tokenizer_digest(self.tokenizer)}
        return known | {name: text for name, text in added.items() if text}

    @property
    def lengths(self) -> PromptLengths:
        """What counts; loaded once per process.

        Raises:
            DataError: The tokenizer cannot be loaded.
        """
        return _lengths_of(self.tokenizer, tokenizer_digest(self.tokenizer), self.tools, self.ending)

    def too_long(self, prompts: Sequence[Prompt]) -> dict[int, str]:
        """See `PromptLengths.too_long`."""
        return self.lengths.too_long(prompts, self.max_tokens)


@cache
def _lengths_of(tokenizer: Path, digest: str, tools: str, ending: str) -> PromptLengths:
    del digest  # a folder may be made anew with another tokenizer
    return PromptLengths(tokenizer, tools=json.loads(tools) if tools else (), ending=ending)


def tokenizer_digest(tokenizer: str | Path) -> str:
    """SHA-256 of the files of a tokenizer and its chat template; of one that is no folder, its hub id.

    Raises:
        DataError: The folder has no such file.
    """
    folder = Path(tokenizer)
    if not folder.is_dir():
        return f"hub:{tokenizer}"
    found = {name: file_digest(folder / name) for name in _FILES if (folder / name).is_file()}
    if not found:
        raise DataError(f"tokenizer={tokenizer} has no tokenizer files. Point it at a model's folder.")
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
