"""The ledger against counts made by hand and against published sizes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeper.host.errors import ConfigError
from sweeper.plan.refusals import check
from sweeper.rows.flops import (
    ACCOUNTING,
    Tokens,
    adapter_params,
    forward,
    planned_flops,
    prefill_repeated,
    training_flops,
)
from sweeper.rows.row import Flops, read_row, write_row
from sweeper.rows.table import record, text
from sweeper.rows.trajectories import Trajectories
from sweeper.spec.model import Architecture
from sweeper.spec.run import RunSpec
from tests.sweeper.points import spec
from tests.sweeper.rows import row

TOY = Architecture(
    hidden_size=8,
    intermediate_size=16,
    num_layers=1,
    num_heads=2,
    num_kv_heads=1,
    vocab_size=10,
    tie_word_embeddings=True,
    attention_bias=False,
    max_position_embeddings=64,
)
# By hand: q and o 8x8, k and v 8x4, gate, up and down 8x16, three norms of 8; head 8x10.
TOY_LAYERS, TOY_HEAD = 64 + 64 + 32 + 32 + 3 * 128 + 3 * 8, 80
NONE = Tokens(sequences=0, total=0)


def toy(*overrides: str) -> RunSpec:
    run = spec(*overrides)
    return replace(run, model=replace(run.model, architecture=TOY))


def ledger(run: RunSpec, tokens: Tokens, *, steps: int = 10) -> Flops:
    return training_flops(run, steps=steps, rollouts=tokens, evaluation=None, validation=None, fine_tuning=NONE)


def test_a_toy_counted_by_hand() -> None:
    assert TOY.n_params_non_embedding == TOY.n_params_active == TOY_LAYERS
    # Two sequences of 5 tokens: each token multiplies every weight; 2 heads of width 4 attend.
    one = 2 * (TOY_LAYERS + TOY_HEAD) * 10 + 2 * (2 * 4 * 2 * 1 * 25)
    tokens = Tokens(sequences=2, total=10, response=6)
    assert forward(TOY, tokens) == one
    counted = ledger(toy("algorithm.kl.in_loss=true"), tokens)
    assert (counted.generation, counted.log_prob, counted.reference, counted.actor) == (one, one, one, 3 * one)
    assert (counted.critic, counted.fine_tuning, counted.total) == (0, 0, 6 * one)
    assert (counted.prompt_tokens, counted.response_tokens) == (4, 6)
    assert counted.evaluation is None


def test_without_kl_there_is_no_reference_pass_and_in_bypass_mode_no_old_log_prob() -> None:
    tokens = Tokens(sequences=2, total=10)
    assert ledger(toy(), tokens).reference == 0
    for key in ("+verl.algorithm.rollout_correction.bypass_mode=true",):
        assert ledger(toy(key), tokens).log_prob == 0
    assert ledger(toy(), tokens).prompt_tokens is None


def test_a_critic_has_no_head_and_waits_for_no_one() -> None:
    tokens = Tokens(sequences=2, total=10)
    value = 2 * TOY_LAYERS * 10 + 800
    run = toy("algorithm=ppo", "algorithm.ppo_epochs=2", "algorithm.critic_warmup=4")
    counted = ledger(run, tokens, steps=10)
    assert counted.critic == value * (1 + 3 * 2)
    # verl updates the actor from the step whose number is critic_warmup: 7 of 10 steps.
    assert counted.actor == pytest.approx(0.7 * 2 * 3 * forward(TOY, tokens))


def test_low_rank_adapters_save_the_weight_gradients_and_add_their_own() -> None:
    run = toy("algorithm.lora.rank=3")
    sides = (8 + 8) + 2 * (8 + 4) + (8 + 8) + 3 * (8 + 16)
    assert adapter_params(TOY, run) == 3 * sides
    tokens = Tokens(sequences=1, total=10)
    counted, matrices, attention = ledger(run, tokens), TOY_LAYERS + TOY_HEAD, 2 * 8 * 100
    assert counted.actor == 4 * matrices * 10 + 3 * attention + 6 * 3 * sides * 10
    assert counted.generation == 2 * matrices * 10 + attention
    assert adapter_params(TOY, toy("algorithm.lora.rank=3", "algorithm.lora.target_modules=[all-linear]")) == 3 * sides


def test_adapters_on_a_matrix_that_is_not_there_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"lora\.target_modules has c_attn: choose from q_proj"):
        check(spec("algorithm.lora.rank=3", "algorithm.lora.target_modules=[q_proj,c_attn]"), family="tiny")


def test_gradient_checkpointing_is_no_model_flops() -> None:
    tokens = Tokens(sequences=2, total=10)
    plain, saving = (ledger(toy(f"model.resources.gradient_checkpointing={on}"), tokens) for on in ("false", "true"))
    assert (plain.recomputed, saving.recomputed) == (0, 2 * TOY_LAYERS * 10 + 800)
    assert plain.total == saving.total


def test_a_token_pays_for_the_experts_it_passes() -> None:
    shape = replace(TOY, num_experts=4, experts_per_token=2, expert_size=6, shared_expert_size=5)
    expert = 3 * 8 * 6
    rest = 64 + 64 + 32 + 32 + 3 * 8 + 8 * 4 + 3 * 8 * 5 + 8
    assert shape.n_params_active == rest + 2 * expert
    assert shape.n_params_non_embedding == rest + 4 * expert
    assert forward(shape, Tokens(sequences=1, total=1), head=False) == 2 * (rest + 2 * expert) + 16


def test_parameters_of_experts_are_those_of_the_models_themselves() -> None:
    import torch
    from transformers import (
        MixtralConfig,
        MixtralForCausalLM,
        Qwen2MoeConfig,
        Qwen2MoeForCausalLM,
        Qwen3MoeConfig,
        Qwen3MoeForCausalLM,
    )

    common = {"vocab_size": 32, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3}
    common |= {"num_attention_heads": 4, "num_key_value_heads": 2, "num_experts_per_tok": 2}
    shape = Architecture(
        hidden_size=16,
        intermediate_size=24,
        num_layers=3,
        num_heads=4,
        num_kv_heads=2,
        vocab_size=32,
        tie_word_embeddings=False,
        attention_bias=False,
        max_position_embeddings=64,
        num_experts=5,
        experts_per_token=2,
    )
    mixed = {"num_experts": 5, "moe_intermediate_size": 6}
    with torch.device("meta"):
        models = {
            shape: MixtralForCausalLM(MixtralConfig(**common, num_local_experts=5)),
            replace(shape, attention_bias=True, expert_size=6, shared_expert_size=10): Qwen2MoeForCausalLM(
                Qwen2MoeConfig(**common, **mixed, shared_expert_intermediate_size=10)
            ),
            replace(shape, expert_size=6, head_size=8, qk_norm=True): Qwen3MoeForCausalLM(
                Qwen3MoeConfig(**common, **mixed, head_dim=8)
            ),
        }
    for described, model in models.items():
        assert described.n_params == sum(weight.numel() for weight in model.parameters())


# Published: billions of parameters, all and active (model cards of the repositories).
EXPERTS = {
    "Mixtral-8x7B": (
        46.7,
        12.9,
        {
            "hidden_size": 4096,
            "intermediate_size": 14336,
            "num_layers": 32,
            "num_heads": 32,
            "num_kv_heads": 8,
            "vocab_size": 32000,
            "num_experts": 8,
            "experts_per_token": 2,
        },
    ),
    "Qwen3-30B-A3B": (
        30.5,
        3.3,
        {
            "hidden_size": 2048,
            "intermediate_size": 6144,
            "num_layers": 48,
            "num_heads": 32,
            "num_kv_heads": 4,
            "vocab_size": 151936,
            "num_experts": 128,
            "experts_per_token": 8,
            "expert_size": 768,
            "head_size": 128,
            "qk_norm": True,
        },
    ),
}


@pytest.mark.parametrize("name", EXPERTS)
def test_models_of_experts_have_their_published_sizes(name: str) -> None:
    everything, active, values = EXPERTS[name]
    shape = Architecture(**values, tie_word_embeddings=False, attention_bias=False, max_position_embeddings=1)
    assert shape.n_params / 1e9 == pytest.approx(everything, abs=0.06)
    assert (shape.n_params_active + shape.n_params_embedding + shape.n_params_head) / 1e9 == pytest.approx(
        active, abs=0.06
    )


@pytest.mark.parametrize("override", ["num_experts=4", "experts_per_token=2", "num_experts=4 experts_per_token=5"])
def test_half_a_description_of_experts_is_refused(override: str) -> None:
    words = [f"model.architecture.{part}" for part in override.split()]
    with pytest.raises(ConfigError, match="experts_per_token"):
        check(spec(*words), family="tiny")


QWEN = {"0.5b": 0.358, "1.5b": 1.310, "3b": 2.775, "7b": 6.525, "14b": 13.212, "32b": 31.206, "72b": 70.213}


@pytest.mark.parametrize("size", QWEN)
def test_qwen_sizes_and_the_ratio_to_the_published_convention(size: str) -> None:
    run = spec("model_family=qwen2.5", f"model=qwen2.5-{size}", "algorithm.kl.in_loss=true")
    arch = run.model.architecture
    assert arch.n_params_non_embedding / 1e9 == pytest.approx(QWEN[size], rel=1e-3)
    counted = ledger(run, Tokens(sequences=1000, total=1_000_000))
    assert counted.published_6nt == 6 * float(size[:-1]) * 1e9 * 1_000_000
    assert counted.total is not None
    assert 2.0 <= round(counted.total / counted.published_6nt, 1) <= 2.1


def test_groups_thrown_away_are_generation_alone_and_uncounted_they_leave_the_total_unknown() -> None:
    tokens = Tokens(sequences=2, total=10)
    given: dict[str, Any] = dict.fromkeys(("evaluation", "validation")) | {"steps": 1, "rollouts": tokens}
    given["fine_tuning"] = NONE
    plain = training_flops(toy(), **given)
    counted = training_flops(toy("algorithm=dapo"), **given, discarded=Tokens(sequences=4, total=20))
    assert plain.generation is not None
    assert plain.total is not None
    assert counted.generation == pytest.approx(3 * plain.generation)
    assert counted.discarded == pytest.approx(2 * plain.generation)
    assert counted.total == pytest.approx(plain.total + 2 * plain.generation)
    assert plain.discarded is None
    unknown = training_flops(toy("algorithm=dapo"), **given)
    assert (unknown.generation, unknown.total) == (None, None)
    assert unknown.actor == plain.actor


def test_supervised_fine_tuning_is_in_the_total_and_unknown_tokens_are_not_zero() -> None:
    tokens = Tokens(sequences=2, total=10)
    both: dict[str, Any] = {"steps": 1, "rollouts": tokens, "evaluation": tokens, "validation": None}
    tuned = training_flops(toy(), **both, fine_tuning=Tokens(sequences=1, total=5))
    plain = training_flops(toy(), **both, fine_tuning=NONE)
    unknown = training_flops(toy(), **both, fine_tuning=None)
    assert tuned.total is not None
    assert plain.total is not None
    assert tuned.total - plain.total == tuned.fine_tuning == 3 * (2 * (TOY_LAYERS + TOY_HEAD) * 5 + 400)
    assert (unknown.total, unknown.fine_tuning) == (None, None)
    assert plain.evaluation == forward(TOY, tokens)


def test_a_plan_bounds_every_phase_from_above() -> None:
    run = spec("algorithm=ppo", "algorithm.kl.in_reward=true", "data.sft_share=0.5")
    counted = planned_flops(run)
    unplanned = {"recomputed", "discarded", "generated_tokens", "observed_tokens", "prefill_repeated"}
    assert all(getattr(counted, name) for name in Flops.__dataclass_fields__.keys() - unplanned)


def test_rows_of_the_first_accounting_still_read(tmp_path: Path) -> None:
    phases = dict.fromkeys(("generation", "log_prob", "reference", "actor", "critic", "evaluation", "total"), 1.0)
    path = write_row(tmp_path, row(spec()))
    values = json.loads(path.read_text())
    values["flops"] = {"accounting": "forward-2NT+attention/1", **phases}
    del values["n_params_head"], values["n_params_active"]
    path.write_text(json.dumps(values))
    old = read_row(path)
    assert record(old)["flops"] == 1.0
    assert record(old)["flops_6nt"] is None
    new = replace(row(spec("seed=1")), flops=ledger(spec(), Tokens(sequences=2, total=10)))
    last = text([old, new]).splitlines()[-1]
    assert f"forward-2NT+attention/1 and {ACCOUNTING}; counted differently" in last


def test_validations_are_counted_from_their_texts(tmp_path: Path) -> None:
    from sweeper.inputs.tiny import build_tokenizer
    from sweeper.training.validation import validation_tokens

    build_tokenizer(["<answer>"]).save_pretrained(tmp_path)
    folder = tmp_path / "val"
    folder.mkdir()
    for step in (0, 5):
        (folder / f"{step}.jsonl").write_text(json.dumps({"input": "1+1?", "output": "<answer>2"}) + "\n")
    assert validation_tokens(folder, tmp_path / "tokenizer.json") == Tokens(sequences=2, total=12, response=4)
    # A model's text may hold what other readers take for the end of a line.
    odd = {"input": "1+1?", "output": "<answer>2\u2028\u0085\x1c"}
    (folder / "9.jsonl").write_text(json.dumps(odd, ensure_ascii=False) + "\n", encoding="utf-8")
    counted = validation_tokens(folder, tmp_path / "tokenizer.json")
    assert counted is not None
    assert counted.sequences == 3
    assert validation_tokens(tmp_path / "none", tmp_path / "tokenizer.json") is None
    assert validation_tokens(folder, tmp_path / "other.json") is None


def test_tokens_of_an_agents_validation_are_the_records_and_not_of_its_text(tmp_path: Path) -> None:
    from sweeper.inputs.tiny import build_tokenizer
    from sweeper.training.validation import validation_tokens

    build_tokenizer(["<answer>"]).save_pretrained(tmp_path)
    folder = tmp_path / "val"
    folder.mkdir()
    line = {"input": "1+1?", "output": "<answer>2", "generated_tokens": 30, "observed_tokens": 12}
    (folder / "0.jsonl").write_text(json.dumps(line) + "\n")
    assert validation_tokens(folder, tmp_path / "tokenizer.json") == Tokens(sequences=1, total=46, response=42)


def trajectories(**values: int) -> Trajectories:
    usual: dict[str, Any] = {"calls": 3, "errors": 0, "refused": 0, "used_a_tool": 2, "tool_cpu_s": 0.5}
    return Trajectories(**usual | {"n": 2, "ended": {"answered": 2}} | values)


def test_an_agents_tokens_are_generated_once_and_encoded_again_before_each_later_turn() -> None:
    run = toy()
    # Two trajectories of 3 + 7 tokens; one of two turns, 6 tokens before its second; one of three, 4 and 8 before them.
    acted = trajectories(turns=5, generated_tokens=9, observed_tokens=5, prefilled_again_tokens=18)
    tokens = Tokens(sequences=2, total=20, response=14)
    with_agent, without = (
        training_flops(run, steps=1, rollouts=tokens, evaluation=None, validation=None, fine_tuning=NONE, acted=one)
        for one in (acted, None)
    )
    assert (with_agent.generated_tokens, with_agent.observed_tokens, with_agent.response_tokens) == (9, 5, 14)
    assert with_agent.prefill_repeated == forward(run.model.architecture, Tokens(sequences=3, total=18))
    # All else is as of single turns of these lengths, under the same accounting.
    assert replace(with_agent, generated_tokens=None, observed_tokens=None, prefill_repeated=None) == without
    one_turn = trajectories(turns=2, generated_tokens=14, observed_tokens=0, prefilled_again_tokens=0)
    assert prefill_repeated(run.model.architecture, one_turn) == 0.0


def test_a_row_without_an_agent_says_nothing_of_repeated_prefill(tmp_path: Path) -> None:
    of_one_turn = replace(row(spec()), flops=ledger(spec(), Tokens(sequences=2, total=10)))
    assert "prefill_repeated" not in of_one_turn.to_json()
    acted = trajectories(turns=5, generated_tokens=9, observed_tokens=5, prefilled_again_tokens=18)
    of_agent = replace(of_one_turn, flops=replace(ledger(spec(), NONE), prefill_repeated=1e9), agent="calculator")
    point = replace(of_agent.curve[0], trajectories=acted)
    of_agent = replace(of_agent, curve=(point,))
    assert read_row(write_row(tmp_path, of_agent)) == of_agent
