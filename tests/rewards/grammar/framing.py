"""What stands around an answer in a response, and what makes it no answer."""

from random import Random

_BEFORE = (
    "The answer is $\\boxed{{{0}}}$.", "\\boxed{{{0}}}", "So it is \\boxed{{{0}}}.", "**Answer:** $\\boxed{{{0}}}$",
    "\\[\n\\boxed{{{0}}}\n\\]", "Therefore, the final answer is: $\\boxed{{{0}}}$. I hope it is correct.",
    "答案是 $\\boxed{{{0}}}$。", "Ответ: $\\boxed{{{0}}}$.", "\\fbox{{{0}}}",
    "$$\\boxed{{{0}}}$$\n\nLet me know if that helps!", "<think>Let me see.</think>\n\\boxed{{{0}}}",
    "Step 1. Work.\nStep 2. More work.\n\n\\boxed{{{0}}}",
)  # fmt: skip
_SECOND = (
    "<think>Is it \\boxed{{{1}}}? No.</think>\nIt is \\boxed{{{0}}}.",
    "At first I found \\boxed{{{1}}}, but there was a mistake in the second step of it. "
    "Once more, and with more care, it comes to \\boxed{{{0}}}.",
    "Write your answer as \\boxed{{}}. Then: \\boxed{{{0}}}",
)  # fmt: skip
_DECORATIONS = (
    "\\displaystyle {0}", "\\color{{red}}{{{0}}}", "\\large {0}", "{0}\\,", "\\, {0}", " {0} ", "{{{0}}}", "$ {0} $",
    "\\textcolor{{blue}}{{{0}}}", "{0} \\quad", "\\boxed{{{0}}}",
)  # fmt: skip
_SPOILT = (
    "<think>So far I have \\boxed{{{0}}}, but", "The answer is {0}.", "\\boxed{{{0}",
    "\\boxed{{{0}}}. Wait, that was wrong in several steps, so I work it out anew from the beginning: "
    "\\boxed{{{1}}}",
    "<think>It is \\boxed{{{0}}}.</think> I do not know.", "<think>It is \\boxed{{{0}}}.</think> So \\boxed{{{1}}}.",
)  # fmt: skip
_HEDGES = (
    "{0} \\text{{ or }} {1}", "{0} or {1}", "{1} \\text{{ or }} {0}", "{0}, {1}",
    "\\text{{either }} {0} \\text{{ or }} {1}", "{0} \\text{{ (or }} {1})", "{0}; {1}", "{1} \\text{{ and }} {0}",
    "{0} / \\text{{or}} / {1}",
)  # fmt: skip


def framed(rng: Random, answer: str, another: str, *, decorated: bool = True) -> str:
    """A response that answers `answer`; `another` may be there too, as what was taken back."""
    if decorated and rng.random() < 0.15:
        answer = rng.choice(_DECORATIONS).format(answer)
    frame = rng.choice(_SECOND if rng.random() < 0.15 else _BEFORE)
    return frame.format(answer, another)


def spoilt(rng: Random, answer: str, another: str) -> str:
    """A response with `answer` in it that does not give it as its answer."""
    return rng.choice(_SPOILT).format(answer, another)


def hedged(rng: Random, answer: str, another: str) -> str:
    """A response that gives two values where one was asked for."""
    return rng.choice(_BEFORE).format(rng.choice(_HEDGES).format(answer, another))
