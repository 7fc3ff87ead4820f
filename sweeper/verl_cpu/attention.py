"""Attention over rows that lie behind each other without padding, as FlashAttention has it on GPUs.

verl's `use_remove_padding` gives the model one long row of N tokens, and which of them belong together stands in
`position_ids`. All that a layer does token by token then costs nothing for padding, which is about half of a batch of
short rows; only the products of queries and keys are padded here.
Shapes: H query heads, K key-value heads, N tokens, R rows, L tokens of the longest row, D head dimension.
"""

from typing import Any

import torch

PACKED = "packed_sdpa"


def pack(model: Any) -> None:
    """Let a model of transformers attend so, whatever it was loaded with."""
    from transformers import AttentionInterface

    AttentionInterface.register(PACKED, packed_attention)
    model.set_attn_implementation(PACKED)


def packed_attention(
    module: torch.nn.Module,
    query_1HND: torch.Tensor,
    key_1KND: torch.Tensor,
    value_1KND: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    position_ids: torch.Tensor,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each row, in the form that transformers calls.

    Args:
        module: The layer; not needed.
        query_1HND: Queries.
        key_1KND: Keys.
        value_1KND: Values.
        attention_mask: None.
        position_ids: Shape (1, N): 0 at the beginning of each row, then counting on.
        scaling: Of the products; None: one over the root of D.
        dropout: Probability.
        sliding_window: How far back a token looks; None: to its row's beginning.

    Returns:
        Shape (1, N, H, D); and no weights.

    Raises:
        ValueError: there is a mask or are several batches of rows, or a row is longer than the window: none of these
            is what verl gives without padding.
    """
    del module
    position_N = position_ids[0]
    longest = int(position_N.max()) + 1
    if attention_mask is not None or len(position_ids) != 1 or (sliding_window or longest) < longest:
        raise ValueError("packed attention takes rows behind each other in a batch of one, without mask or window")
    row_N = (position_N == 0).cumsum(0) - 1
    rows = int(row_N[-1]) + 1
    place_N = row_N * longest + position_N

    def padded(x_1JND: torch.Tensor) -> torch.Tensor:
        x_NJD = x_1JND[0].transpose(0, 1)
        spread = x_NJD.new_zeros(rows * longest, *x_NJD.shape[1:]).index_copy(0, place_N, x_NJD)
        return spread.view(rows, longest, *x_NJD.shape[1:]).transpose(1, 2)

    # Padding stands at the end of a row, where no token of it looks.
    out_RHLD = torch.nn.functional.scaled_dot_product_attention(
        padded(query_1HND),
        padded(key_1KND),
        padded(value_1KND),
        dropout_p=dropout,
        is_causal=True,
        scale=scaling,
        enable_gqa=True,
    )
    return out_RHLD.transpose(1, 2).flatten(0, 1).index_select(0, place_N)[None], None
