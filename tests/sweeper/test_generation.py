from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sweeper.generation import Prompt, Request, Sampling
from sweeper.generation.sampling import Sample

if TYPE_CHECKING:
    from sweeper.generation.cpu import CpuEngine

PROMPTS = [[5, 6, 7], [9], [5, 6, 7, 8, 10, 11, 12], [30, 31]]


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> "CpuEngine":
    import torch

    from sweeper.generation.cpu import CpuEngine

    torch.set_num_threads(1)  # such small products are faster so, far more on a busy machine
    return CpuEngine.load(tiny_model, pad_id=0)


def flat(groups: list[list[Sample]]) -> list[list[int]]:
    return [list(sample.token_ids) for group in groups for sample in group]


def greedy(max_tokens: int) -> Sampling:
    return Sampling(temperature=0.0, max_tokens=max_tokens)


def model_log_probs(model: Any, prompt: list[int], response: Sequence[int], temperature: float = 1.0) -> list[float]:
    import torch

    with torch.inference_mode():
        logits = model(torch.tensor([[*prompt, *response]])).logits[0].float() / temperature
    log_probs = torch.log_softmax(logits, -1)
    return [float(log_probs[len(prompt) + i - 1, token]) for i, token in enumerate(response)]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_generation_equals_transformers_own(engine: "CpuEngine", prompt: list[int]) -> None:
    import torch

    ids = torch.tensor([prompt])
    expected = engine.model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=24)
    [[sample]] = engine.generate([prompt], n=1, sampling=greedy(24), seed=0)
    assert sample.token_ids == expected[0, len(prompt) :].tolist()


def test_prompts_of_different_lengths_in_one_batch_do_not_disturb_each_other(engine: "CpuEngine") -> None:
    together = engine.generate(PROMPTS, n=1, sampling=greedy(16), seed=0)
    alone = [engine.generate([prompt], n=1, sampling=greedy(16), seed=0)[0] for prompt in PROMPTS]
    assert flat(together) == flat(alone)


def test_samples_of_a_shared_prompt_have_the_log_probabilities_of_unshared_ones(engine: "CpuEngine") -> None:
    [group] = engine.generate([PROMPTS[2]], n=16, sampling=Sampling(max_tokens=12), seed=3)
    for sample in group:
        assert sample.log_probs == pytest.approx(model_log_probs(engine.model, PROMPTS[2], sample.token_ids), abs=1e-4)


def test_log_probabilities_are_of_the_tempered_unfiltered_distribution(engine: "CpuEngine") -> None:
    sampling = Sampling(temperature=0.7, top_p=0.9, top_k=20, max_tokens=12)
    for prompt, group in zip(PROMPTS, engine.generate(PROMPTS, n=2, sampling=sampling, seed=1), strict=True):
        for sample in group:
            expected = model_log_probs(engine.model, prompt, sample.token_ids, 0.7)
            assert sample.log_probs == pytest.approx(expected, abs=1e-4)


def test_the_same_seed_gives_the_same_samples_and_another_seed_others(engine: "CpuEngine") -> None:
    def sampled(seed: int) -> list[list[int]]:
        return flat(engine.generate(PROMPTS, n=4, sampling=Sampling(max_tokens=12), seed=seed))

    assert sampled(1) == sampled(1) != sampled(2)


def test_samples_hang_on_no_neighbour_and_no_order_of_arrival(engine: "CpuEngine") -> None:
    def drawn(*batches: list[list[int]]) -> list[tuple[tuple[int, ...], list[int]]]:
        earlier, sampling = Counter[tuple[int, ...]](), Sampling(max_tokens=12)
        done = [
            (tuple(row), list(sample.token_ids))
            for rows in batches
            for row, sample in zip(
                rows, engine.complete(rows, [12] * len(rows), sampling, seed="0", earlier=earlier), strict=True
            )
        ]
        return sorted(done)

    rows = [PROMPTS[0], PROMPTS[1], PROMPTS[0], PROMPTS[2]]
    assert drawn(rows) == drawn(rows[::-1]) == drawn(rows[:1], rows[1:]) == drawn(rows[2:], rows[:2])


def test_answers_hang_not_on_which_prompts_are_taken_together(engine: "CpuEngine") -> None:
    prompts = [Prompt(PROMPTS[0]), Prompt(PROMPTS[1]), Prompt(PROMPTS[0], earlier=3), Prompt(PROMPTS[2])]

    def answered(*parts: list[int]) -> dict[int, list[list[int]]]:
        left = [*parts, []]
        return {
            number: [list(sample.token_ids) for sample in samples]
            for some in engine.answers(
                lambda _: [(i, prompts[i]) for i in left.pop(0)], n=3, sampling=Sampling(max_tokens=12)
            )
            for number, samples in some
        }

    together = answered([0, 1, 2, 3])
    assert together == answered([3], [2], [1], [0]) == answered([2, 0], [3, 1])
    assert together[0] != together[2]  # of one wording, and drawn anew


