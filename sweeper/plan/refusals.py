"""What is refused before anything is queued, with the key and the cure."""

from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from data_prep.prompt_style import STYLES
from data_prep.spec import Order
from rewards import Domain
from rewards.gym.package import GymMissing, require
from rewards.route.scorers import GYM
from sweeper.host.errors import ConfigError
from sweeper.inputs.data import data_spec
from sweeper.inputs.own_data import ROOM_TO_ASK, lack_of
from sweeper.inputs.prompt_fit import none_fits
from sweeper.plan.agent_refusals import refuse_agent
from sweeper.plan.fit import misfit
from sweeper.plan.job_refusals import refuse_job, refuse_little_memory
from sweeper.plan.secret_refusals import refuse_secrets
from sweeper.plan.shape_refusals import refuse_division, refuse_shape
from sweeper.plan.task_refusals import refuse_tasks
from sweeper.spec.cluster import Executor
from sweeper.spec.model import ModelSource
from sweeper.spec.run import RunSpec
from sweeper.training import tracking

# Bytes. A file system takes 255 for a name; a row's temporary file adds its host's, of up to 64, and 20 more.
# Estimators of verl's whose baseline is the group.
_OF_GROUPS = {"grpo": "GRPO", "rloo": "RLOO", "reinforce_plus_plus_baseline": "REINFORCE++-baseline"}
_LONGEST_ID = 160


def check(spec: RunSpec, *, family: str, trains: bool = True, asked: Sequence[str] = ()) -> None:
    """Refuse what cannot run, naming the key and the cure; a cure may repeat the overrides that were `asked`.

    Where a model is only measured (`trains` is false), fewer problems than a batch, or than an order needs, are enough.
    `family` is the `model_family` that set the rest of the configuration.

    Raises:
        ConfigError: the first problem found; of a folder of data all that are.
    """
    _check_regime(spec, family)
    _check_sizes(spec)
    refuse_shape(spec)
    refuse_tasks(spec)
    refuse_agent(spec)
    _check_screen(spec)
    _check_data(spec, asked, trains=trains)
    if trains:
        _check_amount(spec)
    _check_sampling(spec)
    _check_checkpoints(spec)
    _check_cluster(spec)
    tracking.refuse(spec)
    refuse_division(spec)
    # Any key of verl's engines may change what they hold in memory.
    sets_engines = any(key.startswith(("actor_rollout_ref.", "critic.")) for key in spec.verl_keys)
    if spec.cluster.check_memory and not sets_engines:
        reason = misfit(spec)
        if reason is not None:
            raise ConfigError(f"{reason} (an estimate; cluster.check_memory=false lets it pass)")
        if spec.cluster.executor is Executor.slurm:
            refuse_little_memory(spec)


def _check_regime(spec: RunSpec, family: str) -> None:
    if spec.model.family != family:
        raise ConfigError(
            f"model={spec.model.name} belongs to model_family={spec.model.family}, but model_family={family} sets the "
            f"training regime; add model_family={spec.model.family}"
        )
    if spec.model.path is None and spec.model.source is not ModelSource.tiny:
        raise ConfigError(
            f"model.source={spec.model.source} of {spec.model.name} needs model.path: a hub id or a local folder; of "
            "gguf, a file in a package"
        )
    kl = spec.algorithm.kl
    if "algorithm.kl_ctrl.horizon" in spec.verl_keys and not (kl.in_reward and kl.reward_controller == "adaptive"):
        raise ConfigError(
            "verl.algorithm.kl_ctrl.horizon changes nothing, because "
            f"algorithm.kl.in_reward={str(kl.in_reward).lower()} and "
            f"algorithm.kl.reward_controller={kl.reward_controller}; set true and adaptive, or leave it out"
        )
    _check_reference(spec)
    critic = next((key for key in spec.verl_keys if key == "critic" or key.startswith("critic.")), None)
    if critic is not None and not spec.algorithm.has_critic:
        raise ConfigError(
            f"verl.{critic} changes nothing, because algorithm.adv_estimator={spec.algorithm.adv_estimator} has no "
            "critic (gae alone has one); leave it out"
        )
    if spec.actor_lr is None:
        raise ConfigError(f"no step size: set training.actor_lr, or model.actor_lr in the file of {spec.model.name}")


def _check_reference(spec: RunSpec) -> None:
    """Refuse adapters and a critic beside a reference policy, by a KL term of either kind.

    With adapters verl 0.9.1's reference is the actor without them (`_compute_ref_log_prob` of
    verl/trainer/ppo/v1/trainer_base.py). The flag that turns them off stays in the batch, and the critic, asked next,
    is told to turn off adapters of its own: it has none and fails, or would give the values of another model.
    """
    algorithm, kl = spec.algorithm, spec.algorithm.kl
    terms = [f"algorithm.kl.{name}" for name in ("in_loss", "in_reward") if getattr(kl, name)]
    if algorithm.has_critic and algorithm.lora.rank and terms:
        raise ConfigError(
            f"algorithm.lora.rank={algorithm.lora.rank} and {' and '.join(f'{term}=true' for term in terms)} with a "
            f"critic (algorithm.adv_estimator={algorithm.adv_estimator}): verl 0.9.1 then asks the critic to turn off "
            "adapters that it does not have, and fails in the first step; set "
            f"{' '.join(f'{term}=false' for term in terms)}, algorithm.lora.rank=0, or an algorithm without a critic "
            "(algorithm=grpo)"
        )


