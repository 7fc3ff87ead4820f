"""A proof as text: the table that is printed, and docs/gpu-proof.md."""

from collections.abc import Sequence

from tabulate import tabulate

from sweeper.oversight.check import Verdict
from sweeper.oversight.proof.line import Line
from sweeper.oversight.proof.proof import Proof

_HEADER = ("", "what", "measured", "beside", "of")
_ABOUT = """\
`make gpu-proof` (`python -m sweeper prove`) tries one GPU of a machine before runs are trusted to it: no hub, ten
minutes a tier at most. On a cluster: `srun --gpus=1 --cpus-per-task=16 python -m sweeper prove`. It prints the table
below, each line as soon as it is measured, and ends with code 1 if one is wrong. Logs and runs stay in
`results/proof/`. `--small` goes the same way in miniature on a processor, in thirty minutes a tier at most: that shows
that the proof works, and nothing about a machine.

- **Tier 1** needs PyTorch and transformers alone. A model of Qwen2.5-0.5B's shape with random weights makes passes over
  micro-batches as large as its preset has them. Their peaks are within 20% of the parts of the planned ones that such a
  pass has: layer, activations, logits ([planning](planning.md)).
- **Tier 2** needs the whole stack. A tiny model is warm-started and trained, killed after a step that no checkpoint
  holds, and continued by the same command: it goes on from its last checkpoint, and its reward rises by two standard
  errors. A model of Qwen2.5-0.5B's shape and vocabulary with random weights is trained by us, and by
  `verl.trainer.main_ppo` alone with the same overrides: our pace is 85% of that or more. `rollout_probs_diff_mean` is
  below 0.01 in every step: else the engine samples from other weights than the actor's. No file, no process and no GPU
  memory is left at the end.
"""


def text(proof: Proof) -> str:
    """For a terminal: a table per tier, and the count."""
    return "\n\n".join([*(f"{tier.title}\n{_table(tier.lines, 'plain')}" for tier in proof.tiers), summary(proof)])


def summary(proof: Proof) -> str:
    """In one line: how many lines are right, wrong and unknown."""
    counts = ", ".join(f"{proof.count(verdict)} {verdict}" for verdict in Verdict if verdict is not Verdict.open)
    return f"{counts}{' (in miniature, on a processor: nothing about a GPU)' if proof.is_small else ''}"


def page(proof: Proof | None) -> str:
    """docs/gpu-proof.md of a proof on a GPU; None: of none yet."""
    if proof is None:
        return f"# GPU proof: not run yet\n\n{_ABOUT}"
    title = f"# GPU proof: run on {proof.device}, {proof.began[:10]}: {summary(proof)}"
    packages = ", ".join(f"{name} {version}" for name, version in proof.versions.items())
    tiers = "\n".join(f"## {tier.title}\n\n{_table(tier.lines, 'github')}\n" for tier in proof.tiers)
    return f"{title}\n\n{_ABOUT}\nCode: {proof.commit or 'commit unknown'}. {packages}.\n\n{tiers}"


def row(line: Line) -> tuple[str, ...]:
    """The cells of one line."""
    what = f"{line.what} ({line.note})" if line.note and line.verdict is not Verdict.ok else line.what
    beside = "" if line.beside is None else f"{_number(line.beside)} {line.unit}".strip()
    measured = "not measured" if line.measured is None else f"{_number(line.measured)} {line.unit}".strip()
    return (line.verdict or "", what, measured, beside, line.whose if beside else "")


def _table(lines: Sequence[Line], style: str) -> str:
    return tabulate([row(line) for line in lines], headers=_HEADER, tablefmt=style, disable_numparse=True)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"
