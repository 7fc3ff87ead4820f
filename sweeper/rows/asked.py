"""The problems of prepared data as people read them: what was asked, and the right answer."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewards import BadGroundTruth, gold_text
from rewards.bounded_file import open_regular
from rewards.bounded_parquet import batches

PROMPT_CHARACTERS = 20_000  # of a prompt that are kept in memory, and shown
GOLD_CHARACTERS = 4_000  # the tests of a code problem are megabytes
_COLUMNS = ["data_source", "prompt", "reward_model", "extra_info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One problem.

    Attributes:
        problem_id: Its name.
        data_source: Decides the scorer.
        domain: `math`, `code`, ...
        prompt: Its messages; of several each after its role. Cut at `PROMPT_CHARACTERS`.
        gold: The right answer, cut at `GOLD_CHARACTERS`.
        contents: What each message says, whole and without blanks.
        gold_digest: `gold_digest` of the whole right answer.
    """

    problem_id: str
    data_source: str
    domain: str | None
    prompt: str
    gold: str
    contents: tuple[str, ...]
    gold_digest: str

    def was_asked_in(self, text: str) -> bool:
        """Whether a prompt with a chat template around it holds every message of this problem, in order."""
        place, dense = 0, _dense(text)
        for content in self.contents:
            place = dense.find(content, place)
            if place < 0:
                return False
            place += len(content)
        return True


def read_asked(path: Path) -> Iterator[Asked]:
    """The problems of a parquet file in verl's columns, batch by batch.

    Raises:
        OSError: there is no such file.
        ValueError: it is no such file, or decodes to far more than its size.
    """
    from pyarrow import parquet

    with open_regular(path) as source, parquet.ParquetFile(source) as file:
        for batch in batches(path, file, columns=_COLUMNS):
            for row in batch.to_pylist():
                yield _asked(row)


def gold_digest(gold: object) -> str:
    """Of a right answer in any form that readers give."""
    try:
        text = gold_text(gold)
    except BadGroundTruth:
        text = repr(gold)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def by_gold(problems: Sequence[Asked]) -> Mapping[str, list[Asked]]:
    """The problems of each right answer, by its digest."""
    found: dict[str, list[Asked]] = {}
    for problem in problems:
        found.setdefault(problem.gold_digest, []).append(problem)
    return found


def cut(text: str, most: int) -> str:
    """The text, or its beginning and how much more there is."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def _asked(row: Mapping[str, Any]) -> Asked:
    messages = [(str(turn["role"]), str(turn["content"])) for turn in row["prompt"]]
    single = len(messages) == 1
    prompt = messages[0][1] if single else "\n\n".join(f"{role}: {content}" for role, content in messages)
    gold, about = row["reward_model"]["ground_truth"], row["extra_info"]
    return Asked(
        problem_id=about["problem_id"],
        data_source=row["data_source"],
        domain=about.get("domain"),
        prompt=cut(prompt, PROMPT_CHARACTERS),
        gold=cut(gold if isinstance(gold, str) else gold_text(gold), GOLD_CHARACTERS),
        contents=tuple(_dense(content) for _, content in messages),
        gold_digest=gold_digest(gold),
    )


def _dense(text: str) -> str:
    """Without blanks, of which a tokenizer there and back changes some."""
    return "".join(text.split())