def _check_sizes(spec: RunSpec) -> None:
    training, steps = spec.training, spec.total_steps  # which refuses what contradicts itself
    if spec.algorithm.has_critic and spec.algorithm.critic_warmup >= steps:
        raise ConfigError(
            f"algorithm.critic_warmup={spec.algorithm.critic_warmup} of {steps} training steps: only the critic would "
            "learn; lower it, or train longer"
        )
    if (length := len(spec.run_id.encode())) > _LONGEST_ID:
        raise ConfigError(
            f"{spec.run_id} is {length} bytes long, and a run's name, which is that of its files, at most "
            f"{_LONGEST_ID}; shorten the name of model, algorithm, domain_mix or curriculum"
        )
    if training.train_batch_size % training.ppo_mini_batch_size:
        raise ConfigError(
            f"training.train_batch_size={training.train_batch_size} is not a multiple of "
            f"training.ppo_mini_batch_size={training.ppo_mini_batch_size}; change one of them"
        )


def _check_data(spec: RunSpec, asked: Sequence[str], *, trains: bool) -> None:
    n_unique = spec.n_unique
    if n_unique is None and spec.data.root is None:
        raise ConfigError("data_scale=full needs a data folder (data_root=…): synthetic tasks are endless")
    if GYM.family in spec.reward.versions:
        try:
            require()
        except GymMissing as error:
            raise ConfigError(f"data_root={spec.data.root} has {error}") from None
    wanted = data_spec(spec)
    if spec.data.sft_share and n_unique is None:
        raise ConfigError(f"data.sft_share={spec.data.sft_share:g} is a share of data_scale.n_unique; set that")
    batch, has_room = spec.training.train_batch_size, spec.training.max_prompt_length >= ROOM_TO_ASK
    lack = lack_of(wanted, mix=spec.domain_mix.name, batch=batch if trains else 1, template=has_room)
    if lack is not None:
        none = none_fits(spec, None, tuple(Domain))
        if none is not None:
            lack.settings["training.max_prompt_length"] = str(none.longest)
        raise ConfigError(lack.text(str(spec.data.root), asked))


def _check_amount(spec: RunSpec) -> None:
    n_unique, batch = spec.n_unique, spec.training.train_batch_size
    if n_unique is None:
        return
    if n_unique - spec.n_sft < batch:
        aside = f" less {spec.n_sft} for fine-tuning (data.sft_share={spec.data.sft_share:g})" if spec.n_sft else ""
        raise ConfigError(
            f"data_scale.n_unique={n_unique}{aside} is less than training.train_batch_size={batch}: verl "
            "drops incomplete batches and would train on nothing; lower the batch or use more problems"
        )
    _check_epochs(spec, n_unique)
    seen = spec.total_steps * batch
    # verl drops an incomplete last batch.
    if spec.curriculum.order is not Order.mixed and seen + batch <= n_unique - spec.n_sft:
        raise ConfigError(
            f"curriculum={spec.curriculum.name}: {spec.total_steps} steps of {batch} problems end after the first "
            f"{seen} of {n_unique - spec.n_sft}, so the rest of the order is never trained on; set "
            "training.total_steps=null and data_scale.epochs=1, or use fewer problems"
        )


def _check_epochs(spec: RunSpec, n_unique: int) -> None:
    """Refuse what would be rounded up to one step, or down to no fine-tuning."""
    batch, epochs, share, sft = (
        spec.training.train_batch_size,
        spec.data_scale.epochs,
        spec.data.sft_share,
        spec.training.sft,
    )
    if spec.training.total_steps is None and epochs and (drawn := int((n_unique - spec.n_sft) * epochs)) < batch:
        raise ConfigError(
            f"data_scale.epochs={epochs:g} of {n_unique - spec.n_sft} problems are {drawn}, less than one step of "
            f"training.train_batch_size={batch}; raise it, or lower the batch"
        )
    if share and not spec.n_sft:
        raise ConfigError(
            f"data.sft_share={share:g} of data_scale.n_unique={n_unique} is no problem; raise one of them, or set 0"
        )
    if share and round(sft.epochs * spec.n_sft / min(sft.batch_size, spec.n_sft)) < 1:
        raise ConfigError(
            f"training.sft.epochs={sft.epochs:g} of {spec.n_sft} problems (data.sft_share={share:g}) is less than half "
            f"a step of training.sft.batch_size={sft.batch_size}; raise it, or lower the batch"
        )


