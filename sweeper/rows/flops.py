"""The FLOPs ledger of a run: model FLOPs by phase, under a named accounting.

A multiply and an add count as two. For a sequence of T tokens a forward pass costs 2 N T + a(T), where N counts the
weights a token is multiplied by (layers and the output head once, no embedding table; of a mixture of experts the
chosen ones) and a(T) = 2 d_head n_heads n_layers T^2 is causal attention. docs/flops.md has every phase.
"""

from dataclasses import dataclass, replace

from sweeper.rows.row import Flops
from sweeper.rows.trajectories import Trajectories
from sweeper.spec.model import Architecture
from sweeper.spec.run import RunSpec

# Raise the number when a phase is counted differently: rows keep the string, and readers tell them apart.
ACCOUNTING = "forward-2NT+attention/2"
# Groups that dynamic sampling draws for each one that it trains on, while none is measured: DAPO's own run generates
# three batches at once for each (its published script, arXiv:2503.14476). A policy that is always right needs more.
DRAWN = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Sequences that a phase processed and their tokens, prompt and response together."""

    sequences: float
    total: float
    response: float | None = None  # of the total; None: not counted apart

    @property
    def prompt(self) -> float | None:
        """Tokens of the prompts, each counted once a sequence."""
        return None if self.response is None else self.total - self.response


def forward(arch: Architecture, tokens: Tokens, *, head: bool = True) -> float:
    """FLOPs of one forward pass over every sequence.

    The attention term uses the mean length, which is a lower bound when lengths vary.
    """
    if not tokens.sequences:
        return 0.0
    matrices = arch.n_params_active + (arch.n_params_head if head else 0)
    return 2 * matrices * tokens.total + _attention(arch, tokens)


def training_flops(
    spec: RunSpec,
    *,
    steps: int,
    rollouts: Tokens,
    evaluation: Tokens | None,
    validation: Tokens | None,
    fine_tuning: Tokens | None,
    acted: Trajectories | None = None,
    discarded: Tokens | None = None,
) -> Flops:
    """The ledger of a run.

    Args:
        spec: What ran.
        steps: Training steps.
        rollouts: What the steps generated and trained on.
        evaluation: What the pass@k evaluations of the trained model and its checkpoints generated; None: not measured.
        validation: What verl's validations generated; None: not counted.
        fine_tuning: What supervised fine-tuning before RL trained on; no sequences: there was none; None: not counted.
        acted: What an agent did in the rollouts, of every step; None: there was none, or a step's were not counted.
        discarded: What the steps generated and did not train on; None: not counted. No sequences without dynamic
            sampling (`algorithm.filter_groups`).

    Returns:
        FLOPs by phase. `generation`, and with it `total`, is None where groups were discarded and not counted.
    """
    arch, algorithm, keys = spec.model.architecture, spec.algorithm, spec.verl_keys
    if not algorithm.filter_groups:
        discarded = Tokens(sequences=0, total=0)
    thrown_away = None if discarded is None else forward(arch, discarded)
    one, attention = forward(arch, rollouts), _attention(arch, rollouts)
    adapters = 2 * adapter_params(arch, spec) * rollouts.total  # one forward pass through the adapters
    epochs = algorithm.ppo_epochs
    # Of frozen matrices only the gradient to their input is computed: a forward pass more instead of two.
    update = 2 * one + attention + 3 * adapters if algorithm.lora.rank else 3 * one
    critic = forward(arch, rollouts, head=False) if algorithm.has_critic else 0.0
    updated = 1 - min(max(algorithm.critic_warmup - 1, 0), steps) / steps if steps else 0.0
    phases = {
        "generation": None if thrown_away is None else one + thrown_away,  # adapters are merged for it
        "log_prob": 0.0 if keys.get("algorithm.rollout_correction.bypass_mode") else one + adapters,
        "reference": one if algorithm.kl.in_loss or algorithm.kl.in_reward else 0.0,
        "actor": epochs * updated * update,
        "critic": critic * (1 + 3 * epochs),
        "fine_tuning": None if fine_tuning is None else 3 * forward(arch, fine_tuning),
    }
    known = [value for value in phases.values() if value is not None]
    again = forward(arch, rollouts, head=False) + adapters  # checkpointed are the layers
    return Flops(
        accounting=ACCOUNTING,
        **phases,
        total=sum(known) if len(known) == len(phases) else None,
        evaluation=None if evaluation is None else forward(arch, evaluation),
        validation=None if validation is None else forward(arch, validation),
        recomputed=epochs * (updated * again + critic) if spec.model.resources.gradient_checkpointing else 0.0,
        published_6nt=6 * spec.model.nominal * rollouts.total,
        prompt_tokens=None if rollouts.prompt is None else round(rollouts.prompt),
        response_tokens=None if rollouts.response is None else round(rollouts.response),
        discarded=thrown_away if algorithm.filter_groups else None,
        generated_tokens=None if acted is None else acted.generated_tokens,
        observed_tokens=None if acted is None else acted.observed_tokens,
        prefill_repeated=None if acted is None else prefill_repeated(arch, acted),
    )


def prefill_repeated(arch: Architecture, acted: Trajectories) -> float:
    """FLOPs that an engine without a prefix cache computes beyond one pass over every token of the trajectories.

    It encodes again, before each turn but a trajectory's first, the sequence up to there.
    """
    return encoded_again(arch, turns=acted.turns - acted.n, tokens=acted.prefilled_again_tokens)


def encoded_again(arch: Architecture, *, turns: float, tokens: float) -> float:
    """FLOPs of encoding so many tokens before so many turns, none of them a trajectory's first."""
    return forward(arch, Tokens(sequences=turns, total=tokens))


