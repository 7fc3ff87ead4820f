"""Groups of responses: without signal, and thrown away by dynamic sampling."""

from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest

from sweeper.rows.curve import curve_point
from sweeper.rows.curve_point import signals
from sweeper.rows.groups import Discarded, Groups, groups_of
from sweeper.training import sampler
from sweeper.training.sampler import MOST_DRAWN, CountingReplayBuffer, NoSignalError

KEYS = ["a_0_0", "a_1_0", "b_0_0", "b_1_0", "c_0_0", "c_1_0"]


def scored(*rewards: float) -> list[dict[str, Any]]:
    return [{"reward_extra_info": {"score": one, "acc": float(one == 1), "late": ""}} for one in rewards]


def buffer(**asked: Any) -> CountingReplayBuffer:
    return CountingReplayBuffer(
        trainer_mode="sync", trainer_config={}, max_off_policy_threshold=None, max_off_policy_strategy="drop",
        sampler_kwargs=asked, refill_fn=lambda n: n, poll_interval=0.0,
    )  # fmt: skip


def test_groups_without_signal_are_those_of_one_reward_right_or_not() -> None:
    prompts = [key.split("_")[0] for key in KEYS]
    assert groups_of(prompts, scored(1, 1, 0, 0, 1, 0)) == Groups(n=3, all_right=1, none_right=1)
    partly = groups_of(prompts, scored(0.5, 0.5, 0.5, 0.25, 0, 0))  # partial credit differs: something to learn
    assert partly == Groups(n=3, all_right=0, none_right=2)
    assert partly.without_signal == pytest.approx(2 / 3)


def test_groups_of_one_response_and_scores_to_come_are_not_counted() -> None:
    assert groups_of(["a", "b"], scored(1, 0)) is None
    assert groups_of(["a", "a"], [*scored(1), {}]) is None


def test_a_steps_groups_are_metrics_from_which_the_curve_has_them_back() -> None:
    told = buffer().counted("train", KEYS, scored(1, 1, 0, 0, 1, 0))
    assert told["groups/without_signal_mean"] == pytest.approx(2 / 3)
    assert "discarded/sum/groups" not in told
    point = curve_point(3, told)
    assert (point.groups, point.discarded) == (Groups(n=3, all_right=1, none_right=1), None)
    assert buffer().counted("val", KEYS, scored(1, 1, 0, 0, 1, 0)) == {}


def test_signals_of_a_step_are_numbers_and_none_where_it_did_not_measure_them() -> None:
    told = buffer().counted("train", KEYS, scored(1, 1, 0, 0, 1, 0))
    told |= {"response_length/clip_ratio": 0.25, "actor/pg_clipfrac": 0.01, "actor/grad_norm": 2.0}
    point = curve_point(3, told | {"perf/total_num_tokens": 90, "perf/time_per_step": 2.0})
    assert (point.truncated, point.clip_share, point.grad_norm) == (0.25, 0.01, 2.0)
    found = signals(asdict(point))
    assert found["groups_without_signal"] == pytest.approx(2 / 3)
    assert found["groups_all_right"] == pytest.approx(1 / 3)
    assert (found["discarded_groups"], found["tokens_per_s"]) == (None, 45.0)
    assert set(signals(asdict(curve_point(3, {}))).values()) == {None}


class Queue:
    """verl's queue, with finished groups of two responses, by their rewards."""

    def __init__(self, *rewards: tuple[float, float]) -> None:
        self.groups = {f"p{number}": pair for number, pair in enumerate(rewards)}

    def kv_list(self) -> dict[str, Any]:
        prompts = {uid: {"is_prompt": True, "global_steps": 1, "status": "finished"} for uid in self.groups}
        parts = {f"{uid}_{i}_0": {"seq_len": 9, "response_len": 4} for uid in self.groups for i in range(2)}
        return {"train": prompts | parts}

    def kv_clear(self, keys: list[str], **_: str) -> None:
        for key in keys:
            self.groups.pop(key, None)

    def kv_batch_get(self, keys: list[str], select_fields: list[str], **_: Any) -> dict[str, Any]:
        rewards = [self.groups[key.split("_")[0]][int(key.split("_")[1])] for key in keys]
        if select_fields == ["rm_scores"]:
            return {
                "rm_scores": [SimpleNamespace(sum=lambda one=one: SimpleNamespace(item=lambda: one)) for one in rewards]
            }
        return {"extra_fields": scored(*rewards)}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Any:
    def hold(*rewards: tuple[float, float]) -> Queue:
        queue = Queue(*rewards)
        kept = dict(queue.groups)
        for name in ("kv_list", "kv_clear"):
            monkeypatch.setattr(f"transfer_queue.{name}", getattr(queue, name))

        def get(keys: list[str], **more: Any) -> dict[str, Any]:
            queue.groups = {**kept, **queue.groups} if "extra_fields" in more["select_fields"] else queue.groups
            return queue.kv_batch_get(keys, **more)

        monkeypatch.setattr("transfer_queue.kv_batch_get", get)
        return queue

    return hold


def test_what_dynamic_sampling_throws_away_is_counted_with_its_tokens(held: Any) -> None:
    held((1, 1), (0, 0), (1, 0), (0, 1), (1, 0))
    _, told = buffer(filter_groups=True, batch=2).sample(1, "train", 2)
    found = curve_point(1, told)
    assert found.discarded == Discarded(groups=3, responses=6, tokens=54, response_tokens=24)  # two alike, one too many
    assert found.groups == Groups(n=2, all_right=0, none_right=0)
    assert told["training/filter_groups/evicted_samples"] == 2


def test_a_step_that_finds_nothing_to_learn_from_ends_the_run(held: Any) -> None:
    held(*[(0, 0)] * (2 * MOST_DRAWN + 1))
    with pytest.raises(
        NoSignalError, match=r"21 groups were drawn for a step and thrown away, more than 10 batches of 2"
    ):
        buffer(filter_groups=True, batch=2).sample(1, "train", 2)
    assert sampler.MOST_DRAWN == 10
