"""The CPU server of verl's rollout: where a completion ends."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def completions(model: Path, *asked: dict[str, Any]) -> list[Any]:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from sweeper.verl_cpu.rollout import CpuServer

    weights = AutoModelForCausalLM.from_pretrained(model)
    told = SimpleNamespace(
        hf_config=AutoConfig.from_pretrained(model),
        generation_config=weights.generation_config,
        tokenizer=AutoTokenizer.from_pretrained(model),
    )
    server = CpuServer(SimpleNamespace(seed=0, prompt_length=16, response_length=24), told, 0)

    async def all_of_them() -> list[Any]:
        await server.update_weights(dict(weights.state_dict()), global_steps=1)
        asks = [server.generate("r", [5, 6, 7], {"temperature": 0.0, "logprobs": True, **one}) for one in asked]
        return await asyncio.gather(*asks)

    return asyncio.run(all_of_them())


def test_a_completion_ends_with_the_first_stop_token_it_is_asked_to_end_at(tiny_model: Path) -> None:
    (whole,) = completions(tiny_model, {})
    stop = whole.token_ids[2]
    place = whole.token_ids.index(stop)
    cut, free = completions(tiny_model, {"stop_token_ids": [stop, 1_000]}, {})
    assert cut.token_ids == whole.token_ids[: place + 1]
    assert len(cut.log_probs) == place + 1
    assert cut.stop_reason == "completed"
    assert free.token_ids == whole.token_ids


def test_a_turn_has_no_more_tokens_than_its_loop_says_are_left(tiny_model: Path) -> None:
    whole, late = completions(tiny_model, {}, {"max_tokens": 3})
    assert len(whole.token_ids) > 3
    assert (late.token_ids, late.stop_reason) == (whole.token_ids[:3], "length")
