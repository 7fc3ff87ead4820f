"""Makes `actor_rollout_ref.rollout.name=hf_cpu` known to verl, without importing the engine yet."""

from types import ModuleType

from sweeper.host.imports import after_import

NAME = "hf_cpu"


def register() -> None:
    """Add the replica (public registry) and the adapter (verl keeps that one in a plain dict)."""
    after_import("verl.workers.rollout.replica", _add_replica)
    after_import("verl.workers.rollout.base", _add_adapter)


def _add_replica(module: ModuleType) -> None:
    def load() -> type:
        from sweeper.verl_cpu.rollout import CpuReplica

        return CpuReplica

    module.RolloutReplicaRegistry.register(NAME, load)


def _add_adapter(module: ModuleType) -> None:
    module._ROLLOUT_REGISTRY[(NAME, "async")] = "sweeper.verl_cpu.rollout.CpuAdapter"
