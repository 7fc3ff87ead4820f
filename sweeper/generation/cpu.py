"""Batched generation with transformers on CPU, for models up to a few hundred million parameters.

A prompt is encoded once and its keys and values are shared by all of its samples; finished rows leave the batch.
Shapes: B rows (samples) in a batch, P prompt tokens (left-padded), T response tokens, V vocabulary.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import torch

from sweeper.generation.sampling import Request, Sample, Sampling, Take

# A batch's keys and values, and one step's logits, stay below these.
MAX_CACHE_BYTES = 1 << 30
MAX_LOGIT_BYTES = 1 << 28


class CpuEngine:
    """A causal language model with its stop tokens.

    `samples_at_once` is how many completions keep it busy: long work is cut into calls of about that size.
    """

    def __init__(self, model: Any, *, eos_ids: frozenset[int], pad_id: int, seed: int = 0) -> None:
        self.model = model.eval()
        self.seed = seed
        self._eos = torch.tensor(sorted(eos_ids))
        self._pad = pad_id
        config = model.config
        heads = getattr(config, "num_key_value_heads", config.num_attention_heads)
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self._cache_bytes_per_token = 2 * 4 * config.num_hidden_layers * heads * head_dim
        self._vocab = config.vocab_size
        # Four full batches of 1,024-token sequences: a minute or so for a hundred million parameters.
        self.samples_at_once = max(1, min(4096, 4 * MAX_CACHE_BYTES // (1024 * self._cache_bytes_per_token)))

    @classmethod
    def load(cls, path: Path, *, pad_id: int, seed: int = 0) -> Self:
        """Load a folder in Hugging Face's format in float32; `seed` is of `answers`.

        Raises:
            ValueError: the folder lacks weights of the model; transformers would make them up at random.
        """
        from transformers import AutoModelForCausalLM

        model, info = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, output_loading_info=True)
        if info["missing_keys"]:
            raise ValueError(f"{path} has no weights for {sorted(info['missing_keys'])[0]} and others")
        return cls(model, eos_ids=stop_ids(model.generation_config, model.config), pad_id=pad_id, seed=seed)

    def answers(self, take: Take, *, n: int, sampling: Sampling) -> Iterator[list[tuple[int, list[Sample]]]]:
        """See `Engine`; the same seed and prompts give the same completions, however they are taken."""
        while given := take(max(1, self.samples_at_once // n)):
            numbers, prompts = zip(*given, strict=True)
            groups = self.generate(
                [prompt.token_ids for prompt in prompts],
                n=n,
                sampling=sampling,
                seed=self.seed,
                earlier=[prompt.earlier for prompt in prompts],
            )
            yield list(zip(numbers, groups, strict=True))

    def round(self, requests: Sequence[Request], *, sampling: Sampling) -> list[Sample]:
        """See `Engine`; a completion hangs on the seed, its token ids and its draw."""
        rows, limits, draws = (list(part) for part in zip(*requests, strict=True))
        return self._all(rows, limits, sampling, _chances(rows, limits, str(self.seed), draws))

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        *,
        n: int,
        sampling: Sampling,
        seed: int,
        earlier: Sequence[int] | None = None,
    ) -> list[list[Sample]]:
        """`n` completions of each prompt, in order.

        Args:
            prompts: Token ids.
            n: Completions of each.
            sampling: How to draw.
            seed: Of all draws.
            earlier: How often each prompt was completed with this seed before; None: as often as it comes before here.
        """
        rows = [list(prompt) for prompt in prompts for _ in range(n)]
        draws = _draws(rows, Counter()) if earlier is None else [first + i for first in earlier for i in range(n)]
        limits = [sampling.max_tokens] * len(rows)
        flat = self._all(rows, limits, sampling, _chances(rows, limits, str(seed), draws))
        return [flat[i * n : (i + 1) * n] for i in range(len(prompts))]

    def complete(
        self,
        rows: Sequence[Sequence[int]],
        limits: Sequence[int],
        sampling: Sampling,
        *,
        seed: str,
        earlier: Counter[tuple[int, ...]],
    ) -> list[Sample]:
        """One completion of each row, which hangs on its prompt and how often that was drawn, not on its neighbours.

        Args:
            rows: Prompt tokens.
            limits: Most tokens of each row's response.
            sampling: How to draw.
            seed: Of all draws.
            earlier: How often each prompt was completed with this seed; these are added.
        """
        return self._all(rows, limits, sampling, _chances(rows, limits, seed, _draws(rows, earlier)))

    def _all(
        self, rows: Sequence[Sequence[int]], limits: Sequence[int], sampling: Sampling, chances_N_T: torch.Tensor
    ) -> list[Sample]:
        """One completion of each row, in batches that fit."""
        order = sorted(range(len(rows)), key=lambda i: (len(rows[i]), rows[i]))
        samples: list[Sample | None] = [None] * len(rows)
        start = 0
        while start < len(order):
            size = self._batch_size([len(rows[i]) + limits[i] for i in order[start:]])
            chosen = order[start : start + size]
            start += size
            batch = self._complete(
                [rows[i] for i in chosen], [limits[i] for i in chosen], sampling, chances_N_T[chosen]
            )
            for i, sample in zip(chosen, batch, strict=True):
                samples[i] = sample
        return [sample for sample in samples if sample is not None]

    def _batch_size(self, lengths: Sequence[int]) -> int:
        """Rows, taken from the front, that fit the memory budgets (lengths ascend with the prompts)."""
        most = max(1, MAX_LOGIT_BYTES // (4 * self._vocab))
        longest, size = 0, 0
        for length in lengths[:most]:
            longest = max(longest, length)
            if size and longest * (size + 1) * self._cache_bytes_per_token > MAX_CACHE_BYTES:
                break
            size += 1
        return size

    @torch.inference_mode()
    def _complete(
        self, rows: list[Sequence[int]], limits: list[int], sampling: Sampling, chances_B_T: torch.Tensor
    ) -> list[Sample]:
        size, longest = len(rows), max(limits)
        logits_B_V, cache, mask_B_P = self._prefill(rows)
        tokens_B_T = torch.full((size, longest), self._pad)
        log_probs_B_T = torch.zeros(size, longest)
        lengths_B = torch.zeros(size, dtype=torch.long)
        finished_B = torch.zeros(size, dtype=torch.bool)
        limits_B = torch.tensor(limits)
        ends = torch.cat([self._eos, torch.tensor(sampling.stops, dtype=self._eos.dtype)])
        index = torch.arange(size)  # which row each place in the batch belongs to
        live = torch.ones(size, dtype=torch.bool)  # rows that have ended stay as passengers until many have
        positions, mask = mask_B_P.sum(1), mask_B_P
        for step in range(longest):
            drawn, log_prob = draw(logits_B_V, sampling, chances_B_T[index, step])
            ours = index[live]
            tokens_B_T[ours, step] = drawn[live]
            log_probs_B_T[ours, step] = log_prob[live]
            lengths_B[ours] = step + 1
            stopped = torch.isin(drawn, ends)
            finished_B[ours] = stopped[live]
            live = live & ~stopped & (limits_B[index] > step + 1)
            remaining = int(live.sum())
            if not remaining:
                break
            if remaining < 0.75 * len(index):  # shrinking copies the cache: not worth it for a few rows
                keep = live.nonzero().squeeze(1)
                cache.batch_select_indices(keep)
                index, drawn, mask, positions, live = index[keep], drawn[keep], mask[keep], positions[keep], live[keep]
            mask = torch.cat([mask, mask.new_ones(len(index), 1)], dim=1)
            output = self.model(
                input_ids=drawn[:, None],
                attention_mask=mask,
                position_ids=positions[:, None],
                past_key_values=cache,
                use_cache=True,
            )
            cache, logits_B_V = output.past_key_values, output.logits[:, -1].float()
            positions = positions + 1
        return [
            Sample(
                tokens_B_T[i, : lengths_B[i]].tolist(), log_probs_B_T[i, : lengths_B[i]].tolist(), bool(finished_B[i])
            )
            for i in range(size)
        ]

    def _prefill(self, rows: list[Sequence[int]]) -> tuple[torch.Tensor, Any, torch.Tensor]:
        """Encode each distinct prompt once, then spread its cache over its rows."""
        place: dict[tuple[int, ...], int] = {}
        spread = torch.tensor([place.setdefault(tuple(row), len(place)) for row in rows])
        width = max(map(len, place))
        ids = torch.tensor([[self._pad] * (width - len(row)) + list(row) for row in place])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in place])
        output = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=(mask.cumsum(1) - 1).clamp(min=0),
            use_cache=True,
            logits_to_keep=1,
        )
        cache = output.past_key_values
        cache.batch_select_indices(spread)
        return output.logits[spread, -1].float(), cache, mask[spread]


def _draws(rows: Sequence[Sequence[int]], earlier: Counter[tuple[int, ...]]) -> list[int]:
    """How often each row's prompt is drawn before it, which adds to `earlier`."""
    draws = []
    for row in rows:
        prompt = tuple(row)
        draws.append(earlier[prompt])
        earlier[prompt] += 1
    return draws


