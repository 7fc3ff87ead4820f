"""verl 0.9.1 on machines without a GPU, through verl's own extension points.

verl loads this module through the entry-point group `verl.plugins` at the end of its own import, in every process. It registers
a platform `cpu` and a rollout engine `hf_cpu`, and on a machine without an accelerator applies the patches of
`sweeper.verl_cpu.patches`. Where there is a GPU it changes nothing. `docs/verl-cpu.md` lists every hook.

verl swallows errors raised here, so `require` lets a run check in its first second that the plugin is in force.
"""

import os


def load() -> None:
    """Register the platform and the rollout engine; patch verl if this machine has no accelerator."""
    from sweeper.verl_cpu import platform, rollout_registry

    platform.register()
    rollout_registry.register()
    from verl.plugin.platform import get_platform

    if get_platform().device_name == "cpu":
        from sweeper.verl_cpu.patches import apply_patches

        # verl registers its FSDP engines for "cuda" and "npu" only; this official variable sets the key it looks up.
        os.environ.setdefault("VERL_ENGINE_DEVICE", "cuda")
        apply_patches()


load()
