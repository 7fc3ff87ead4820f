"""Passes of a model over micro-batches: `python -m sweeper.oversight.proof.passes WANTED_JSON`.

The process that `torch_tier` starts; of heavy packages it needs PyTorch and transformers alone. Weights and tokens are
random: what is measured is memory and speed. The last line printed is JSON of what `measure` returns. Shapes: B
sequences of S tokens, N = B x S, V the vocabulary.
"""

import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch

from sweeper.oversight.proof.wanted import Wanted

_TIMED = 3  # passes, of which the fastest counts: the first compile and warm up
_PARTS = 256  # that logits are taken in, so that their copies in float32 are little beside them
_DRAWS = 10


class LabelLogProbs(torch.autograd.Function):
    """Log-probabilities of labels; the gradient takes the logits' place, as in verl's kernel, which is flash-attn's."""

    @staticmethod
    def forward(ctx: Any, logits_N_V: torch.Tensor, labels_N: torch.Tensor) -> torch.Tensor:
        """Shape (N,), float32."""
        ctx.save_for_backward(logits_N_V, labels_N)
        return torch.cat([_log_probs(rows, labels) for rows, labels in _parts(logits_N_V, labels_N)])

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        """The gradient of the logits, in their memory."""
        logits_N_V, labels_N = ctx.saved_tensors
        for rows, labels, gradient in _parts(logits_N_V, labels_N, gradients[0]):
            change = rows.float().softmax(-1).neg_()
            change[torch.arange(len(rows), device=rows.device), labels] += 1
            rows.copy_(change.mul_(gradient[:, None]))
        return logits_N_V, None


def _parts(*tensors: torch.Tensor) -> Iterator[tuple[torch.Tensor, ...]]:
    """Equal parts of tensors that have their first dimension in common."""
    rows = math.ceil(len(tensors[0]) / _PARTS)
    return zip(*(torch.split(tensor, rows) for tensor in tensors), strict=True)


def _log_probs(logits_N_V: torch.Tensor, labels_N: torch.Tensor) -> torch.Tensor:
    chosen_N = logits_N_V.gather(1, labels_N[:, None]).squeeze(1).float()
    return chosen_N - torch.logsumexp(logits_N_V.float(), -1)


def measure(wanted: Wanted) -> dict[str, float]:
    """Peak memory and speed of both kinds of pass, and the device's own pace.

    Returns:
        `log_prob_bytes` (beside the weights, at the peak), `log_prob_tokens` (of the micro-batch),
        `log_prob_tokens_s`; the same three of `update`; `product_flops` (FLOP/s of a bfloat16 product) and
        `copy_bytes_s` (read and written); `draw_s` and `draw_each_s` (seconds a token to draw for all rows at once,
        and with a generator per row).
    """
    model, found = _model(wanted), dict[str, float]()
    for name, budget, trains in (("log_prob", wanted.log_prob_tokens, False), ("update", wanted.update_tokens, True)):
        size = (max(1, budget // wanted.sequence), wanted.sequence)
        tokens_B_S = torch.randint(wanted.architecture["vocab_size"], size, device=wanted.device)

        one = partial(_pass, model, tokens_B_S, trains=trains)
        found[f"{name}_bytes"] = (_peak_on_gpu if wanted.device == "cuda" else _peak_on_cpu)(one)
        model.zero_grad(set_to_none=True)
        found[f"{name}_tokens"] = tokens_B_S.numel()
        found[f"{name}_tokens_s"] = tokens_B_S.numel() / _seconds(one, wanted.device, _TIMED)
    return found | _pace(wanted) | _drawing(wanted)


def _model(wanted: Wanted) -> Any:
    from transformers import AutoModelForCausalLM, Qwen2Config

    sizes = wanted.architecture
    config = Qwen2Config(
        vocab_size=sizes["vocab_size"],
        hidden_size=sizes["hidden_size"],
        intermediate_size=sizes["intermediate_size"],
        num_hidden_layers=sizes["num_layers"],
        num_attention_heads=sizes["num_heads"],
        num_key_value_heads=sizes["num_kv_heads"],
        tie_word_embeddings=sizes["tie_word_embeddings"],
        max_position_embeddings=wanted.sequence,
    )
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa")
    model = model.to(wanted.device).train()
    if wanted.checkpointing:
        model.gradient_checkpointing_enable()
    return model


def _pass(model: Any, tokens_B_S: torch.Tensor, *, trains: bool) -> None:
    """One micro-batch: as verl's log-prob pass, or as its update with a loss of log-probabilities alone."""
    with torch.set_grad_enabled(trains):
        if trains:
            _loss(model, tokens_B_S).backward()  # nothing here holds the logits by now
        else:
            logits_N_V = model(tokens_B_S, use_cache=False).logits.flatten(0, 1)
            for rows, labels in _parts(logits_N_V, tokens_B_S.flatten()):
                _log_probs(rows, labels)


def _loss(model: Any, tokens_B_S: torch.Tensor) -> Any:
    logits_N_V = model(tokens_B_S, use_cache=False).logits.flatten(0, 1)
    return LabelLogProbs.apply(logits_N_V, tokens_B_S.flatten()).mean()  # type: ignore[no-untyped-call]


def _peak_on_gpu(body: Callable[[], None]) -> float:
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    body()
    torch.cuda.synchronize()
    return float(torch.cuda.max_memory_allocated() - before)


def _peak_on_cpu(body: Callable[[], None]) -> float:
    """By the profiler, which notes every allocation: a processor's allocator keeps no peak."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        body()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        profiler.export_chrome_trace(file.name)
        events = json.loads(Path(file.name).read_text())["traceEvents"]
    changes = sorted((item for item in events if item.get("name") == "[memory]"), key=lambda item: item["ts"])
    held = accumulate((item["args"]["Bytes"] for item in changes), initial=0)
    return float(max(held))


def _seconds(body: Callable[[], object], device: str, times: int) -> float:
    """The shortest of some runs, the device's queue included."""
    found = []
    for _ in range(times):
        began = time.monotonic()
        body()
        if device == "cuda":
            torch.cuda.synchronize()
        found.append(time.monotonic() - began)
    return min(found)


def _pace(wanted: Wanted) -> dict[str, float]:
    n = wanted.product
    one, other = (torch.randn(n, n, device=wanted.device, dtype=torch.bfloat16) for _ in range(2))
    product, source = torch.empty_like(one), torch.ones(16, n, n, device=wanted.device, dtype=torch.bfloat16)
    copied = torch.empty_like(source)
    seconds = _seconds(lambda: torch.mm(one, other, out=product), wanted.device, _DRAWS)
    copying = _seconds(lambda: copied.copy_(source), wanted.device, _DRAWS)
    return {"product_flops": 2.0 * n**3 / seconds, "copy_bytes_s": 2.0 * copied.nbytes / copying}


def _drawing(wanted: Wanted) -> dict[str, float]:
    noise = torch.empty(wanted.rows, wanted.architecture["vocab_size"], device=wanted.device)
    generators = [torch.Generator(wanted.device).manual_seed(row) for row in range(wanted.rows)]

    def each() -> None:
        for row, generator in zip(noise, generators, strict=True):
            row.exponential_(generator=generator)

    return {
        "draw_s": _seconds(noise.exponential_, wanted.device, _DRAWS),
        "draw_each_s": _seconds(each, wanted.device, _DRAWS),
    }


def main(wanted: str) -> None:
    """Measure, and print what was found."""
    print(json.dumps(measure(Wanted.read(wanted))))


if __name__ == "__main__":
    main(sys.argv[1])
