"""Whether the rollout engine samples from the weights that are trained."""

from collections.abc import Iterable

from sweeper.host.errors import OtherWeightsError
from sweeper.rows.curve import PROBS_DIFF
from sweeper.rows.curve_point import CurvePoint
from sweeper.spec.run import RunSpec

# Mean difference of a sampled token's probability. verl's FAQ expects less than 0.005 of vLLM in bfloat16; here float32
# on CPU gave 3e-7, and LoRA merged in bfloat16 3e-4. Ten times the FAQ's number is no rounding: another model answers.
MOST = 0.05
# With these the engine's probabilities are of what they leave of a distribution, and the actor's of the whole.
_CUT = ("top_k", "repetition_penalty", "logprobs_mode")


def refuse_other(spec: RunSpec, curve: Iterable[CurvePoint]) -> None:
    """Refuse to train on what another model sampled.

    Args:
        spec: The run.
        curve: Its steps so far.

    Raises:
        OtherWeightsError: at a step the engine's probabilities were not the actor's.
    """
    if spec.training.top_p < 1 or any(f"actor_rollout_ref.rollout.{name}" in spec.verl_keys for name in _CUT):
        return
    for point in curve:
        if point.probs_diff is not None and point.probs_diff > MOST:
            raise OtherWeightsError(
                f"step {point.step} was sampled from other weights than the actor's: the probabilities of its tokens "
                f"differ by {point.probs_diff:.3g} in the mean ({PROBS_DIFF}; more than {MOST} is no rounding). Look "
                "for another run on the node, or for versions of vLLM and verl that do not belong together"
            )
