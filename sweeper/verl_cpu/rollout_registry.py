"""Makes `actor_rollout_ref.rollout.name=hf_cpu` known to verl, without importing the engine yet."""

NAME = "hf_cpu"


def register() -> None:
    """Add the replica (public registry) and the adapter (verl keeps that one in a plain dict)."""
    from verl.workers.rollout import base, replica

    def load_replica() -> type:
        from sweeper.verl_cpu.rollout import CpuReplica

        return CpuReplica

    replica.RolloutReplicaRegistry.register(NAME, load_replica)
    base._ROLLOUT_REGISTRY[(NAME, "async")] = "sweeper.verl_cpu.rollout.CpuAdapter"
