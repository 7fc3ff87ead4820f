"""Prompt-and-answer rows for verl's supervised trainer, through its `data.custom_cls` hook.

verl's own multi-turn dataset renders the chat template three times a row at every epoch: 23 ms a row, 1.4 s a batch
of 64, where a tiny model's update takes 0.03 s. Here every row is tokenised once.
"""

from typing import Any

import torch
from torch.utils.data import Dataset


class PromptResponseDataset(Dataset[dict[str, torch.Tensor]]):
    """Rows of a `messages` column, each user turns and one final assistant turn; the loss is on the latter alone.

    Each item has `input_ids`, `position_ids` and `loss_mask`, of shape (tokens,), as verl's collator without padding
    expects.
    """

    def __init__(
        self,
        parquet_files: str | list[str],
        tokenizer: Any,
        config: Any,
        processor: Any = None,
        max_samples: int = -1,
    ) -> None:
        import pyarrow.parquet

        del processor
        files = [parquet_files] if isinstance(parquet_files, str) else list(parquet_files)
        rows = [row for file in files for row in pyarrow.parquet.read_table(file)[config.messages_key].to_pylist()]
        rows = rows if max_samples < 0 else rows[:max_samples]
        asked = _tokens(tokenizer, [row[:-1] for row in rows], add_generation_prompt=True)
        whole = _tokens(tokenizer, rows, add_generation_prompt=False)
        self._items = [_item(prompt, ids, config.max_length) for prompt, ids in zip(asked, whole, strict=True)]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return self._items[index]


def _tokens(tokenizer: Any, conversations: list[Any], *, add_generation_prompt: bool) -> list[list[int]]:
    texts = tokenizer.apply_chat_template(conversations, tokenize=False, add_generation_prompt=add_generation_prompt)
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids


def _item(prompt: list[int], whole: list[int], max_length: int) -> dict[str, torch.Tensor]:
    if whole[: len(prompt)] != prompt:
        raise ValueError("the chat template does not continue a prompt with its answer: its generation prompt differs")
    if len(whole) > max_length:
        raise ValueError(f"a row has {len(whole)} tokens, more than data.max_length={max_length}")
    ids = torch.tensor(whole)
    mask = torch.zeros_like(ids)
    mask[len(prompt) :] = 1
    return {"input_ids": ids, "position_ids": torch.arange(len(whole)), "loss_mask": mask}
