"""What the process that makes the passes of tier 1 is asked for."""

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Passes of one model on one device.

    Attributes:
        device: cpu or cuda.
        architecture: Sizes of a model in Qwen2's shape, by `Architecture`'s names.
        sequence: Tokens of a sequence.
        log_prob_tokens: Of a micro-batch without gradients, rounded down to whole sequences.
        update_tokens: Likewise with gradients.
        checkpointing: Whether layers are computed again for their gradients.
        product: Rows and columns of the matrices whose product tells the device's own pace.
        rows: Sequences that a token is drawn for at once.
    """

    device: str
    architecture: dict[str, Any]
    sequence: int
    log_prob_tokens: int
    update_tokens: int
    checkpointing: bool
    product: int
    rows: int

    def to_json(self) -> str:
        """As the process takes it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> "Wanted":
        """What `to_json` wrote."""
        return cls(**json.loads(text))
