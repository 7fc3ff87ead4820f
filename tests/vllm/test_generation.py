"""pass@k's engine: vLLM itself, against transformers on the same weights."""

import functools
import gc
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from data_prep.materialise import materialise
from sweeper.generation import vllm
from sweeper.generation.sampling import Prompt, Request, Sample, Sampling
from sweeper.generation.vllm import VllmEngine
from sweeper.inputs.data import data_spec
from sweeper.rows.counts import read_counts
from tests.sweeper.points import spec
from tests.vllm.families import FAMILIES, build

pytestmark = pytest.mark.vllm

CONTEXT = 512
SHORT = 256
# One sequence of full length and a little; prompts are taken apart.
SCARCE = {"block_size": 32, "num_gpu_blocks_override": SHORT // 32 + 2, "max_num_batched_tokens": SHORT // 2}
TEXTS = ("What is 3 plus 4?", "Sort: b, a, d", "Python: add 7", "x")
Loaded = tuple[str, Path, VllmEngine]


def loaded(
    path: Path, *, context: int = CONTEXT, at_once: int = vllm.AT_ONCE, **settings: object
) -> Iterator[VllmEngine]:
    """In float32, in which equal weights draw equal tokens: left alone, vLLM computes float32 weights in bfloat16."""
    from vllm import LLM

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vllm.LLM", functools.partial(LLM, dtype="float32", enforce_eager=True, **settings))
        patch.setattr(vllm, "AT_ONCE", at_once)
        yield VllmEngine.load(path, tensor_parallel=1, longest=context, seed=0)
    gc.collect()  # ends its process


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    path = build(tmp_path_factory.mktemp("model"), request.param, context=CONTEXT)
    for engine in loaded(path):
        yield request.param, path, engine


def completions(
    engine: VllmEngine, prompts: Sequence[Sequence[int]], *, n: int, sampling: Sampling
) -> list[list[Sample]]:
    waiting = [(number, Prompt(prompt)) for number, prompt in enumerate(prompts)]

    def take(room: int) -> list[tuple[int, Prompt]]:
        taken = waiting[:room]
        del waiting[:room]
        return taken

    found = dict(pair for pairs in engine.answers(take, n=n, sampling=sampling) for pair in pairs)
    return [found[number] for number in range(len(prompts))]


def greedy(engine: VllmEngine, prompts: Sequence[Sequence[int]], max_tokens: int) -> list[list[int]]:
    answers = completions(engine, prompts, n=1, sampling=Sampling(temperature=0.0, max_tokens=max_tokens))
    return [list(sample.token_ids) for [sample] in answers]


def by_transformers(path: Path, prompts: Sequence[Sequence[int]], max_tokens: int) -> list[list[int]]:
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)  # beside other work, two threads of so small a model mostly wait for each other
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    found = []
    for prompt in prompts:
        ids = torch.tensor([list(prompt)])
        out = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=max_tokens)
        found.append(out[0, len(prompt) :].tolist())
    return found


