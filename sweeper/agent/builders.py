"""What a chat template puts behind the end of a turn, where verl's builder of the model's family does not know it.

verl chooses a builder by the model's type (`continuous_token_wiring`, v0.9.1). Qwen's inserts the newline behind
`<|im_end|>` that a model does not draw. Types that verl has no builder of its own for (Llama's, OLMo's) get a plain
one, which inserts nothing: after the first turn the model would see other tokens than the template's.
"""

from functools import lru_cache
from typing import Any

from verl.utils.tokenizer.continuous_token import ContinuousTokenBuilder, MergeResult

_ANSWER = "\ufffe"  # stands for an answer; no text


class TemplateBuilder(ContinuousTokenBuilder):  # type: ignore[misc]  # verl has no types
    """verl's plain builder, and between a turn's end and what follows what the template has there."""

    def _merge_context_token_ids(
        self, runtime_token_ids: list[int], appended_token_ids: list[int], **_: Any
    ) -> MergeResult:
        behind = list(_behind_the_end(self.tokenizer, self.tokenizer.chat_template))
        if not runtime_token_ids or runtime_token_ids[-1] != self.tokenizer.eos_token_id:
            behind = []
        return MergeResult(
            token_ids=[*runtime_token_ids, *behind, *appended_token_ids],
            appended_token_count=len(appended_token_ids),
            kind="context",
            inserted_token_ids=behind,
        )


def builder_for(chosen: ContinuousTokenBuilder) -> ContinuousTokenBuilder:
    """What verl chose where it is a builder of a family, else `TemplateBuilder`."""
    if type(chosen) is not ContinuousTokenBuilder:
        return chosen
    return TemplateBuilder(chosen.tokenizer, chat_template_kwargs=chosen.chat_template_kwargs)


@lru_cache(maxsize=16)
def _behind_the_end(tokenizer: Any, template: str) -> tuple[int, ...]:
    """Tokens that a template puts behind an answer's end-of-turn token."""
    del template  # a tokenizer's may change
    chat = [{"role": "user", "content": "1"}, {"role": "assistant", "content": _ANSWER}]
    text: str = tokenizer.apply_chat_template(chat, tokenize=False)
    _, ended, behind = text.partition(_ANSWER)[2].partition(tokenizer.eos_token)
    return tuple(tokenizer(behind, add_special_tokens=False)["input_ids"]) if ended and behind else ()