def _check_screen(spec: RunSpec) -> None:
    screen, batch = spec.data.screen, spec.training.train_batch_size
    if screen.n_samples == 0:
        return
    if screen.n_samples < 2:
        raise ConfigError(
            f"data.screen.n_samples={screen.n_samples}: one sample is always or never right; use 2 or more, or 0 for "
            "no screening"
        )
    if not 0 <= screen.min_pass_rate < screen.max_pass_rate <= 1:
        raise ConfigError(
            f"data.screen keeps pass rates between min_pass_rate={screen.min_pass_rate} and "
            f"max_pass_rate={screen.max_pass_rate}: set 0 <= min < max <= 1"
        )
    if screen.max_problems is not None and screen.max_problems < batch:
        raise ConfigError(
            f"data.screen.max_problems={screen.max_problems} is less than training.train_batch_size={batch}; raise it"
        )


def _check_sampling(spec: RunSpec) -> None:
    algorithm, resources, longest = spec.algorithm, spec.model.resources, spec.training.max_length
    if algorithm.rollout_n < 2 and algorithm.adv_estimator in _OF_GROUPS:
        raise ConfigError(
            f"algorithm.rollout_n={algorithm.rollout_n}: {_OF_GROUPS[algorithm.adv_estimator]} compares responses of a "
            "group; use 2 or more"
        )
    if algorithm.filter_groups and algorithm.rollout_n < 2:
        raise ConfigError(
            f"algorithm.filter_groups=true draws groups whose rewards are all alike anew, and with algorithm.rollout_n="
            f"{algorithm.rollout_n} every group is; use 2 or more responses per prompt"
        )
    if algorithm.filter_groups and spec.curriculum.order is not Order.mixed:
        raise ConfigError(
            f"curriculum.order={spec.curriculum.order} deals problems to steps, and algorithm.filter_groups=true draws "
            "more of them than the steps train on; set one of them otherwise"
        )
    if longest > spec.model.architecture.max_position_embeddings:
        raise ConfigError(
            f"training.max_prompt_length + max_response_length = {longest} tokens, but {spec.model.name} has "
            f"{spec.model.architecture.max_position_embeddings} positions; shorten one of them"
        )
    if longest > resources.actor_tokens_per_gpu * resources.sequence_parallel:
        raise ConfigError(
            f"one sequence may have {longest} tokens, more than model.resources.actor_tokens_per_gpu="
            f"{resources.actor_tokens_per_gpu}; raise it or shorten training.max_response_length"
        )
    if max(spec.eval.ks) > spec.eval.n_samples:
        raise ConfigError(
            f"eval.ks asks for pass@{max(spec.eval.ks)} but eval.n_samples={spec.eval.n_samples}: undefined; draw more "
            "samples or ask for smaller k"
        )
    if spec.eval.temperature == 0 and max(spec.eval.ks) > 1:
        raise ConfigError(
            f"eval.temperature=0 draws the same answer every time, so that pass@{max(spec.eval.ks)} (eval.ks) is "
            "pass@1; raise it, or set eval.ks=[1]"
        )
    if spec.model.prompt_style not in STYLES:
        raise ConfigError(f"model.prompt_style={spec.model.prompt_style} is unknown; choose one of {', '.join(STYLES)}")


def _check_checkpoints(spec: RunSpec) -> None:
    said, save_freq, steps = f"eval.checkpoints={spec.eval.checkpoints}", spec.training.save_freq, spec.total_steps
    gap = spec.eval.gap(save_freq)
    if gap is not None and gap % save_freq:
        raise ConfigError(
            f"{said} needs checkpoints that training.save_freq={save_freq} does not write; set a multiple of "
            f"{save_freq}, or a training.save_freq that divides {gap}"
        )
    if gap is not None and gap >= steps:
        raise ConfigError(
            f"{said}: {spec.model.name} trains for {steps} steps, and none before the last is a multiple of {gap}; set "
            f"a smaller one{'' if gap > save_freq else ' (and training.save_freq)'}, or eval.checkpoints=last"
        )


def _check_cluster(spec: RunSpec) -> None:
    resources, cluster = spec.model.resources, spec.cluster
    refuse_secrets(cluster)
    if cluster.executor is Executor.slurm:
        refuse_job(spec)
    elif resources.nodes > 1:
        raise ConfigError(
            f"{spec.model.name} needs {resources.nodes} nodes (model.resources.nodes), but cluster={cluster.name} is "
            "one machine; use cluster=slurm"
        )
    elif ours := cluster.only_for_slurm():
        keys = ", ".join(f"cluster.{name}={_written(value)}" for name, value in ours.items())
        them = "it" if len(ours) == 1 else "them"
        raise ConfigError(
            f"{keys}: cluster={cluster.name} submits nothing to SLURM, and nothing else reads {them}; leave {them} "
            "out, or add cluster=slurm"
        )


def _written(value: Any) -> Any:
    """A part of a specification as people write it."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