def _chances(rows: Sequence[Sequence[int]], limits: Sequence[int], seed: str, draws: Sequence[int]) -> torch.Tensor:
    """A number in [0, 1) for each token of each row's response, by the seed, the row's prompt and its draw."""
    chances_N_T = torch.zeros(len(rows), max(limits, default=0), dtype=torch.float64)
    generator = torch.Generator()
    for i, (row, limit, drawn) in enumerate(zip(rows, limits, draws, strict=True)):
        digest = hashlib.sha256(f"{seed}/{drawn}/{tuple(row)}".encode()).digest()
        generator.manual_seed(int.from_bytes(digest[:7], "big"))
        torch.rand(limit, generator=generator, out=chances_N_T[i, :limit])
    return chances_N_T


def draw(logits_B_V: torch.Tensor, sampling: Sampling, chances_B: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """One token per row: the one at which the cumulated distribution passes the row's chance.

    Returns:
        Tokens and their log-probabilities at `temperature`, both of shape (B,).
    """
    if sampling.temperature <= 0:
        log_probs = torch.log_softmax(logits_B_V, -1)
        tokens = logits_B_V.argmax(-1)
        return tokens, log_probs.gather(1, tokens[:, None]).squeeze(1)
    scaled = logits_B_V / sampling.temperature
    log_probs = torch.log_softmax(scaled, -1)
    kept = scaled
    if 0 < sampling.top_k < scaled.shape[1]:
        threshold = kept.topk(sampling.top_k, -1).values[:, -1:]
        kept = kept.masked_fill(kept < threshold, float("-inf"))
    if sampling.top_p < 1:
        ordered, index = kept.sort(-1, descending=True)
        before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
        kept = kept.masked_fill((before >= sampling.top_p).scatter(1, index, before >= sampling.top_p), float("-inf"))
    passed_B_V = kept.softmax(-1).cumsum(-1, dtype=torch.float64)
    tokens = torch.searchsorted(passed_B_V, chances_B[:, None] * passed_B_V[:, -1:], right=True).squeeze(1)
    return tokens, log_probs.gather(1, tokens[:, None]).squeeze(1)


def stop_ids(generation_config: Any, config: Any) -> frozenset[int]:
    """End-of-sequence ids of a model, from its generation config or else its config.

    Raises:
        ValueError: neither names one: nothing would ever end.
    """
    for source in (generation_config, config):
        ids = getattr(source, "eos_token_id", None)
        if ids is not None:
            return frozenset(ids if isinstance(ids, list | tuple) else [ids])
    raise ValueError("the model names no end-of-sequence token (eos_token_id)")
