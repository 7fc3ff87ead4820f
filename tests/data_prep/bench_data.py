"""The cleaning steps one by one, each beside the plain way with `datasets.map`: `python -m tests.data_prep.bench_data`.

92,000 training rows made from the real ones (GURU_DATA) by exchanging a third of the words, against all evaluation
sets; without real rows, from random words. Ours runs on all rows in a process of its own, whose peak memory is shown;
the plain ways, which take minutes, run on a tenth. CPU time a thousand rows, so that neither a busy machine nor the
number of cores matters. Asserts nothing about time.
"""

import json
import random
import resource
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from data_prep.files.row import Message, Row
from tests.data_prep.guru import PREFIX, REAL, SUFFIX, math_row, real_rows
from tests.data_prep.tokenizers import byte_level_tokenizer

ROWS = 92_000
PEER_ROWS = 9_200
MAX_TOKENS = 2048
TRAIN = "math_curriculum/math__sampled_1_4_12800.parquet"
EVALUATION = "math_curriculum/holdout_500.parquet"
_PERMUTATIONS = 128


def main() -> None:
    """Prints one line a step and one for all."""
    with tempfile.TemporaryDirectory() as name:
        byte_level_tokenizer(Path(name))
        ours, theirs = (_child(part, name) for part in ("ours", "theirs"))
    print(f"{'step':<16}{'ours':>12}{'datasets.map':>16}{'ratio':>8}   CPU ms per 1,000 rows")
    for step in STEPS:
        own, peer = ours[step] / ROWS * 1e6, theirs[step] / PEER_ROWS * 1e6
        print(f"{step:<16}{own:>12.1f}{peer:>16.1f}{own / peer:>8.2f}")
    total = sum(ours[step] for step in STEPS)
    print(f"all of ours, {ROWS} rows: {total:.1f} s of CPU, peak {ours['megabytes']:.0f} MB with the rows themselves")


def _child(part: str, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.data_prep.bench_data", part, folder]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return result


def training_rows(n: int) -> list[Row]:
    """The first row of each problem is the real one, so that every step has something to find."""
    rng = random.Random(0)
    originals = list(_originals())
    words = [word for row in originals[:2000] for word in row.prompt[0].content.split(" ")]
    rows = originals[:n]
    while len(rows) < n:
        row = originals[len(rows) % len(originals)]
        mixed = (rng.choice(words) if rng.random() < 0.35 else word for word in row.prompt[0].content.split(" "))
        rows.append(math_row(" ".join(mixed), row.ground_truth, row.data_source, f"math-{len(rows):016x}"))
    return rows


def evaluation_rows() -> Sequence[Row]:
    """Every evaluation set there is."""
    if not REAL.is_dir():
        return list(_originals())[::25]
    online = sorted(f"online_eval/{path.name}" for path in (REAL / "online_eval").glob("*.parquet"))
    return real_rows(EVALUATION, *online)


def _originals() -> Iterator[Row]:
    if REAL.is_dir():
        yield from real_rows(TRAIN)
        return
    rng = random.Random(0)
    words = ["".join(rng.choices(string.ascii_lowercase, k=rng.randrange(2, 9))) for _ in range(4000)]
    for number in range(12_800):
        yield math_row(PREFIX + " ".join(rng.choices(words, k=50)) + SUFFIX, str(number))


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def ours(folder: str) -> dict[str, float]:
    """Seconds of CPU of each step on all rows, one after another as preparation has them, and peak memory."""
    from tests.data_prep.cleaned import (
        Clean,
        decontaminate,
        drop_exact_duplicates,
        drop_near_duplicates,
        drop_too_long,
    )

    rows, evaluation = training_rows(ROWS), evaluation_rows()
    steps: dict[str, Callable[[list[Row]], Clean]] = {
        "exact": drop_exact_duplicates,
        "near": drop_near_duplicates,
        "contamination": lambda rows: decontaminate(rows, evaluation),
        "length": lambda rows: drop_too_long(rows, tokenizer=folder, max_tokens=MAX_TOKENS),
    }
    import transformers  # noqa: F401 - seconds, whatever the number of rows; every run of verl pays them too

    found = {}
    for name, step in steps.items():
        start = time.process_time()
        rows, _ = step(rows)
        found[name] = time.process_time() - start
    return found | {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _peer_exact(data: Any, _: Sequence[Row], __: str) -> None:
    seen: set[str] = set()

    def is_new(row: dict[str, str]) -> bool:
        new = row["key"] not in seen
        seen.add(row["key"])
        return new

    data.map(lambda row: {"key": _key(row["text"])}).filter(is_new)


def _peer_near(data: Any, _: Sequence[Row], __: str) -> None:
    from datasketch import MinHash, MinHashLSH

    scheme = MinHash(num_perm=_PERMUTATIONS).scheme

    def signature(row: dict[str, str]) -> dict[str, object]:
        key = _key(row["text"])
        minhash = MinHash(num_perm=_PERMUTATIONS)
        minhash.update_batch([key[start : start + 8].encode() for start in range(max(len(key) - 7, 1))])
        return {"signature": minhash.hashvalues}

    index = MinHashLSH(threshold=0.8, num_perm=_PERMUTATIONS)
    for number, row in enumerate(data.map(signature)):
        minhash = MinHash(num_perm=_PERMUTATIONS, hashvalues=row["signature"], scheme=scheme)
        if not index.query(minhash):
            index.insert(number, minhash)


def _peer_contamination(data: Any, evaluation: Sequence[Row], _: str) -> None:
    """GPT-3's rule (arXiv:2005.14165, appendix C): a shared run of 13 words."""

    def ngrams(text: str) -> set[str]:
        words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
        return {" ".join(words[start : start + 13]) for start in range(max(len(words) - 12, 1))}

    measured = {ngram for row in evaluation for ngram in ngrams(row.prompt[-1].content)}
    data.filter(lambda row: not (ngrams(row["text"]) & measured))


def _peer_length(data: Any, _: Sequence[Row], folder: str) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)

    def fits(row: dict[str, str]) -> bool:
        chat = [{"role": "user", "content": row["text"]}]
        return len(tokenizer.apply_chat_template(chat, add_generation_prompt=True)["input_ids"]) <= MAX_TOKENS

    data.filter(fits)


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


STEPS: dict[str, Callable[[Any, Sequence[Row], str], None]] = {
    "exact": _peer_exact,
    "near": _peer_near,
    "contamination": _peer_contamination,
    "length": _peer_length,
}


def theirs(folder: str) -> dict[str, float]:
    """Seconds of CPU of each plain way on a tenth of the rows."""
    import datasets

    datasets.disable_caching()
    datasets.disable_progress_bars()
    rows, evaluation = training_rows(ROWS)[:: ROWS // PEER_ROWS], evaluation_rows()
    messages: list[Message] = [row.prompt[-1] for row in rows]
    data = datasets.Dataset.from_dict({"text": [message.content for message in messages]})
    return {name: _seconds(lambda step=step: step(data, evaluation, folder)) for name, step in STEPS.items()}


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        print(json.dumps({"ours": ours, "theirs": theirs}[sys.argv[1]](sys.argv[2])))
