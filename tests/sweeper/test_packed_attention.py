from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from sweeper.verl_cpu.attention import pack, packed_attention

ROWS = [[5, 9, 200, 31], [7], [8, 8, 8, 8, 8, 8, 8, 250, 2], [90, 12]]


def logits_and_gradients(folder: Path, *, packed: bool, **inputs: torch.Tensor) -> tuple[torch.Tensor, list[Any]]:
    """Of all tokens of `ROWS`, one after the other; the gradients are those of a loss over all of them."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
    if packed:
        pack(model)
    logits_BLV = model(**inputs, use_cache=False).logits
    mask = inputs.get("attention_mask", torch.ones(logits_BLV.shape[:2])).bool()
    logits_NV = logits_BLV[mask]
    labels = torch.arange(len(logits_NV))
    loss = torch.nn.functional.cross_entropy(logits_NV, labels)
    return logits_NV.detach(), list(torch.autograd.grad(loss, list(model.parameters())))


def test_rows_behind_each_other_are_what_they_are_with_padding(tiny_model: Path) -> None:
    longest = max(map(len, ROWS))
    padded = logits_and_gradients(
        tiny_model,
        packed=False,
        input_ids=torch.tensor([row + [0] * (longest - len(row)) for row in ROWS]),
        attention_mask=torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ROWS]),
    )
    packed = logits_and_gradients(
        tiny_model,
        packed=True,
        input_ids=torch.tensor([[token for row in ROWS for token in row]]),
        position_ids=torch.cat([torch.arange(len(row)) for row in ROWS])[None],
    )
    torch.testing.assert_close(packed[0], padded[0], rtol=1e-5, atol=1e-6)
    for ours, theirs in zip(packed[1], padded[1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_a_row_does_not_see_its_neighbours(tiny_model: Path) -> None:
    position_ids = torch.cat([torch.arange(len(row)) for row in ROWS])[None]
    other = [[1] * len(row) for row in ROWS[:2]] + ROWS[2:]
    found = [
        logits_and_gradients(
            tiny_model,
            packed=True,
            input_ids=torch.tensor([[token for row in rows for token in row]]),
            position_ids=position_ids,
        )[0][5:]
        for rows in (ROWS, other)
    ]
    assert torch.equal(*found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"attention_mask": torch.ones(1, 3)},
        {"position_ids": torch.arange(3).repeat(2, 1)},
        {"sliding_window": 2},
    ],
    ids=["mask", "two batches", "window"],
)
def test_what_verl_does_not_give_is_refused(wrong: dict[str, Any]) -> None:
    given = {"attention_mask": None, "position_ids": torch.arange(3)[None]} | wrong
    query, key_or_value = torch.zeros(1, 2, 3, 4), torch.zeros(1, 1, 3, 4)
    with pytest.raises(ValueError, match="behind each other in a batch of one, without mask or window"):
        packed_attention(torch.nn.Identity(), query, key_or_value, key_or_value, **given)


def test_a_models_configuration_names_an_attention_that_everybody_has(tiny_model: Path, tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32, attn_implementation="sdpa")
    model.config.attn_implementation = "sdpa"  # as verl does with what it is told
    pack(model)
    model.save_pretrained(tmp_path)
    assert AutoModelForCausalLM.from_pretrained(tmp_path).config._attn_implementation == "sdpa"
