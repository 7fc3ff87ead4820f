"""How `VllmEngine` keeps vLLM busy, with a stand-in for the engine; vLLM itself answers in tests/vllm."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sweeper.evaluation.dealing import Deal
from sweeper.evaluation.worker import engine_seed
from sweeper.generation import Prompt, Request, Sampling
from sweeper.generation.sampling import Take
from sweeper.generation.vllm import AT_ONCE, VllmEngine, engine_arguments


@dataclass
class Asked:
    name: str
    parameters: dict[str, Any]
    steps: int


class StandIn:
    """Decodes `AT_ONCE` requests together, first come, first served, and tells which have ended.

    The first request of all takes 40 steps, the others between 2 and 5; a response is as long as its steps.
    """

    def __init__(self) -> None:
        self.waiting: list[Asked] = []
        self.asked: list[Asked] = []
        self.at_once: list[int] = []  # requests that ran, of every step

    def get_num_unfinished_requests(self) -> int:
        return len(self.waiting)

    def has_unfinished_requests(self) -> bool:
        return bool(self.waiting)

    def add_request(self, name: str, prompt: dict[str, list[int]], parameters: dict[str, Any]) -> None:
        steps = 40 if not self.asked else 2 + (prompt["prompt_token_ids"][0] + len(self.asked)) % 4
        self.asked.append(Asked(name, parameters, steps))
        self.waiting.append(Asked(name, parameters, steps))

    def step(self) -> list[SimpleNamespace]:
        running = self.waiting[:AT_ONCE]
        self.at_once.append(len(running))
        for one in running:
            one.steps -= 1
        self.waiting = [one for one in self.waiting if one.steps]
        return [self._ended(one) for one in running if not one.steps]

    def _ended(self, one: Asked) -> SimpleNamespace:
        output = SimpleNamespace(
            token_ids=[7, 8], finish_reason="stop" if one.name.partition("/round")[0].endswith("0") else "length"
        )
        return SimpleNamespace(request_id=one.name, finished=True, outputs=[output])


def taking(prompts: int) -> tuple[Take, list[int]]:
    """Deals prompts 0 to `prompts`; and how many were asked for, each time."""
    numbers, asked = iter(range(prompts)), list[int]()

    def take(most: int) -> list[tuple[int, Prompt]]:
        asked.append(most)
        given: Iterator[int] = (number for _, number in zip(range(most), numbers, strict=False))
        return [(number, Prompt(token_ids=(number,))) for number in given]

    return take, asked


def engine(stand_in: StandIn) -> VllmEngine:
    return VllmEngine(stand_in, dict)


def test_every_prompt_is_answered_n_times_and_told_when_its_last_sample_has_ended() -> None:
    stand_in = StandIn()
    take, _ = taking(100)
    answers = [one for some in engine(stand_in).answers(take, n=16, sampling=Sampling(max_tokens=4)) for one in some]
    assert sorted(number for number, _ in answers) == list(range(100))
    assert {len(samples) for _, samples in answers} == {16}
    assert answers[-1][0] == 0  # the one with the slow sample kept nobody waiting
    assert [sample.finished for sample in answers[0][1]].count(True) == 2  # draws 0 and 10
    assert list(answers[0][1][0].token_ids) == [7, 8]


def test_the_engine_is_full_until_all_prompts_are_dealt_whatever_one_sample_takes() -> None:
    stand_in = StandIn()
    take, _ = taking(500)
    list(engine(stand_in).answers(take, n=16, sampling=Sampling(max_tokens=4)))
    full = next(step for step, running in enumerate(stand_in.at_once) if running < AT_ONCE)
    left = sum(one.steps for one in stand_in.asked) - full * AT_ONCE
    assert left < 5 * AT_ONCE + 40  # what it held then, if none had begun
    assert len(stand_in.at_once) == 40  # as long as the slow sample alone


def test_no_more_prompts_are_taken_than_the_engine_has_room_for() -> None:
    take, asked = taking(500)
    list(engine(StandIn()).answers(take, n=128, sampling=Sampling(max_tokens=4)))
    assert asked[0] == AT_ONCE // 128
    assert max(asked) == AT_ONCE // 128


def test_no_request_has_a_seed_of_its_own() -> None:
    stand_in = StandIn()
    take, _ = taking(3)
    list(engine(stand_in).answers(take, n=2, sampling=Sampling(max_tokens=4, temperature=0.7, top_p=0.9)))
    asked = [one.parameters for one in stand_in.asked]
    assert asked == [
        {"n": 1, "temperature": 0.7, "top_p": 0.9, "top_k": -1, "max_tokens": 4, "detokenize": False} for _ in range(6)
    ]


def test_engines_whose_samples_are_counted_together_have_different_seeds(tmp_path: Path) -> None:
    def seed(name: str, measured: int, of: int = 0, model: str = "trained") -> int:
        left = tuple(range(measured, 100))
        deal = Deal.begin(tmp_path / "counts.a.deal", settings="said", left=left, total=100, workers=8)
        return engine_seed(Namespace(seed=of, model=Path(model)), deal, name)

    seeds = [seed(str(name), measured) for name in range(8) for measured in (0, 20, 60)]
    assert len({*seeds, seed("0", 0, of=1), seed("0", 0, model="base")}) == 26
    assert seed("3", 20) == seed("3", 20)
    assert all(0 <= one < 2**31 for one in seeds)  # numpy's and torch's seeds have 32 bits


def test_an_engine_plans_for_the_longest_sequence_asked_of_it_and_graphs_for_as_many_as_it_decodes() -> None:
    given = engine_arguments(Path("m"), tensor_parallel=4, longest=5120, seed=7)
    assert given == {
        "model": "m",
        "tensor_parallel_size": 4,
        "gpu_memory_utilization": 0.85,
        "enable_prefix_caching": True,
        "max_model_len": 5120,
        "max_num_seqs": AT_ONCE,
        "compilation_config": {"max_cudagraph_capture_size": AT_ONCE},
        "seed": 7,
    }


def test_a_round_answers_every_request_in_its_order_each_with_its_own_limit() -> None:
    stand_in = StandIn()
    asked = [Request(token_ids=(number, 1, 2), limit=3 + number, draw=number) for number in range(30)]
    one = engine(stand_in)
    first = one.round(asked, sampling=Sampling(max_tokens=99, stops=(5,)))
    again = one.round(asked[:3], sampling=Sampling(max_tokens=99))
    assert (len(first), len(again)) == (30, 3)
    assert [sample.finished for sample in first] == [number in (0, 10, 20) for number in range(30)]
    assert [request.parameters["max_tokens"] for request in stand_in.asked] == [*range(3, 33), 3, 4, 5]
    assert [request.parameters.get("stop_token_ids") for request in stand_in.asked] == [[5]] * 30 + [None] * 3
    assert len({request.name for request in stand_in.asked}) == 33  # vLLM knows a request by its name
    assert all("seed" not in request.parameters for request in stand_in.asked)
