"""The lines of a log that say what became of a run, and not what a model answered.

verl's reward managers print samples of training and of validation, `[prompt]`, `[response]`, `[ground_truth]` and the
parts of a score (`verl/workers/reward_manager`), and an answer may hold any line: a traceback, a full disk, a score.
Where it ends cannot be told from what follows it, so a process that prints samples is not listened to. Ray says before
each line which process printed it, and whatever ends a process, Ray raises again in verl's own, whose lines have no
such prefix. If that one printed samples itself, nothing counts before its last traceback, which has to stand below the
last score.
"""

import re

TRACEBACK = "Traceback (most recent call last):"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Ray's; a process has no name yet where it begins. Short: an answer may begin as it does and never end.
_SPEAKER = re.compile(r"\((?:\w[^)]{0,300})?(pid=\d+[^)]{0,300})\)\s?")
# Not at the beginning of a line alone: a bar may stand before it.
_SAMPLE = re.compile(r"(?<![\w.\]])\[(prompt|response|ground_truth|score)\](\s|$)")
_PART = re.compile(r"\[[\w/@.-]+\](\s|$)")  # of a score


def heard(text: str) -> list[str]:
    """The lines of a log without colours and Ray's prefixes, and without those of processes that print samples."""
    # By newlines alone, as Ray does it: what Python also takes for the end of a line would leave its prefix behind.
    lines = [_spoken(line) for line in text.removesuffix("\n").split("\n")] if text else []
    samplers = {speaker for speaker, words in lines if _SAMPLE.search(words)}
    if "" in samplers:  # whose answers may begin as another process's lines do
        last = max(number for number, (speaker, words) in enumerate(lines) if not speaker and _PART.match(words))
        ends = [number for number, (speaker, words) in enumerate(lines) if not speaker and words.startswith(TRACEBACK)]
        lines = lines[ends[-1] :] if ends and ends[-1] > last else []
        samplers.discard("")
    told = (words for speaker, words in lines if speaker not in samplers)
    return [part.strip() for words in told for part in words.splitlines() or [""]]


def _spoken(line: str) -> tuple[str, str]:
    """Who printed a line, as Ray numbers processes, and what; "": the process whose log it is."""
    plain = _COLOUR.sub("", line)
    prefix = _SPEAKER.match(plain)
    return (prefix[1], plain[prefix.end() :]) if prefix else ("", plain)
