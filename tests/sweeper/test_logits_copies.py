"""How often the logits of a micro-batch lie in memory at once: counted in torch, for what memory.py takes as given."""

import importlib.util
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sweeper.plan.memory import LOGITS_WITH_ENTROPY

TOKENS, WIDTH, VOCABULARY = 64, 4, 1000


class Live(TorchDispatchMode):
    """Counts storages of the logits' size that are alive together."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: set[int] = set()
        self.most = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for value in tree_leaves(out):
            storage = value.untyped_storage() if isinstance(value, torch.Tensor) else None
            large = storage is not None and storage.nbytes() == 4 * TOKENS * VOCABULARY
            if large and id(storage) not in self.alive:
                self.alive.add(id(storage))
                weakref.finalize(storage, self.alive.discard, id(storage))
        self.most = max(self.most, len(self.alive))
        return out


class CrossEntropy(torch.autograd.Function):
    """The memory of flash-attn's: logits are saved, and their gradient is written into them where that is asked."""

    @staticmethod
    def forward(ctx: Any, logits: torch.Tensor, in_place: bool) -> torch.Tensor:
        ctx.save_for_backward(logits)
        ctx.in_place = in_place
        return logits.amax(-1)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (logits,) = ctx.saved_tensors
        target = logits if ctx.in_place else torch.empty_like(logits)
        return target.copy_(gradient.unsqueeze(-1).expand_as(logits)), None


def forward(weight: torch.Tensor, temperature: float, *, entropy: bool) -> torch.Tensor:
    """`FSDPEngineWithLMHead.forward_step` in short: what it returns keeps nothing of the logits but the graph."""
    logits = torch.randn(TOKENS, WIDTH) @ weight
    scaled = logits if temperature == 1.0 else logits / torch.full((TOKENS, 1), temperature)
    loss = CrossEntropy.apply(scaled, not entropy).sum()
    # Compiled, the entropy saves its input alone and makes one gradient.
    return loss + CrossEntropy.apply(scaled, False).sum() if entropy else loss


def counted(work: Callable[[], None]) -> int:
    with Live() as live:
        work()
    return live.most


@pytest.mark.parametrize(
    ("temperature", "entropy", "copies"),
    [(1.0, False, 1), (0.6, False, 2), (1.0, True, LOGITS_WITH_ENTROPY), (0.6, True, LOGITS_WITH_ENTROPY)],
)
def test_an_update_holds_as_many_copies_as_are_planned(temperature: float, entropy: bool, copies: int) -> None:
    weight = torch.randn(WIDTH, VOCABULARY, requires_grad=True)
    assert counted(lambda: forward(weight, temperature, entropy=entropy).backward()) == copies


@pytest.mark.parametrize(("temperature", "copies"), [(1.0, 1), (0.6, 2)])
def test_a_pass_without_gradients_holds_as_many_copies_as_are_planned(temperature: float, copies: int) -> None:
    weight = torch.randn(WIDTH, VOCABULARY)
    with torch.no_grad():
        assert counted(lambda: [forward(weight, temperature, entropy=False)].clear()) == copies


def test_verl_scales_logits_into_a_copy_where_the_temperature_is_not_one() -> None:
    found = importlib.util.find_spec("verl")
    assert found is not None
    assert found.submodule_search_locations
    code = (Path(found.submodule_search_locations[0]) / "workers/engine/fsdp/transformer_impl.py").read_text()
    assert "if is_unit_temperature:\n        return logits\n    return logits / temperature" in code
