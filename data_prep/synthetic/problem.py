"""One synthetic problem, whatever its domain."""

from dataclasses import dataclass

from rewards import Domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A generated problem with its reference solution and plausible wrong ones.

    `prompt` is also the problem's identity: two problems are the same exactly if their prompts are.
    `level` counts from 1, the easiest. `ground_truth` is text in the encoding of `data_source`'s scorer. `held_out`
    says which side a problem is on, where what it asks for decides that; None: a hash of its prompt does.
    """

    domain: Domain
    data_source: str
    ability: str
    prompt: str
    ground_truth: str
    solution: str
    mistakes: tuple[str, ...]
    level: int
    held_out: bool | None = None