def planned_flops(spec: RunSpec) -> Flops:
    """Upper bound before a run: every prompt and every response at its maximum length.

    Of dynamic sampling `DRAWN` groups for each that is trained on, which is no bound.

    Of an agent a response is all that follows the prompt, observations included; each token counts once. Its
    `prefill_repeated` has every turn that it may take, with a whole trajectory before it.
    """
    training, evaluation = spec.training, spec.eval
    domains, evaluations = len(evaluation.domains), 1 + len(spec.evaluated_steps)
    validations = 1 + -(-spec.total_steps // evaluation.val_freq)  # before the first step, every val_freq, at the end
    shown = round(spec.n_sft * training.sft.epochs)

    def longest(sequences: int) -> Tokens:
        response = sequences * min(training.max_response_length, spec.longest)
        return Tokens(sequences=sequences, total=sequences * spec.longest, response=float(response))

    rollouts = longest(spec.total_steps * training.train_batch_size * spec.algorithm.rollout_n)
    planned = training_flops(
        spec,
        steps=spec.total_steps,
        rollouts=rollouts,
        evaluation=longest(evaluations * evaluation.problems_per_domain * domains * evaluation.n_samples),
        validation=longest(validations * evaluation.val_problems_per_domain * domains * evaluation.val_n),
        fine_tuning=longest(shown),
        discarded=longest(round((DRAWN - 1) * rollouts.sequences)),
    )
    if not spec.agent.acts:
        return planned
    turns = (spec.agent.max_turns - 1) * rollouts.sequences
    again = encoded_again(spec.model.architecture, turns=turns, tokens=turns * spec.longest)
    return replace(planned, prefill_repeated=again)


def adapter_params(arch: Architecture, spec: RunSpec) -> int:
    """Weights of the low-rank adapters that a token passes: rank x (inputs + outputs) of every adapted matrix."""
    lora = spec.algorithm.lora
    names = tuple(adaptable(arch)) if "all-linear" in lora.target_modules else lora.target_modules
    return lora.rank * arch.num_layers * sum(adaptable(arch).get(name, 0) for name in names)


def adaptable(arch: Architecture) -> dict[str, int]:
    """Inputs + outputs of the matrices that adapters may be laid on, of one layer, of every expert a token passes."""
    h, q, kv = arch.hidden_size, arch.num_heads * arch.head_dim, arch.num_kv_heads * arch.head_dim
    mlp = sum(h + width for width in arch.mlp_widths)
    attention = {"q_proj": h + q, "k_proj": h + kv, "v_proj": h + kv, "o_proj": q + h}
    return attention | {"gate_proj": mlp, "up_proj": mlp, "down_proj": mlp}


def axis_note(accountings: set[str]) -> str:
    """What a column of FLOPs holds, for whoever prints one."""
    names = " and ".join(sorted(accountings)) or "not recorded"
    mixed = "; counted differently, compare them with care" if len(accountings) > 1 else ""
    return f"FLOPs: model FLOPs of all training phases, without evaluation (accounting {names}{mixed})"


def _attention(arch: Architecture, tokens: Tokens) -> float:
    """Causal attention of one forward pass."""
    if not tokens.sequences:
        return 0.0
    return 2 * arch.head_dim * arch.num_heads * arch.num_layers * tokens.total**2 / tokens.sequences
