"""What one run is: frozen, typed, hashed.

The dataclasses of this folder are the only declaration of every setting: Hydra validates the YAML under `conf/` against
them (`sweeper.grid.schema`), and a run executes the `RunSpec` read back from its `spec.json`. Which of them make its id
is in `sweeper.spec.identity`.
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from data_prep.spec import Order
from rewards.bounded_file import parsed, read_text, shallow
from sweeper.host.errors import ConfigError
from sweeper.host.files import undamaged
from sweeper.spec.agent import Agent
from sweeper.spec.bounds import FINITE_LEAVES, RECORD, Count, Seed, Word, adapter, in_one_line
from sweeper.spec.cluster import Cluster, Logging
from sweeper.spec.data import Curriculum, Data, DataScale, DomainMix
from sweeper.spec.digest import digest_of
from sweeper.spec.dotted import dotted
from sweeper.spec.identity import science, settings
from sweeper.spec.model import Model
from sweeper.spec.reward import Reward
from sweeper.spec.run_id import SPEC_CURE, RunId
from sweeper.spec.training import Algorithm, Evaluation, Training

VERL_VERSION = "0.9.1"  # pinned in pyproject.toml; part of every run's identity
SPEC_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """Everything one run needs, frozen before anything is queued."""

    model: Model
    data: Data
    data_scale: DataScale
    domain_mix: DomainMix
    curriculum: Curriculum = field(default_factory=lambda: Curriculum(name="mixed"))
    algorithm: Algorithm
    training: Training
    agent: Agent = field(default_factory=Agent)
    eval: Evaluation
    verl: Annotated[dict[str, Any], FINITE_LEAVES]  # verl keys set by the user, dotted -> value; part of identity
    seed: Seed
    reward: Reward = field(default_factory=Reward)
    reward_suite: Word  # rewards.SUITE_VERSION when the spec was made
    verl_version: Word = VERL_VERSION
    cluster: Cluster
    logging: Logging
    spec_version: Count = SPEC_VERSION

    @cached_property
    def run_id(self) -> RunId:
        """Readable slug plus 12 hex digits of the science's hash; the folder and row name."""
        parts = [self.model.name, self.algorithm.name, self.domain_mix.name]
        parts.append("nall" if self.n_unique is None else f"n{self.n_unique}")
        if self.curriculum.order is not Order.mixed:
            parts.append(self.curriculum.name)
        if self.data.sft_share:
            parts.append(f"sft{self.data.sft_share:g}")
        if self.agent.acts:
            parts.append(f"{self.agent.name}{self.agent.max_turns}")
        return RunId(f"{'_'.join(parts)}_s{self.seed}-{digest_of(self.science())}")

    @property
    def group_id(self) -> str:
        """Hash shared by the replicates of a point: identity without the seed."""
        return digest_of({key: value for key, value in self.science().items() if key != "seed"})

    @property
    def n_unique(self) -> int | None:
        """Different problems, those of supervised fine-tuning included; None: every one there is."""
        n, epochs, steps = self.data_scale.n_unique, self.data_scale.epochs, self.training.total_steps
        if n is not None or steps is None or not epochs:
            return n
        return round(steps * self.training.train_batch_size / epochs)

    @property
    def n_sft(self) -> int:
        """Problems set aside for supervised fine-tuning."""
        return int(self.data.sft_share * (self.n_unique or 0) + 0.5)

    @property
    def problems_seen(self) -> int | None:
        """Different problems that the steps of RL draw; None: how many there are to draw from is not known yet."""
        drawn = self.total_steps * self.training.train_batch_size
        return None if self.n_unique is None else min(self.n_unique - self.n_sft, drawn)

    @property
    def total_steps(self) -> int:
        """Optimiser-driving training steps of RL.

        Raises:
            ConfigError: `data_scale.n_unique`, `data_scale.epochs` and `training.total_steps` contradict each other,
                or leave the number of steps open.
        """
        n, epochs, steps = self.data_scale.n_unique, self.data_scale.epochs, self.training.total_steps
        given = f"data_scale.n_unique={n}, data_scale.epochs={epochs}, training.total_steps={steps}"
        if steps is not None and epochs is not None and (n is not None or self.data.sft_share):
            raise ConfigError(
                f"{given}: two of them decide the third (with data.sft_share, n_unique and one other do); set one to "
                "null"
            )
        if steps is not None:
            return steps
        if n is None or epochs is None:
            raise ConfigError(f"{given}: the number of steps is open; set training.total_steps, or both others")
        return max(1, int((n - self.n_sft) * epochs) // self.training.train_batch_size)

    @property
    def evaluated_steps(self) -> tuple[int, ...]:
        """Steps before the last after which pass@k is measured, in ascending order; empty: `eval.checkpoints=last`."""
        gap = self.eval.gap(self.training.save_freq)
        return () if gap is None else tuple(range(gap, self.total_steps, gap))

    @property
    def longest(self) -> int:
        """Most tokens of a sequence: prompt and response; of an agent prompt, turns and observations."""
        own = self.agent.context if self.agent.acts else None
        return self.training.max_length if own is None else min(own, self.training.max_length)

    @property
    def actor_lr(self) -> float | None:
        """The policy's Adam step size: the regime's if it states one, else the model's; the plan refuses None."""
        return self.training.actor_lr if self.training.actor_lr is not None else self.model.actor_lr

    @property
    def call_format(self) -> str | None:
        """Verl's parser of tool calls: the agent's if it states one, else the model's; None: calls are not read."""
        return self.agent.format or self.model.tool_format

    @property
    def verl_keys(self) -> dict[str, Any]:
        """The verl keys set by the user, dotted, whichever way they were written."""
        return dotted(self.verl)

    def science(self) -> dict[str, Any]:
        """The settings that can change a result, as plain JSON values; see `sweeper.spec.identity`."""
        return science(self._plain())

    def settings(self) -> dict[str, Any]:
        """Every setting but how the run is executed, by dotted key, as plain JSON values; nulls are left out."""
        return settings(self._plain())

    def to_json(self) -> str:
        """JSON with one line per part and sorted keys; `from_json` reads it back to an equal spec."""
        lines = (
            f"{json.dumps(key)}:{json.dumps(part, sort_keys=True, separators=(',', ':'))}"
            for key, part in sorted(self._plain().items())
        )
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def _plain(self) -> dict[str, Any]:
        """The fields as plain JSON values, in a third of the time of `dataclasses.asdict`, which copies every leaf."""
        values: dict[str, Any] = adapter(RunSpec).dump_python(self, mode="json")
        return values

    @classmethod
    def from_json(cls, text: str) -> "RunSpec":
        """Read a spec with full validation.

        Raises:
            ConfigError: an unknown, missing or ill-typed field.
        """
        return cls.from_dict(shallow(parsed(text)))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "RunSpec":
        """As `from_json`, from plain values."""
        from pydantic import ValidationError

        try:
            spec: RunSpec = adapter(RunSpec).validate_python(values, context=RECORD)
        except ValidationError as error:
            raise ConfigError(in_one_line(error)) from None
        return spec

    @classmethod
    def read(cls, path: Path) -> "RunSpec":
        """Read `spec.json`.

        Raises:
            DamagedError: it is not what was written.
        """
        with undamaged(path, cure=SPEC_CURE):
            return cls.from_json(read_text(path))


# Fields that are objects of their own; the others are numbers and words.
PARTS = tuple(name for name, hint in get_type_hints(RunSpec).items() if hint not in (int, str))