def prompts_of(path: Path, *texts: str) -> list[list[int]]:
    """In the model's chat template, as the evaluation reads them."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path)
    chats = [[{"role": "user", "content": text}] for text in texts]
    asked = [tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False) for chat in chats]
    return [tokenizer(text, add_special_tokens=False)["input_ids"] for text in asked]


def test_greedy_rounds_go_on_as_transformers_does_from_what_came_before(family: Loaded) -> None:
    _, path, engine = family
    rows = prompts_of(path, *TEXTS)
    for length in (16, 8):  # of each turn; after it something is observed
        requests = [Request(token_ids=row, limit=length, draw=number) for number, row in enumerate(rows)]
        samples = engine.round(requests, sampling=Sampling(temperature=0.0, max_tokens=1))
        turns = [list(sample.token_ids) for sample in samples]
        assert turns == by_transformers(path, rows, length)
        rows = [[*row, *turn, *rows[0][:5]] for row, turn in zip(rows, turns, strict=True)]


def stops_of(name: str, path: Path) -> set[int]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(path)
    return set(tokenizer.convert_tokens_to_ids(list(FAMILIES[name].stops)))


def test_greedy_answers_are_those_of_transformers(family: Loaded) -> None:
    _, path, engine = family
    prompts = prompts_of(path, *TEXTS)
    assert greedy(engine, prompts, 32) == by_transformers(path, prompts, 32)


def test_every_stop_token_of_the_family_ends_an_answer_and_is_its_last(family: Loaded) -> None:
    name, path, engine = family
    stops, ended = stops_of(name, path), set()
    for group in completions(engine, prompts_of(path, *TEXTS), n=64, sampling=Sampling(max_tokens=48)):
        for sample in group:
            last = sample.token_ids[-1]
            assert stops.isdisjoint(sample.token_ids[:-1])
            assert sample.finished == (last in stops)
            assert sample.finished or len(sample.token_ids) == 48
            ended |= {last} if sample.finished else set()
    assert ended == stops


def test_samples_of_a_prompt_differ_and_an_engine_draws_none_again(family: Loaded) -> None:
    _, path, engine = family
    prompts, sampling = prompts_of(path, *TEXTS), Sampling(max_tokens=16)
    drawn = [group for _ in range(2) for group in completions(engine, prompts, n=8, sampling=sampling)]
    samples = [tuple(sample.token_ids) for group in drawn for sample in group]
    assert len(samples) == 2 * 8 * len(TEXTS)
    # Two may well be a stop token and nothing else.
    long = [sample for sample in samples if len(sample) >= 8]
    assert len(long) > len(samples) / 2
    assert len(set(long)) == len(long)


@pytest.fixture(scope="module")
def scarce(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    path = build(tmp_path_factory.mktemp("model"), "smollm", context=SHORT)
    for engine in loaded(path, context=SHORT, at_once=SCARCE["max_num_batched_tokens"], **SCARCE):
        yield "smollm", path, engine


def test_a_full_cache_makes_answers_wait_and_changes_none(scarce: Loaded) -> None:
    _, path, engine = scarce
    prompts = prompts_of(path, *(f"{text} {number}" for number in range(3) for text in TEXTS))
    assert sum(len(prompt) + 64 for prompt in prompts) > 3 * SCARCE["block_size"] * SCARCE["num_gpu_blocks_override"]
    assert greedy(engine, prompts, 64) == by_transformers(path, prompts, 64)


def test_a_prompt_that_fills_the_context_beside_short_ones_is_answered_as_by_transformers(scarce: Loaded) -> None:
    _, path, engine = scarce
    [long] = prompts_of(path, "Python: " + "mod 7 plus " * 45)
    long = long[-(SHORT - 32) :]
    assert len(long) == SHORT - 32 > SCARCE["max_num_batched_tokens"]
    prompts = [*prompts_of(path, *TEXTS), long]
    assert greedy(engine, prompts, 32) == by_transformers(path, prompts, 32)


def test_two_engines_share_the_problems_and_count_as_one_does(tmp_path: Path) -> None:
    path = build(tmp_path / "model", "smollm")
    asked = spec("model=tiny-40k", "cluster.device=cpu", "eval.problems_per_domain=4", "data_scale=n64")
    data = materialise(data_spec(asked), tmp_path / "data").evaluation

    def counted(shards: int) -> list[tuple[str, int, int]]:
        out = tmp_path / f"{shards}.jsonl"
        command = [sys.executable, "-m", "sweeper.evaluation.evaluate", f"--model={path}", f"--data={data}"]
        command += [f"--out={out}", "--n=4", "--temperature=0", "--max-tokens=24", "--engine=vllm"]
        subprocess.run([*command, f"--shards={shards}"], check=True)
        return [(item.problem_id, item.n, item.prompt_tokens) for item in read_counts(out)]

    found = counted(2)
    assert found == counted(1)
    assert len(found) == 16
