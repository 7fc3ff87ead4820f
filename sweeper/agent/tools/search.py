"""Search over a frozen corpus: BM25, the same hits in the same order everywhere.

The index is ours, of sixty lines: the libraries that there are bring numpy's or numba's order of sums and break ties by
partial sorts, and a run's results must not depend on either.
"""

import hashlib
import json
import math
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from rewards.bounded_file import read_bytes
from sweeper.agent.tools.tool import Observation, failed, function_schema
from sweeper.host.errors import ConfigError
from sweeper.spec.agent import Agent, ToolLimits

CORPUS = "corpus"  # in agent.versions
_K1, _B = 1.2, 0.75
_TITLE = 2  # a word of the title counts as that many
_SHOWN = 3
_QUERY_WORDS = 64
_MOST_BYTES = 2 << 30
_WORD = re.compile(r"\w+")


class Search:
    """Finds documents by words; a query that is a title gives that document alone, others the best three."""

    name = "search"
    version = "1"

    def __init__(self, agent: Agent) -> None:
        """Reads the corpus.

        Raises:
            ConfigError: It cannot be read, or is not the one that the run was planned with.
        """
        self._feedback = agent.feedback
        digest, self._index = _indexed(agent.corpus)
        planned = agent.versions.get(CORPUS)
        if planned is not None and planned != digest:
            raise ConfigError(
                f"agent.corpus={agent.corpus} is not the file that the run was planned with (digest {digest}, then "
                f"{planned}). Restore it, or plan again."
            )
        self.schema = function_schema(
            self.name,
            "Searches a collection of texts and gives back those that fit best.",
            {"query": {"type": "string", "description": "words to look for"}},
        )

    def run(
        self, arguments: Mapping[str, Any], state: dict[str, Any], row: Mapping[str, Any], limits: ToolLimits
    ) -> Observation:
        """Hits, one per line: `title: text`."""
        del state, row, limits
        begun = time.thread_time()
        query = arguments.get("query")
        if not isinstance(query, str) or not query.strip():
            return failed("query must be text", feedback=self._feedback, cpu_s=time.thread_time() - begun)
        hits = self._index.hits(query)
        text = "\n".join(hits) or "nothing found"
        return Observation(text=text, ok=True, cpu_s=time.thread_time() - begun)

    def close(self, state: dict[str, Any]) -> None:
        """Nothing is held."""


class Index:
    """BM25 in Lucene's form (Robertson and Zaragoza 2009, eq. 3.15, with idf = ln(1 + (N - n + .5) / (n + .5)))."""

    def __init__(self, documents: Sequence[tuple[str, str]]) -> None:
        """Args: documents: Title and text of each."""
        self._documents = documents
        self._by_title = {" ".join(_words(title)): number for number, (title, _) in reversed([*enumerate(documents)])}
        counts = [Counter(_words(title) * _TITLE + _words(text)) for title, text in documents]
        lengths = [count.total() for count in counts]
        mean = max(1.0, sum(lengths) / max(1, len(lengths)))
        self._weights: dict[str, list[tuple[int, float]]] = {}
        for number, count in enumerate(counts):
            norm = _K1 * (1 - _B + _B * lengths[number] / mean)
            for word, n in count.items():
                self._weights.setdefault(word, []).append((number, n * (_K1 + 1) / (n + norm)))

    def hits(self, query: str) -> list[str]:
        """The best documents as `title: text`; of equal ones the earlier in the corpus first."""
        words = _words(query)[:_QUERY_WORDS]
        exact = self._by_title.get(" ".join(words))
        if exact is not None:
            return [self._shown(exact)]
        scores: dict[int, float] = {}
        for word in sorted(set(words)):  # sums of floats in one order
            found = self._weights.get(word, [])
            idf = math.log(1 + (len(self._documents) - len(found) + 0.5) / (len(found) + 0.5))
            for number, weight in found:
                scores[number] = scores.get(number, 0.0) + idf * weight
        best = sorted(scores, key=lambda number: (-scores[number], number))[:_SHOWN]
        return [self._shown(number) for number in best]

    def _shown(self, number: int) -> str:
        title, text = self._documents[number]
        return f"{title}: {text}" if title else text


def corpus_digest(corpus: str | None) -> str:
    """16 hex digits of SHA-256 over titles and texts.

    Args:
        corpus: Path of JSON Lines; None: the facts of the synthetic lookup tasks.

    Raises:
        ConfigError: It cannot be read.
    """
    return _indexed(corpus)[0]


def _indexed(corpus: str | None) -> tuple[str, Index]:
    if corpus is None:
        return _read_once(None, ())
    try:
        now = Path(corpus).stat()
    except OSError as error:
        raise ConfigError(f"agent.corpus={corpus} cannot be read: {error.strerror}") from None
    return _read_once(Path(corpus), (now.st_mtime_ns, now.st_size, now.st_ino))


@lru_cache(2)
def _read_once(path: Path | None, as_of: tuple[int, ...]) -> tuple[str, Index]:
    del as_of  # a file that was written again is another one
    documents = _facts() if path is None else _read(path)
    total = hashlib.sha256()
    for document in documents:
        total.update(f"{json.dumps(document)}\n".encode())
    return total.hexdigest()[:16], Index(documents)


def _facts() -> list[tuple[str, str]]:
    from data_prep.synthetic.lookup import facts  # thousands, made when they are first asked for

    return [(one["title"], one["text"]) for one in facts()]


def _read(path: Path) -> list[tuple[str, str]]:
    try:
        lines = read_bytes(path, _MOST_BYTES).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"agent.corpus={path} cannot be read: {why}") from None
    documents = []
    for number, line in enumerate(lines, 1):
        try:
            one = json.loads(line)
            title, text = one.get("title", ""), one["text"]
        except (ValueError, RecursionError, KeyError, AttributeError):
            title = text = None
        if not isinstance(title, str) or not isinstance(text, str):
            raise ConfigError(f'agent.corpus={path} line {number}: each must be {{"title": "...", "text": "..."}}')
        documents.append((title, text))
    if not documents:
        raise ConfigError(f"agent.corpus={path} is empty")
    return documents


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
