"""What a training step drew, as metrics of the step: late verdicts, groups without signal, groups thrown away.

Set by `trainer.v1.sampler.custom_sampler`, whose metrics verl's trainer logs (`trainer_base._step_once`, v0.9.1).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import transfer_queue as tq
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer

from sweeper.rows import late_verdicts
from sweeper.rows.groups import SHARE, Discarded, groups_of

_TRAIN = "train"  # verl's partitions: this and `val`
_NOTHING = Discarded(groups=0, responses=0, tokens=0, response_tokens=0)
MOST_DRAWN = 10  # batches that a step may throw away, as DAPO's own script draws at most ten


class CountingReplayBuffer(ReplayBuffer):  # type: ignore[misc]  # verl has no types
    """verl's own buffer of synchronous training.

    `sampler_kwargs` are `batch`, prompts per step, and `filter_groups`, whether groups without signal are drawn anew:
    verl hands its own setting of that to no custom sampler.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        asked = kwargs["sampler_kwargs"]
        if asked.get("filter_groups"):
            # As verl's trainer makes its own (`_build_replay_buffer`): a refill is of single prompts.
            kwargs |= {"filter_groups_metric": "reward", "train_batch_size": int(asked["batch"]), "gen_batch_size": 1}
        super().__init__(*args, **kwargs)
        self._discarded = _NOTHING

    def sample(self, global_steps: int, partition_id: str, batch_size: int) -> tuple[Any, dict[str, Any]]:
        """A batch, with metrics of what was drawn for it; of a validation verl logs none."""
        self._discarded = _NOTHING
        batch, told = super().sample(global_steps, partition_id, batch_size)
        got = tq.kv_batch_get(keys=list(batch.keys), partition_id=partition_id, select_fields=["extra_fields"])
        samples = [getattr(value, "data", value) for value in got["extra_fields"]]
        return batch, told | self.counted(partition_id, list(batch.keys), samples)

    def counted(self, partition: str, keys: Sequence[str], samples: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        """Metrics of a batch.

        Args:
            partition: verl's name of what was drawn for.
            keys: Of each response, `PROMPT_NUMBER_PART`.
            samples: verl's `extra_fields` of each.
        """
        if partition != _TRAIN:
            return {}
        told = late_verdicts.metrics(samples)
        if (groups := groups_of([key.split("_")[0] for key in keys], samples)) is not None:
            told |= groups.metrics() | {SHARE: groups.without_signal or 0.0}
        if self.filter_groups_metric is not None:
            told |= self._discarded.metrics()
        return told

    def _clear_groups(self, partition_id: str, uids: set[str]) -> None:
        """Count what verl throws away: groups without signal, and those beyond a full batch.

        Raises:
            NoSignalError: a step threw away `MOST_DRAWN` batches; verl would draw for ever.
        """
        tags = [tag for key, tag in self.partitions[partition_id].items() if key.split("_")[0] in uids]
        gone = Discarded(
            groups=len(uids),
            responses=len(tags),
            tokens=sum(int(tag["seq_len"]) for tag in tags),
            response_tokens=sum(int(tag["response_len"]) for tag in tags),
        )
        self._discarded = Discarded.total([self._discarded, gone]) or gone
        super()._clear_groups(partition_id, uids)
        if self._discarded.groups > MOST_DRAWN * self.train_batch_size:
            raise NoSignalError(
                f"{self._discarded.groups} groups were drawn for a step and thrown away, more than {MOST_DRAWN} "
                f"batches of {self.train_batch_size}: nearly every prompt has answers that are all right or all wrong. "
                "Set algorithm.filter_groups=false, draw more responses (algorithm.rollout_n), or take problems of "
                "another difficulty (data.screen)"
            )


class NoSignalError(RuntimeError):
    """Dynamic sampling finds next to nothing to learn from."""
