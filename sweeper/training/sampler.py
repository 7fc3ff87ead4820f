"""How many verdicts of a step were late, as metrics of the step (`sweeper.rows.late_verdicts`).

Set by `trainer.v1.sampler.custom_sampler`, whose metrics verl's trainer logs (`trainer_base._step_once`, v0.9.1). The
sampler of an agent's run (`sweeper.agent.sampler`) counts them itself.
"""

from typing import Any

import transfer_queue as tq
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

from sweeper.rows.late_verdicts import metrics


class VerdictReplayBuffer(ReplayBuffer):  # type: ignore[misc]  # verl has no types
    """verl's own buffer of synchronous training."""

    def sample(self, global_steps: int, partition_id: str, batch_size: int) -> tuple[Any, dict[str, Any]]:
        """A batch, with the metrics of its verdicts; of a validation verl logs none."""
        batch, told = super().sample(global_steps, partition_id, batch_size)
        if partition_id != "train":
            return batch, told
        got = tq.kv_batch_get(keys=list(batch.keys), partition_id=partition_id, select_fields=["extra_fields"])
        fields = [getattr(value, "data", value) for value in got["extra_fields"]]
        return batch, {**told, **metrics(fields)}
