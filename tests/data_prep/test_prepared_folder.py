"""From a folder to files: orders, filters, splits, annotations and the pool that all of them are cut from."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep.files.atomic_folder import make_once
from data_prep.files.prepared_folder import PreparedData
from data_prep.materialise import materialise
from data_prep.spec import DataError, DataSpec, Order, PassRateRange

_RATE = "qwen2.5_7b_pass_rate"


def _row(domain: str, number: int) -> dict[str, Any]:
    return {
        "data_source": {"math": "math__x", "stem": "stem__supergpqa"}[domain],
        "prompt": [{"role": "user", "content": f"Question {number} about {domain}?"}],
        "ability": domain,
        "reward_model": {"style": "rule", "ground_truth": {"math": str(number), "stem": "A"}[domain]},
        "extra_info": {"index": number, "solution": f"\\boxed{{{number}}}" if number % 2 else None},
        _RATE: (number * 7 % 17) / 16 if number % 17 < 16 else None,
    }


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


@pytest.fixture
def spec(tmp_path: Path) -> DataSpec:
    root = tmp_path / "guru"
    _write(root / "train" / "math.parquet", [_row("math", i) for i in range(60)])
    _write(root / "train" / "stem.parquet", [_row("stem", i) for i in range(60)])
    held_out = [_row(domain, i) for domain in ("math", "stem") for i in range(100, 105)]
    _write(root / "online_eval" / "all.parquet", held_out)
    weights = {"math": 1.0, "stem": 1.0}
    return DataSpec(root=str(root), n_unique=40, weights=weights, n_eval_per_domain=None, n_val_per_domain=2)


def _rows(path: Path | None) -> list[dict[str, Any]]:
    assert path is not None
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def _ids(prepared: PreparedData) -> list[str]:
    return [row["extra_info"]["problem_id"] for row in _rows(prepared.train)]


def _rates(prepared: PreparedData, column: str = _RATE) -> list[float | None]:
    return [json.loads(row["extra_info"]["rest"]).get(column) for row in _rows(prepared.train)]


_MEASURED = (PassRateRange(column=_RATE, includes_low=True, includes_high=True),)


def test_the_files_order_is_the_order_asked_for(tmp_path: Path, spec: DataSpec) -> None:
    measured = replace(spec, filters=_MEASURED, order_by=None)
    mixed = materialise(measured, tmp_path / "out")
    easy = materialise(replace(measured, order=Order.easy_to_hard, order_by=_RATE), tmp_path / "out")
    hard = materialise(replace(measured, order=Order.hard_to_easy, order_by=_RATE), tmp_path / "out")
    staged = materialise(replace(measured, order=Order.staged, stages=("stem", "math")), tmp_path / "out")
    assert len({tuple(sorted(_ids(p))) for p in (mixed, easy, hard, staged)}) == 1
    rates = [rate for rate in _rates(easy) if rate is not None]
    assert rates == sorted(rates, reverse=True)
    assert _rates(hard) == sorted(rates)
    domains = [row["extra_info"]["domain"] for row in _rows(staged.train)]
    assert domains == ["stem"] * 20 + ["math"] * 20
    assert [row["extra_info"]["index"] for row in _rows(easy.train)] == list(range(40))


def test_every_filtered_row_is_in_the_side_file_with_its_reason(tmp_path: Path, spec: DataSpec) -> None:
    low = replace(spec, n_unique=None, filters=(PassRateRange(column=_RATE, low=0.0, high=0.5),))
    prepared = materialise(low, tmp_path / "out")
    assert all(rate is not None and 0 < rate < 0.5 for rate in _rates(prepared))
    dropped = _rows(prepared.dropped)
    assert len(dropped) + len(_ids(prepared)) == 120
    assert {row["step"] for row in dropped} == {"pass rate"}
    assert any("not measured" in row["reason"] for row in dropped)
    assert not {row["problem_id"] for row in dropped} & set(_ids(prepared))


def test_fine_tuning_rl_and_evaluation_share_no_problem(tmp_path: Path, spec: DataSpec) -> None:
    whole = materialise(spec, tmp_path / "out")
    parts = materialise(replace(spec, sft_share=0.25), tmp_path / "out")
    sft = _rows(parts.sft)
    assert (len(sft), len(_ids(parts))) == (10, 30)
    names = {row["problem_id"] for row in sft}
    assert names | set(_ids(parts)) == set(_ids(whole))
    assert not names & {row["extra_info"]["problem_id"] for row in _rows(parts.evaluation)}
    assert all([message["role"] for message in row["messages"]] == ["user", "assistant"] for row in sft)
    assert all(row["messages"][-1]["content"].startswith("\\boxed") for row in sft)
    assert whole.sft is None


def test_rejection_sampled_solutions_make_problems_fit_for_fine_tuning(tmp_path: Path, spec: DataSpec) -> None:
    most = replace(spec, sft_share=0.75)
    with pytest.raises(DataError, match=r"data\.sft_solutions"):
        materialise(most, tmp_path / "out")
    sampled = tmp_path / "sampled.jsonl"
    names = _ids(materialise(spec, tmp_path / "out"))
    sampled.write_text("".join(json.dumps({"problem_id": name, "solution": "sampled"}) + "\n" for name in names))
    sft = _rows(materialise(replace(most, sft_solutions=str(sampled)), tmp_path / "out").sft)
    assert len(sft) == 30
    assert {row["messages"][-1]["content"] for row in sft} == {"sampled"}


def test_synthetic_tasks_are_split_and_ordered_too(tmp_path: Path) -> None:
    spec = DataSpec(n_unique=42, weights={"math": 1.0, "stem": 1.0}, order=Order.hard_to_easy, sft_share=0.5)
    prepared = materialise(spec, tmp_path)
    levels = [row["extra_info"]["difficulty"] for row in _rows(prepared.train)]
    assert levels == sorted(levels, reverse=True)
    assert (len(levels), len(_rows(prepared.sft))) == (21, 21)


def test_measured_pass_rates_are_joined_and_kept(tmp_path: Path, spec: DataSpec) -> None:
    names = _ids(materialise(replace(spec, n_unique=None), tmp_path / "out"))
    measured = tmp_path / "tiny.parquet"
    pq.write_table(pa.table({"problem_id": names, "tiny_pass_rate": [i / 200 for i in range(len(names))]}), measured)
    by_tiny = replace(spec, annotations=(str(measured),), order=Order.easy_to_hard, order_by="tiny_pass_rate")
    rates = _rates(materialise(by_tiny, tmp_path / "out"), "tiny_pass_rate")
    assert rates == sorted(rates, key=lambda rate: -(rate or 0.0))
    assert None not in rates
    with pytest.raises(DataError, match="no training problem has the column other_pass_rate"):
        materialise(replace(by_tiny, order_by="other_pass_rate"), tmp_path / "out")


def test_one_pool_serves_all_scales_and_orders(tmp_path: Path, spec: DataSpec) -> None:
    for other in (spec, replace(spec, n_unique=10), replace(spec, seed=3), replace(spec, stratify_by=_RATE)):
        materialise(other, tmp_path / "out")
    assert len(list((tmp_path / "out" / "pools").iterdir())) == 1


def test_many_processes_make_one_pool_and_the_same_bytes(tmp_path: Path, spec: DataSpec) -> None:
    specs = [replace(spec, n_unique=n) for n in (10, 20)] * 4
    with ProcessPoolExecutor(4) as executor:
        prepared = list(executor.map(materialise, specs, [tmp_path / "out"] * 8))
    assert len(set(prepared)) == 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        {"pools", *(one.train.parent.name for one in prepared)}
    )
    alone = materialise(specs[0], tmp_path / "alone")
    for here, there in ((alone.train, prepared[0].train), (alone.manifest, prepared[0].manifest)):
        assert here.read_bytes() == there.read_bytes()


def test_a_prepared_cut_holds_what_its_source_row_held(tmp_path: Path, spec: DataSpec) -> None:
    source = {
        f"{row['ability']}{row['extra_info']['index']}": row
        for d in ("math", "stem")
        for row in (_rows(Path(str(spec.root)) / "train" / f"{d}.parquet"))
    }
    for row in _rows(materialise(spec, tmp_path / "out").train):
        rest = json.loads(row["extra_info"]["rest"])
        original = source[f"{row['ability']}{rest['source_index']}"]
        assert row["prompt"] == original["prompt"]
        assert row["reward_model"]["ground_truth"] == original["reward_model"]["ground_truth"]
        assert row["extra_info"]["solution"] == original["extra_info"]["solution"]
        assert rest.get(_RATE) == original[_RATE]
        assert row["extra_info"]["split"] == "train"


def test_problems_that_differ_in_their_signs_and_answers_alone_are_two(tmp_path: Path, spec: DataSpec) -> None:
    words = "Write a function that says whether every opening bracket of a string of brackets is closed by a matching"
    twins = [_row("math", 0) | {"prompt": [{"role": "user", "content": f"{words} {b}"}]} for b in ("<>", "()", "()")]
    for number, row in enumerate(twins):
        row["reward_model"] = {"style": "rule", "ground_truth": str(min(number, 1))}
    _write(Path(str(spec.root)) / "online_eval" / "brackets.parquet", twins)
    prepared = materialise(spec, tmp_path / "out")
    names = [row["extra_info"]["problem_id"] for row in _rows(prepared.evaluation)]
    assert len(names) == len(set(names)) == 12


def test_after_a_failed_build_those_who_waited_and_those_who_come_build_one_at_a_time(tmp_path: Path) -> None:
    folder, started, failing = tmp_path / "pool", threading.Event(), threading.Event()
    at_work: list[int] = []
    most: list[int] = []

    def fail(_: Path) -> None:
        started.set()
        failing.wait()
        raise RuntimeError("the first one fails")

    def build(temporary: Path) -> None:
        at_work.append(1)
        most.append(len(at_work))
        time.sleep(0.05)
        (temporary / "done").touch()
        at_work.pop()
        raise RuntimeError("and so do the others")

    def attempt(make: Callable[[Path], None]) -> None:
        with suppress(RuntimeError):
            make_once(folder, done="done", make=make)

    threads = [threading.Thread(target=attempt, args=(fail,))]
    threads[0].start()
    started.wait()
    threads += [threading.Thread(target=attempt, args=(build,)) for _ in range(6)]
    for thread in threads[1:]:
        thread.start()
    failing.set()
    late = [threading.Thread(target=attempt, args=(build,)) for _ in range(6)]
    for thread in late:
        thread.start()
    for thread in [*threads, *late]:
        thread.join()
    assert most == [1] * 12
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_a_day_later_and_not_before(tmp_path: Path) -> None:
    old, new = tmp_path / ".pool-old", tmp_path / ".pool-new"
    for left in (old, new):
        left.mkdir()
        (left / "half.parquet").write_bytes(b"PAR1")
    two_days_ago = time.time() - 2 * 24 * 3600
    for path in (old / "half.parquet", old):
        os.utime(path, (two_days_ago, two_days_ago))
    make_once(tmp_path / "pool", done="done", make=lambda temporary: (temporary / "done").touch())
    assert sorted(path.name for path in tmp_path.iterdir()) == [".pool-new", "pool"]


KILLED = (
    "import os, signal, sys; from pathlib import Path; from data_prep.files.atomic_folder import make_once\n"
    "def make(temporary):\n"
    "    (temporary / 'half.parquet').write_bytes(b'PAR1')\n"
    "    os.kill(os.getpid(), signal.SIGKILL)\n"
    "make_once(Path(sys.argv[1]), done='done', make=make)"
)


def test_what_a_process_killed_on_this_machine_left_is_removed_by_the_next_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "pool"
    assert subprocess.run([sys.executable, "-c", KILLED, str(folder)]).returncode == -signal.SIGKILL
    (left,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    elsewhere = left.with_name(left.name.replace(socket.gethostname(), "another-host"))
    elsewhere.mkdir()
    make_once(folder, done="done", make=lambda temporary: (temporary / "done").touch())
    assert sorted(path.name for path in tmp_path.iterdir()) == [elsewhere.name, "pool"]


def test_an_error_names_what_was_asked_for_and_no_name_that_only_we_use(tmp_path: Path) -> None:
    def full(temporary: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(temporary / "train.parquet"))

    with pytest.raises(OSError, match="No space left") as refusal:
        make_once(tmp_path / "pool", done="done", make=full)
    assert refusal.value.filename == str(tmp_path / "pool" / "train.parquet")
    long = tmp_path / ("x" * 250)  # its lock's name is one that no file can have
    with pytest.raises(OSError, match="name too long") as refusal:
        make_once(long, done="done", make=full)
    assert refusal.value.filename == str(long)
