"""verl 0.9.1 on machines without a GPU, through verl's own extension points.

verl loads this module through the entry-point group `verl.plugins` at the end of its own import, in every process. It
registers a platform `cpu` and a rollout engine `hf_cpu`, and on a machine without an accelerator applies the patches of
`sweeper.verl_cpu.patches`. Where there is a GPU it changes where and for whom runs have their sockets (`sockets`,
`sweeper.training.queue_sockets`, `rendezvous`), and nothing else.
`docs/verl-cpu.md` lists every hook.

verl swallows exceptions raised here and would go on without the plugin, so a failure to load ends the process instead.
"""

import os


def load() -> None:
    """Register platform and rollout engine, keep runs apart, and patch verl if this machine has no accelerator."""
    from sweeper.training import queue_sockets, rendezvous
    from sweeper.verl_cpu import platform, rollout_registry, sockets

    platform.register()
    rollout_registry.register()
    sockets.keep_apart()
    queue_sockets.protect()
    rendezvous.meet_in_folder()
    from verl.plugin.platform import get_platform

    if get_platform().device_name == "cpu":
        from sweeper.verl_cpu.patches import apply_patches

        # verl registers its FSDP engines for "cuda" and "npu" only; this official variable sets the key it looks up.
        os.environ.setdefault("VERL_ENGINE_DEVICE", "cuda")
        apply_patches()


def load_or_exit() -> None:
    """`load`, with any failure ending the process.

    Raises:
        SystemExit: verl catches `Exception` around its plugins and logs it where nobody looks; this is none.
    """
    try:
        load()
    except Exception as error:  # the boundary to verl, see above
        raise SystemExit(f"sweeper.verl_cpu did not load: {type(error).__name__}: {error}") from error


load_or_exit()
