"""Generation on CPU against first principles and against transformers' own generate."""

from pathlib import Path

import pytest
import torch

from sweeper.generation import Sampling, cpu
from sweeper.generation.cpu import draw, stop_ids
from tests.verl.models import engine

PROMPTS = [[5, 6, 7], [9], [5, 6, 7, 8, 30, 31, 32], [100, 101]]
GREEDY = Sampling(temperature=0.0, max_tokens=12)


def test_greedy_completions_equal_those_of_transformers_generate(tiny_model: Path) -> None:
    model = engine(tiny_model).model
    for prompt in PROMPTS:
        expected = model.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), max_new_tokens=12, do_sample=False
        )
        [[ours]] = engine(tiny_model).generate([prompt], n=1, sampling=GREEDY, seed=0)
        assert ours.token_ids == expected[0, len(prompt) :].tolist()


def test_log_probs_are_those_of_one_forward_pass_at_the_sampling_temperature(tiny_model: Path) -> None:
    sampling = Sampling(temperature=0.7, top_p=0.9, max_tokens=10)
    groups = engine(tiny_model).generate(PROMPTS, n=3, sampling=sampling, seed=3)
    for prompt, group in zip(PROMPTS, groups, strict=True):
        for sample in group:
            with torch.inference_mode():
                logits = (
                    engine(tiny_model).model(torch.tensor([prompt + sample.token_ids])).logits[0, len(prompt) - 1 : -1]
                )
            expected = torch.log_softmax(logits / 0.7, -1).gather(1, torch.tensor(sample.token_ids)[:, None]).squeeze(1)
            torch.testing.assert_close(torch.tensor(sample.log_probs), expected, atol=1e-4, rtol=0)


def test_sampled_tokens_follow_the_tempered_softmax(tiny_model: Path) -> None:
    n, prompt, temperature = 20_000, PROMPTS[0], 1.5
    with torch.inference_mode():
        expected = (engine(tiny_model).model(torch.tensor([prompt])).logits[0, -1] / temperature).softmax(-1)
    [group] = engine(tiny_model).generate(
        [prompt], n=n, sampling=Sampling(temperature=temperature, max_tokens=1), seed=1
    )
    counts = torch.bincount(torch.tensor([sample.token_ids[0] for sample in group]), minlength=len(expected))
    statistic = float(((counts - n * expected) ** 2 / (n * expected)).sum())
    degrees = len(expected) - 1
    assert abs(statistic - degrees) < 5 * (2 * degrees) ** 0.5  # chi-square: mean k, variance 2k


def test_sharing_a_prompt_among_its_samples_changes_nothing(tiny_model: Path) -> None:
    together = engine(tiny_model).generate(PROMPTS, n=3, sampling=GREEDY, seed=0)
    alone = [engine(tiny_model).generate([prompt], n=1, sampling=GREEDY, seed=0)[0][0] for prompt in PROMPTS]
    for group, single in zip(together, alone, strict=True):
        assert [sample.token_ids for sample in group] == [single.token_ids] * 3


def test_small_batches_complete_every_row_in_its_place(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = engine(tiny_model).generate(PROMPTS, n=5, sampling=GREEDY, seed=0)
    monkeypatch.setattr(cpu, "MAX_CACHE_BYTES", 40_000)
    split = engine(tiny_model).generate(PROMPTS, n=5, sampling=GREEDY, seed=0)
    assert [[s.token_ids for s in group] for group in split] == [[s.token_ids for s in group] for group in whole]


def test_the_seed_decides_the_samples(tiny_model: Path) -> None:
    def sampled(seed: int) -> list[list[int]]:
        groups = engine(tiny_model).generate(PROMPTS, n=8, sampling=Sampling(max_tokens=6), seed=seed)
        return [sample.token_ids for group in groups for sample in group]

    assert sampled(7) == sampled(7)
    assert sampled(7) != sampled(8)


def test_each_row_stops_at_its_own_limit_or_at_the_end_token(tiny_model: Path) -> None:
    rows, limits = [[5, 6, 7]] * 200, [1 + i % 12 for i in range(200)]
    samples = engine(tiny_model).complete(rows, limits, Sampling(temperature=3.0, max_tokens=12), seed=2)
    end = stop_ids(engine(tiny_model).model.generation_config, engine(tiny_model).model.config)
    assert any(sample.finished for sample in samples)
    for sample, limit in zip(samples, limits, strict=True):
        assert len(sample.token_ids) == len(sample.log_probs) <= limit
        assert sample.finished == (sample.token_ids[-1] in end)
        assert sample.finished or len(sample.token_ids) == limit
        assert not end & set(sample.token_ids[:-1])


def test_filters_keep_the_most_likely_tokens_only() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.15, 0.1]])).repeat(2000, 1)
    for sampling, kept in (
        (Sampling(top_k=2, max_tokens=1), {0, 1}),
        (Sampling(top_p=0.7, max_tokens=1), {0, 1}),
        (Sampling(top_p=0.75, max_tokens=1), {0, 1}),
        (Sampling(top_p=0.8, max_tokens=1), {0, 1, 2}),
        (Sampling(top_p=0.01, max_tokens=1), {0}),
    ):
        tokens, _ = draw(logits, sampling, torch.Generator().manual_seed(0))
        assert set(tokens.tolist()) == kept, sampling


def test_a_model_that_names_no_end_token_is_refused(tiny_model: Path) -> None:
    with pytest.raises(ValueError, match="end-of-sequence"):
        stop_ids(object(), object())
