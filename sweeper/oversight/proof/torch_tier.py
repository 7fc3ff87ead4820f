"""Tier 1: a model's passes by PyTorch and transformers alone, beside what the planner says of them.

The shape is Qwen2.5-0.5B's with the token budgets that its preset has for the GPU. Attention is PyTorch's own, and
there is one process: no weights are gathered and no engine sleeps beside it, so of a planned peak the parts are
compared that such a pass has.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from sweeper.host.process import printed, run_child
from sweeper.oversight.proof.line import Bounds, Line, judged, near, told
from sweeper.oversight.proof.trial import Trial, spec_of
from sweeper.oversight.proof.wanted import Wanted
from sweeper.plan.gpu import GIB, GPUS
from sweeper.plan.memory import memory_of
from sweeper.plan.rates import rates_of
from sweeper.rows.flops import Tokens, forward
from sweeper.spec.run import RunSpec

NEAR = 0.2  # of a planned peak, that a measured one may be off
SLOWEST = 0.5  # of a planned pace: attention is not flash-attn's
_UNKNOWN = "H200"  # whose plan stands beside a miniature's memory: a formula, the same for every GPU
_PARTS = ("layer", "logits", "activations")  # of a planned peak: what a pass of one process holds
_MODEL = ("model_family=qwen2.5", "model=qwen2.5-0.5b", "cluster=local", "cluster.device=cuda")
# A loss without entropy, at temperature 1: one copy of the logits, as in `passes`.
_LOSS = ("algorithm=grpo", "algorithm.entropy_coeff=0", "training.temperature=1")
_SMALL = (
    *("model.architecture.hidden_size=64", "model.architecture.intermediate_size=256"),
    *("model.architecture.num_layers=2", "model.architecture.num_heads=2", "model.architecture.num_kv_heads=1"),
    *("model.architecture.vocab_size=16384", "training.max_prompt_length=32", "training.max_response_length=96"),
    *("model.resources.actor_tokens_per_gpu=1024", "model.resources.log_prob_tokens_per_gpu=1280"),
)


def prove(trial: Trial, *, seconds: float) -> Iterator[Line]:
    """Try it, in a process of its own.

    Args:
        trial: Where.
        seconds: It may take.

    Raises:
        RunFailedError: the process failed, or took longer.
    """
    spec = spec_of((*_MODEL, f"cluster.gpu_type={trial.gpu or _UNKNOWN}", *_LOSS, *(_SMALL if trial.is_small else ())))
    log = trial.folder / "passes.log"
    command = [sys.executable, "-m", "sweeper.oversight.proof.passes", _wanted(trial, spec).to_json()]
    run_child(command, log=log, env=trial.variables, on_tick=trial.until(seconds))
    found: Mapping[str, float] = json.loads(printed(log, 0)[-1])
    yield from _memory(trial, spec, found)
    yield from _speed(trial, spec, found)


def _wanted(trial: Trial, spec: RunSpec) -> Wanted:
    resources = spec.model.resources
    return Wanted(
        device=trial.device,
        architecture=asdict(spec.model.architecture),
        sequence=spec.training.max_length,
        log_prob_tokens=resources.log_prob_tokens_per_gpu,
        update_tokens=resources.actor_tokens_per_gpu,
        checkpointing=resources.gradient_checkpointing,
        product=256 if trial.is_small else 8192,
        rows=8 if trial.is_small else resources.max_num_seqs,
    )


def _memory(trial: Trial, spec: RunSpec, found: Mapping[str, float]) -> Iterator[Line]:
    """Peaks beside the weights."""
    known = memory_of(spec) if trial.gpu or trial.is_small else None
    planned = {peak.phase: sum(peak.parts.get(name, 0.0) for name in _PARTS) for peak in known.peaks} if known else {}
    for phase, name, what in (("log_prob", "log_prob", "log-prob pass"), ("actor", "update", "update")):
        beside = planned.get(phase)
        tokens = f"{found[f'{name}_tokens']:,.0f} tokens"
        yield near(
            f"peak memory of the {what}, {tokens}, without weights",
            "GiB",
            found[f"{name}_bytes"] / GIB,
            None if beside is None else beside / GIB,
            whose="the plan's",
            share=NEAR,
            note="" if known else f"the planner does not know {trial.name}",
        )


def _speed(trial: Trial, spec: RunSpec, found: Mapping[str, float]) -> Iterator[Line]:
    gpu, rates = GPUS.get(trial.gpu or ""), rates_of(trial.gpu)
    arch, length = spec.model.architecture, spec.training.max_length
    one = forward(arch, Tokens(sequences=1, total=length)) / length
    again = forward(arch, Tokens(sequences=1, total=length), head=False) / length
    for name, what, flops in (("log_prob", "log-prob pass", one), ("update", "update", 3 * one + again)):
        pace = None if rates is None else rates.flops / flops
        bounds = None if pace is None else Bounds(least=SLOWEST * pace)
        yield judged(
            f"pace of the {what}", "tokens/s", found[f"{name}_tokens_s"], bounds, beside=pace, whose="the plan's"
        )
    for name, what, unit, sheet in (
        ("product_flops", "bfloat16 product", "TFLOP/s", None if gpu is None else gpu.flops / 1e12),
        ("copy_bytes_s", "copy, read and written", "TB/s", None if gpu is None else gpu.bandwidth / 1e12),
    ):
        bounds = None if sheet is None else Bounds(least=SLOWEST * sheet)
        yield judged(what, unit, found[name] / 1e12, bounds, beside=sheet, whose="the data sheet's")
    yield told("drawing a token for all sequences of an engine at once", "ms", 1000 * found["draw_s"])
    yield told("the same with a generator per sequence", "ms", 1000 * found["draw_each_s"])