def test_a_turn_hangs_on_what_came_before_and_its_draw_not_on_the_round(engine: "CpuEngine") -> None:
    requests = [Request(prompt, 12, draw) for prompt in PROMPTS for draw in (0, 7)]

    def turns(some: Sequence[Request]) -> list[list[int]]:
        return [list(sample.token_ids) for sample in engine.round(some, sampling=Sampling(max_tokens=1))]

    together = turns(requests)
    assert together == [turn for request in requests for turn in turns([request])]
    assert together == turns(requests[::-1])[::-1]
    assert len(set(map(tuple, together))) == len(requests)
    assert together[0] == list(
        engine.generate(PROMPTS[:1], n=1, sampling=Sampling(max_tokens=12), seed=0)[0][0].token_ids
    )


def test_a_turn_has_a_limit_and_stop_tokens_of_its_own(engine: "CpuEngine") -> None:
    free = engine.round([Request(PROMPTS[0], 12, 0)], sampling=Sampling(max_tokens=1))[0].token_ids
    cut, short = engine.round(
        [Request(PROMPTS[0], 12, 0), Request(PROMPTS[0], 2, 0)], sampling=Sampling(max_tokens=1, stops=(free[3],))
    )
    end = list(free).index(free[3]) + 1
    assert (list(cut.token_ids), cut.finished) == (list(free[:end]), True)
    assert list(short.token_ids) == list(free[:2])


def test_the_samples_of_one_prompt_differ(engine: "CpuEngine") -> None:
    samples = flat(engine.generate([PROMPTS[0]], n=16, sampling=Sampling(max_tokens=12), seed=0))
    assert len({tuple(sample) for sample in samples}) == 16


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_token_frequencies_match_the_softmax(temperature: float) -> None:
    import torch
    from scipy.stats import chisquare

    from sweeper.generation.cpu import draw

    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, 0.5])
    sampling = Sampling(temperature=temperature, max_tokens=1)
    tokens, _ = draw(
        logits.expand(20_000, -1), sampling, torch.rand(20_000, generator=torch.Generator().manual_seed(0))
    )
    expected = torch.softmax(logits.double() / temperature, -1) * 20_000
    assert chisquare(torch.bincount(tokens, minlength=5).numpy(), expected.numpy()).pvalue > 1e-3


def test_top_k_and_top_p_never_draw_what_they_exclude() -> None:
    import torch

    from sweeper.generation.cpu import draw

    logits = torch.log(torch.tensor([0.5, 0.3, 0.15, 0.05])).expand(5000, -1)
    chances = torch.linspace(0, 1, 5001, dtype=torch.float64)[:-1]
    assert set(draw(logits, Sampling(top_k=2, max_tokens=1), chances)[0].tolist()) == {0, 1}
    assert set(draw(logits, Sampling(top_p=0.75, max_tokens=1), chances)[0].tolist()) == {0, 1}
    assert set(draw(logits, Sampling(top_p=0.85, max_tokens=1), chances)[0].tolist()) == {0, 1, 2}


def test_no_response_is_longer_than_its_own_limit(engine: "CpuEngine") -> None:
    limits = [1, 5, 9, 13]
    samples = engine.complete(PROMPTS, limits, Sampling(max_tokens=13), seed="0", earlier=Counter())
    assert all(len(sample.token_ids) <= limit for sample, limit in zip(samples, limits, strict=True))
    assert all(len(s.token_ids) == limit for s, limit in zip(samples, limits, strict=True) if not s.finished)


def test_a_finished_response_ends_with_the_stop_token_and_has_it_nowhere_else(engine: "CpuEngine") -> None:
    stop = int(engine.model.generation_config.eos_token_id)
    samples = [s for group in engine.generate(PROMPTS, n=64, sampling=Sampling(max_tokens=60), seed=0) for s in group]
    assert any(sample.finished for sample in samples)
    for sample in samples:
        assert (sample.token_ids[-1] == stop) == sample.finished
        assert stop not in sample.token_ids[:-1]


def test_a_tight_memory_budget_splits_the_batch_and_changes_no_answer(
    engine: "CpuEngine", monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engine.generate(PROMPTS, n=2, sampling=Sampling(max_tokens=12), seed=0)
    monkeypatch.setattr("sweeper.generation.cpu.MAX_LOGIT_BYTES", 3 * 4 * 288)
    assert engine._batch_size([10] * 8) == 3
    assert flat(engine.generate(PROMPTS, n=2, sampling=Sampling(max_tokens=12), seed=0)) == flat(whole)


def test_a_model_that_names_no_stop_token_is_refused() -> None:
    from types import SimpleNamespace

    from sweeper.generation.cpu import stop_ids

    with pytest.raises(ValueError, match="eos_token_id"):
        stop_ids(SimpleNamespace(eos_token_id=None), SimpleNamespace())


def test_a_checkpoint_with_missing_weights_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    from sweeper.generation.cpu import CpuEngine

    shutil.copytree(tiny_model, tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    renamed = {f"base_model.model.{key}": value for key, value in weights.items()}
    save_file(renamed, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="missing"):
        CpuEngine.load(tmp_path / "model", pad_id=0)
