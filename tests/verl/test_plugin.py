"""The plugin is in force in every process that imports verl, or that process ends."""

import importlib.metadata
import subprocess
import sys

import pytest

from sweeper.verl_cpu import patches

PROBE = "import verl; from verl.plugin.platform import get_platform as g; print(g().device_name, g().device_count())"


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_importing_verl_is_enough_to_run_on_the_processor() -> None:
    assert _python(PROBE).stdout.split() == ["cpu", "1"]


def test_a_failure_to_load_ends_the_process_with_the_reason() -> None:
    spoilt = (
        "import importlib.metadata as m; old = m.version; m.version = lambda n: '0.0.1' if n == 'verl' else old(n)\n"
    )
    done = _python(spoilt + PROBE)
    assert done.returncode == 1
    assert "sweeper.verl_cpu did not load: RuntimeError: verl 0.0.1 is installed" in done.stderr


def test_another_verl_than_the_patched_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "0.10.0")
    with pytest.raises(RuntimeError, match=r"verl 0\.10\.0 is installed, but the CPU patches are for 0\.9\.1"):
        patches.apply_patches()


def test_every_patch_says_why() -> None:
    assert all(patch.__doc__ for patch in patches.PATCHES.values())


def test_log_probabilities_of_all_tokens_at_once_are_those_of_verl_token_by_token() -> None:
    code = """
import torch, verl
from verl.utils.torch_functional import logprobs_from_logits_v2 as ours
torch.manual_seed(0)
logits, labels = torch.randn(50, 288, requires_grad=True), torch.randint(288, (50,))
found = []
for log_probs in (ours, ours.__wrapped__):
    value = log_probs(logits, labels)
    (gradient,) = torch.autograd.grad(value.square().sum(), logits)
    found.append((value, gradient))
print(torch.equal(found[0][0], found[1][0]), torch.allclose(found[0][1], found[1][1], rtol=1e-6, atol=1e-7))
"""
    assert _python(code).stdout.split()[-2:] == ["True", "True"]
