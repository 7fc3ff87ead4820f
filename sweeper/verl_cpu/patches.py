"""The few places where verl 0.9.1 cannot run on CPU as it is; each patch is one function with its reason.

Applied only on a machine without an accelerator, and only to the version they were written for.
"""

import functools
import importlib.metadata
from collections.abc import Callable
from typing import Any

from sweeper.spec import VERL_VERSION


def one_gloo_backend() -> None:
    """verl asks torch for the backends "cpu:gloo,<device>:<backend>", here "cpu:gloo,cpu:gloo", which torch refuses.

    The function for Ray workers takes the backend as a parameter: only its default changes.
    """
    import verl.utils.distributed as module

    original = module.initialize_global_process_group_ray

    @functools.wraps(original)
    def initialize(timeout_second: int | None = None, backend: str | None = None) -> Any:
        return original(timeout_second=timeout_second, backend=backend or "cpu:gloo")

    module.initialize_global_process_group_ray = initialize


def one_gloo_backend_for_sft() -> None:
    """The same double backend in the supervised trainer's function, which has no such parameter.

    verl builds the string from `get_nccl_backend`; torch accepts "gloo" alone, so the call is made with it.
    """
    import torch.distributed
    import verl.utils.distributed as module

    original = module.initialize_global_process_group

    @functools.wraps(original)
    def initialize(timeout_second: int = 36000) -> Any:
        init = torch.distributed.init_process_group

        def init_gloo(*args: Any, backend: str, **kwargs: Any) -> Any:
            del backend
            return init(*args, backend="cpu:gloo", **kwargs)

        torch.distributed.init_process_group = init_gloo
        try:
            return original(timeout_second)
        finally:
            torch.distributed.init_process_group = init

    module.initialize_global_process_group = initialize


def critic_attention() -> None:
    """verl loads the critic with flash_attention_2 whatever the configuration says; use the configured attention."""
    import verl.utils.model as module

    original = module.load_valuehead_model

    @functools.wraps(original)
    def load_valuehead_model(local_path: str, torch_dtype: Any, model_config: Any, trust_remote_code: bool) -> Any:
        from transformers import AutoModelForTokenClassification

        load = AutoModelForTokenClassification.from_pretrained

        def from_pretrained(*args: Any, **kwargs: Any) -> Any:
            kwargs["attn_implementation"] = model_config._attn_implementation or "sdpa"
            return load(*args, **kwargs)

        AutoModelForTokenClassification.from_pretrained = from_pretrained
        try:
            return original(local_path, torch_dtype, model_config, trust_remote_code)
        finally:
            AutoModelForTokenClassification.from_pretrained = load

    module.load_valuehead_model = load_valuehead_model


PATCHES: tuple[Callable[[], None], ...] = (one_gloo_backend, one_gloo_backend_for_sft, critic_attention)


def apply_patches() -> None:
    """Apply every patch.

    Raises:
        RuntimeError: another verl than the one the patches were written for is installed.
    """
    installed = importlib.metadata.version("verl")
    if installed != VERL_VERSION:
        raise RuntimeError(
            f"verl {installed} is installed, but the CPU patches are for {VERL_VERSION}; install verl=={VERL_VERSION}, "
            "or go through sweeper/verl_cpu/patches.py one by one"
        )
    for patch in PATCHES:
        patch()
