"""Benchmarks of data preparation beside the plain way with `datasets`: `python -m tests.bench_data`.

92,000 rows in Guru's format, made by replicating the real ones (GURU_DATA, or ../shared/data/guru) with their letters
exchanged; without them, from sentences. Prints seconds and peak memory of fresh processes; asserts nothing.
"""

import hashlib
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.data_prep.guru import REAL

WEIGHTS = {"math": 54.4, "code": 18.0, "logic": 6.3, "stem": 3.6}
COUNTS = {"math": 68_000, "code": 14_000, "logic": 6_300, "stem": 3_700}
MAX_TOKENS = 2048
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def main() -> None:
    """Run all, each in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = make(folder / "guru")
        tokenizer(folder / "tokenizer")
        print(f"{rows} rows; mix, deduplication, decontamination, length filter", flush=True)
        for part in ("ours", "scale", "datasets"):
            subprocess.run([sys.executable, "-m", "tests.bench_data", part, name], check=True)


def make(root: Path) -> int:
    """Writes the folder and returns the number of training rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng, total = random.Random(0), 0
    for side in ("train", "online_eval"):
        (root / side).mkdir(parents=True)
    for domain, n in COUNTS.items():
        originals = list(_originals(domain))
        rows = []
        # Those of the other domains are evaluation sets: training sees them enciphered alone.
        for number in range(0 if domain == "math" else len(originals), n):
            row = json.loads(json.dumps(originals[number % len(originals)]))
            if number >= len(originals):
                cipher = "".join(random.Random(number // len(originals)).sample(_LETTERS, 26))
                text = row["prompt"][-1]["content"].translate(str.maketrans(_LETTERS, cipher))
                row["prompt"][-1]["content"] = text
            row["qwen2.5_7b_pass_rate"] = rng.randrange(17) / 16
            rows.append(row)
        pq.write_table(pa.Table.from_pylist(rows), root / "train" / f"{domain}.parquet")
        total += len(rows)
        held_out = list(_held_out()) if domain == "math" else originals
        pq.write_table(pa.Table.from_pylist(held_out), root / "online_eval" / f"{domain}.parquet")
    return total


def _held_out() -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    files = [
        file for name in ("aime*", "amc*", "gsm8k", "math__*") for file in REAL.glob(f"online_eval/{name}.parquet")
    ]
    for file in files:
        for row in pq.read_table(file).to_pylist():
            yield row | {"qwen2.5_7b_pass_rate": None}
    if not files:
        yield from list(_originals("math"))[:500]


def _originals(domain: str) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    names = {"math": "*/math__sampled_1_4_*", "code": "*/codegen*", "logic": "*/logic*", "stem": "*/stem*"}
    found = list(REAL.glob(f"{names[domain]}.parquet"))
    for file in found:
        for row in pq.read_table(file).to_pylist():
            row.pop("__index_level_0__", None)
            yield row
    if found:
        return
    golds = {"math": "7", "code": json.dumps({"inputs": ["1\n"], "outputs": ["2\n"]}), "logic": "abc", "stem": "A"}
    sources = {"math": "math__x", "code": "codegen__taco", "logic": "logic__graph_logical", "stem": "stem__supergpqa"}
    rng = random.Random(domain)
    for number in range(2000):
        text = " ".join(rng.choices(["stone", "river", "light", "apple", "house"], k=150))
        yield {
            "data_source": sources[domain],
            "prompt": [{"role": "user", "content": f"{number} {text}"}],
            "ability": domain,
            "reward_model": {"style": "rule", "ground_truth": golds[domain]},
            "extra_info": {"index": number},
        }


def tokenizer(out: Path) -> None:
    """A tokenizer with a chat template, as a model's folder has it."""
    from data_prep.synthetic.tasks import SPECIAL_STRINGS
    from sweeper.inputs import tiny
    from tests.sweeper.conftest import SHAPE

    tiny.build(out, SHAPE, special_strings=SPECIAL_STRINGS, seed=0)


def ours(folder: Path, n_unique: int | None) -> None:
    """Prepare with `data_prep`; a second scale finds the first one's pool."""
    from data_prep.materialise import materialise
    from data_prep.spec import Cleaning, DataSpec

    materialise(
        DataSpec(
            root=str(folder / "guru"),
            n_unique=n_unique,
            weights=WEIGHTS,
            n_eval_per_domain=None,
            cleaning=Cleaning(tokenizer=str(folder / "tokenizer"), max_prompt_tokens=MAX_TOKENS),
        ),
        folder / "out",
    )


def with_datasets(folder: Path) -> None:
    """The same by `datasets.map` and `filter`, as preparation scripts do it: one process, exact matches alone."""
    from datasets import concatenate_datasets, load_dataset
    from transformers import AutoTokenizer

    count = AutoTokenizer.from_pretrained(folder / "tokenizer")

    def key(row: dict[str, Any]) -> dict[str, Any]:
        text = re.sub(r"[^a-z0-9]+", "", row["prompt"][-1]["content"].lower())
        return {"key": hashlib.sha256(text.encode()).hexdigest()}

    def plain(row: dict[str, Any]) -> dict[str, Any]:
        row["reward_model"] = {"style": "rule", "ground_truth": json.dumps(row["reward_model"]["ground_truth"])}
        row["extra_info"] = json.dumps(row["extra_info"])
        return row

    def load(side: str, domain: str) -> Any:
        file = str(folder / "guru" / side / f"{domain}.parquet")
        data = load_dataset("parquet", data_files=file, cache_dir=str(folder / "cache"))["train"]
        return data.map(plain, remove_columns=["reward_model", "extra_info"]).map(key)

    evaluated = {name for domain in COUNTS for name in load("online_eval", domain)["key"]}
    seen: set[str] = set()

    def is_new(row: dict[str, Any]) -> bool:
        new = row["key"] not in seen and row["key"] not in evaluated
        seen.add(row["key"])
        return new

    data = concatenate_datasets([load("train", domain) for domain in COUNTS]).filter(is_new)
    data = data.filter(lambda row: len(count.apply_chat_template(row["prompt"], tokenize=True)) <= MAX_TOKENS)
    data.shuffle(seed=0).to_parquet(str(folder / "datasets.parquet"))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        part, where = sys.argv[1], Path(sys.argv[2])
        started = time.monotonic()
        if part == "datasets":
            with_datasets(where)
        else:
            ours(where, None if part == "ours" else 4096)
        children, own = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
        cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
        labels = {"ours": "data_prep, all 92,000 rows", "scale": "data_prep, another scale from the pool"}
        name = labels.get(part, "datasets.map and filter, exact matches alone")
        megabytes = max(own.ru_maxrss, children.ru_maxrss) // 1024
        print(f"{name}: {time.monotonic() - started:.1f} s ({cpu:.1f} s of CPU), {megabytes} MB", flush=True)
