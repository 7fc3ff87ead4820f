"""What a step's trajectories did, as metrics beside those of any run; and an end to a run that loses them.

verl trains a step with what is left where trajectories end with an error, and says so in a log alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sweeper.agent.record import FIELD, Record, trajectories
from sweeper.rows.trajectory_metrics import LOST, metrics
from sweeper.training.sampler import CountingReplayBuffer

MOST_LOST = 0.01  # of all that were asked for
_FEW = 100  # of as many one may be lost


class AgentReplayBuffer(CountingReplayBuffer):
    """`sampler_kwargs` has `n` and `val_n` besides: trajectories per prompt."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._n = {"train": int(self.sampler_kwargs["n"]), "val": int(self.sampler_kwargs["val_n"])}
        self._asked = dict.fromkeys(self._n, 0)
        self._lost = dict.fromkeys(self._n, 0)

    def sample(self, global_steps: int, partition_id: str, batch_size: int) -> tuple[Any, dict[str, Any]]:
        """A batch, with the metrics of its trajectories.

        Raises:
            TrajectoriesLostError: more than `MOST_LOST` of the run's trajectories ended with an error.
            KeyError: a trajectory is of another loop than ours.
        """
        batch, told = super().sample(global_steps, partition_id, batch_size)
        return batch, told | {LOST: float(self._count(partition_id, list(batch.keys), batch_size))}

    def counted(self, partition: str, keys: Sequence[str], samples: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        """Metrics of a batch, with those of its trajectories."""
        found = trajectories(Record.of(sample[FIELD]) for sample in samples)
        return super().counted(partition, keys, samples) | ({} if found is None else metrics(found))

    def _count(self, partition: str, keys: Sequence[str], prompts: int) -> int:
        """How many of a batch's trajectories are not there."""
        asked = prompts * self._n[partition]
        lost = asked - len({key.rsplit("_", 1)[0] for key in keys})
        self._asked[partition] += asked
        self._lost[partition] += lost
        refuse_lost(self._lost[partition], self._asked[partition])
        return lost


class TrajectoriesLostError(RuntimeError):
    """Too many trajectories ended with an error."""


def refuse_lost(lost: int, asked: int) -> None:
    """End a run that loses trajectories.

    Raises:
        TrajectoriesLostError: more than `MOST_LOST` of those that were asked for so far are lost, and more than one.
    """
    if lost > MOST_LOST * max(asked, _FEW):
        raise TrajectoriesLostError(
            f"{lost} of {asked} trajectories ({lost / asked:.1%}) ended with an error and are lost, more than "
            f"{MOST_LOST:.0%}; the log says why, at 'Error in _run_prompt'"
        )
