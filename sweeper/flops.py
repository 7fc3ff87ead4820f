"""Model FLOPs of a run, by phase.

A multiply and an add count as two. For a sequence of T tokens a forward pass costs 2 N T + a(T), where N counts the
matrices a token is multiplied by (layers and the output head once, no embedding table) and a(T) = 2 d_head n_heads
n_layers T^2 is causal attention. Generation, old log-probabilities and reference cost one forward pass each, an update
three; with LoRA an update saves the weight gradients of the frozen matrices and costs two. Gradient checkpointing
repeats work of the hardware, not of the model, and is not counted.
"""

from sweeper.results import Flops
from sweeper.spec import Architecture, RunSpec

ACCOUNTING = "forward-2NT+attention/1"


def forward(arch: Architecture, n_sequences: float, mean_tokens: float, *, head: bool = True) -> float:
    """FLOPs of one forward pass over `n_sequences` sequences of `mean_tokens` tokens (prompt + response).

    The attention term uses the mean length, which is a lower bound when lengths vary.
    """
    matrices = arch.n_params_non_embedding + (arch.n_params_head if head else 0)
    attention = 2 * arch.head_dim * arch.num_heads * arch.num_layers * mean_tokens**2
    return n_sequences * (2 * matrices * mean_tokens + attention)


def training_flops(
    spec: RunSpec, *, n_sequences: float, mean_tokens: float, eval_sequences: float, eval_mean_tokens: float
) -> Flops:
    """FLOPs of every phase of a run, from counted sequences and their mean length in tokens."""
    arch, algorithm = spec.model.architecture, spec.algorithm
    one = forward(arch, n_sequences, mean_tokens)
    update = (2 if algorithm.lora.rank > 0 else 3) * algorithm.ppo_epochs
    uses_reference = algorithm.kl.in_loss or algorithm.kl.in_reward
    value = forward(arch, n_sequences, mean_tokens, head=False) if algorithm.adv_estimator == "gae" else 0.0
    phases = {
        "generation": one,
        "log_prob": one,
        "reference": one if uses_reference else 0.0,
        "actor": update * one,
        "critic": value * (1 + 3 * algorithm.ppo_epochs),
    }
    return Flops(
        accounting=ACCOUNTING,
        **phases,
        evaluation=forward(arch, eval_sequences, eval_mean_tokens),
        total=sum(phases.values()),
    )


def planned_flops(spec: RunSpec) -> Flops:
    """Upper bound before a run: every prompt and every response at its maximum length."""
    longest = spec.training.max_prompt_length + spec.training.max_response_length
    n_problems = spec.eval.problems_per_domain * len(spec.eval.domains)
    return training_flops(
        spec,
        n_sequences=spec.total_steps * spec.training.train_batch_size * spec.algorithm.rollout_n,
        mean_tokens=longest,
        eval_sequences=n_problems * spec.eval.n_samples,
        eval_mean_tokens=longest,
    )
