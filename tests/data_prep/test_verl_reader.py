"""verl's own dataset reads every prepared row, of every domain and every nested shape that Guru has."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.cleaning.lengths import PromptLimit
from data_prep.files.prepared_file import prompts_of
from data_prep.materialise import materialise
from data_prep.spec import Cleaning, DataSpec
from rewards import Domain, compute_score
from tests.data_prep.guru import REAL, needs_real, record
from tests.sweeper.conftest import tiny_model

pytestmark = pytest.mark.verl

__all__ = ["tiny_model"]

_ASSERTS = json.dumps({"functional": "def check(f):\n    assert f(2) == 3\n\ncheck(add_one)"})
# data_source, ground truth as Guru's parquet holds it, further fields of extra_info: each file has types of its own.
_SHAPES: tuple[tuple[str, object, dict[str, object]], ...] = (
    ("math__deepscaler_preview", "\\frac{1}{2}", {"reward_metric": "default", "original_question": "Half?"}),
    ("codegen__leetcode2k", _ASSERTS, {"prefix": "import math", "difficulty": "Easy", "reference": "x"}),
    ("codegen__taco", json.dumps({"inputs": ["1\n"], "outputs": ["2\n"]}), {"source": "codeforces"}),
    ("logic__zebra_puzzle_dataset", {"header": ["Position", "Pet"], "rows": [["1", "cat"]]}, {"grid_size": "1x2"}),
    ("logic__ordering_puzzle_dataset", ["red", "blue"], {"num_objects": 2, "raw_input": {"clues": ["red first"]}}),
    ("logic__graph_logical_dataset", "fdebme", {"lookahead": 3}),
    ("simulation__arcagi1", [[0, 1], [1, 0]], {}),
    ("simulation__codeio", '"output": {"n": 3}', {}),
    ("table__hitab", "12|13", {}),
    ("stem__supergpqa", "C", {"original_prompt": "Which?"}),
)


def _made(root: Path) -> int:
    """One file a shape, ten rows each; returns how many rows."""
    for number, (source, gold, extra) in enumerate(_SHAPES):
        rows = [
            {
                "data_source": source,
                "prompt": [{"role": "user", "content": f"Case {i} of {source}: what is it?"}],
                "ability": "any",
                "apply_chat_template": True,
                "reward_model": {"style": "rule", "ground_truth": gold},
                "extra_info": {"split": "train", "index": i, **extra},
                "qwen2.5_7b_pass_rate": i / 16,
            }
            for i in range(10)
        ]
        pq.write_table(pa.Table.from_pylist(rows), root / f"{number}.parquet")
    return 10 * len(_SHAPES)


def _read_by_verl(path: Path, tokenizer: Path, *, max_prompt_length: int | None = None) -> Any:
    from omegaconf import OmegaConf
    from transformers import AutoTokenizer
    from verl.utils.dataset.rl_dataset import RLHFDataset

    config = OmegaConf.create(
        {
            "cache_dir": str(path.parent / "verl"),
            "max_prompt_length": max_prompt_length or 4096,
            "filter_overlong_prompts": max_prompt_length is not None,
            "filter_overlong_prompts_workers": 1,
        }
    )
    return RLHFDataset(data_files=str(path), tokenizer=AutoTokenizer.from_pretrained(tokenizer), config=config)


def _check_round_trip(root: Path, out: Path, tokenizer: Path, expected: int, domains: Iterable[Domain]) -> None:
    spec = DataSpec(
        root=str(root),
        n_unique=None,
        weights=dict.fromkeys(domains, 1.0),
        n_eval_per_domain=None,
        n_val_per_domain=1,
        cleaning=Cleaning(exact_duplicates=False, contamination=False),
    )
    prepared = materialise(spec, out)
    written = pq.read_table(prepared.train).to_pylist()
    dropped = pq.read_table(prepared.dropped).to_pylist()
    assert all(row["reason"].startswith("the same problem came before") for row in dropped)
    assert len(written) + len(dropped) == expected
    read = _read_by_verl(prepared.train, tokenizer)
    assert len(read) == len(written)
    for number, row in enumerate(written):
        item = read[number]
        assert list(item["raw_prompt"]) == row["prompt"]
        assert item["reward_model"] == row["reward_model"]
        assert item["extra_info"] == row["extra_info"]


def test_every_domain_and_shape_arrives_whole(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "guru" / "train").mkdir(parents=True)
    (tmp_path / "guru" / "online_eval").mkdir()
    n = _made(tmp_path / "guru" / "train")
    for file in (tmp_path / "guru" / "train").iterdir():
        table = pq.read_table(file).slice(0, 1).to_pylist()
        table[0]["prompt"] = [{"role": "user", "content": f"Held out: {file.stem}, of all the files, what is it?"}]
        pq.write_table(pa.Table.from_pylist(table), tmp_path / "guru" / "online_eval" / file.name)
    _check_round_trip(
        tmp_path / "guru", tmp_path / "out", tiny_model, n, [domain for domain in Domain if domain is not Domain.OWN]
    )


@pytest.mark.parametrize("is_synthetic", [True, False])
def test_verls_own_filter_has_nothing_left_to_drop(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, is_synthetic: bool
) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "in").mkdir()
    texts = [f"What is {n}+{n}?{' 多少？' * (n % 3)}" for n in range(100, 140)]  # noqa: RUF001
    pq.write_table(pa.Table.from_pylist([record(text) for text in texts]), tmp_path / "in" / "a.parquet")
    root, most = (None, 9) if is_synthetic else (str(tmp_path / "in"), 36)
    spec = DataSpec(root=root, n_unique=16, n_eval_per_domain=8, n_val_per_domain=8)
    limit = PromptLimit(tokenizer=tiny_model, max_tokens=most)
    plain, limited = materialise(spec, tmp_path / "out"), materialise(spec, tmp_path / "out", limit)

    def left_out(path: Path) -> int:
        return pq.read_metadata(path).num_rows - len(_read_by_verl(path, tiny_model, max_prompt_length=most))

    assert left_out(plain.train) == len(limit.too_long(prompts_of(plain.train))) > 0
    assert (left_out(limited.train), left_out(limited.val)) == (0, 0)
    assert pq.read_metadata(limited.train).num_rows == 16


def test_structured_golds_score_as_the_puzzles_they_are(tmp_path: Path) -> None:
    root = tmp_path / "guru"
    root.mkdir()
    _made(root)
    spec = DataSpec(
        root=str(root),
        n_unique=None,
        weights={"logic": 1.0},
        n_eval_per_domain=1,
        n_val_per_domain=1,
        cleaning=Cleaning(contamination=False),  # these puzzles share their words
    )
    answers = {
        "logic__zebra_puzzle_dataset": '<answer>{"header": ["Position", "Pet"], "rows": [["1", "cat"]]}</answer>',
        "logic__ordering_puzzle_dataset": "<answer>red, blue</answer>",
        "logic__graph_logical_dataset": "<answer>fdebme</answer>",
        "simulation__arcagi1": "<answer>[[0, 1], [1, 0]]</answer>",
    }
    seen = set()
    for row in pq.read_table(materialise(spec, tmp_path / "out").train).to_pylist():
        source, gold = row["data_source"], row["reward_model"]["ground_truth"]
        assert compute_score(source, answers[source], gold, row["extra_info"])["score"] == 1.0
        seen.add(source)
    assert seen == set(answers)


@needs_real
def test_no_real_row_is_lost(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "guru"
    (root / "train").mkdir(parents=True)
    (root / "online_eval").mkdir()
    files = [*(REAL / "online_eval").glob("*.parquet"), *(REAL / "math_curriculum").glob("*_512.parquet")]
    for file in files:
        shutil.copy(file, root / "train")
    _made(root / "online_eval")
    n = sum(pq.read_metadata(file).num_rows for file in files)
    _check_round_trip(root, tmp_path / "out", tiny_model, n, (Domain.MATH, Domain.CODE, Domain.LOGIC, Domain.STEM))
