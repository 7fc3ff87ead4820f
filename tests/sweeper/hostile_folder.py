"""A results folder in which somebody put what hangs, floods or breaks a reader, beside a few good runs."""

import gzip
import json
import os
from pathlib import Path

from sweeper.plan.plan import make_plan, save_grid
from sweeper.rows.row import Failure, write_row
from sweeper.runs.attempt import Heartbeat
from sweeper.runs.folder import RunDir
from tests.sweeper.points import grid_of
from tests.sweeper.rows import row

AXES = ("model=tiny-40k", "seed=0,1,2,3")
GRID = "by_seed+tiny-40k"
OSC52 = "\x1b]52;c;ZXZpbA==\x07"
DEEP = "[" * 100_000


def sparse(path: Path) -> None:
    """A file of 3 GB that takes no room."""
    with path.open("wb") as file:
        file.truncate(3 << 30)


def make(results: Path) -> dict[str, RunDir]:
    """Four runs (done, failed, and two interrupted: one with a log of 3 GB, one with a pipe as log); then the rest."""
    found = make_plan(grid_of(*AXES), results)
    save_grid(found, results)
    runs = {}
    for name, run in zip(("done", "failed", "long", "pipe"), (item.spec for item in found.runs), strict=True):
        assert run is not None
        runs[name] = run_dir = RunDir(results_dir=results, run_id=run.run_id)
        run_dir.freeze(run)
        attempt = run_dir.new_attempt()
        attempt.write("env", {"time": 1000.0})
        beat = {"phase": "train", "step": 3, "total_steps": 40, "reward": 0.25, "val_pass1": None, "seconds_left": 90.0}
        attempt.beat(Heartbeat(**beat, time=1060.0, pid=1, host="n1"))  # type: ignore[arg-type]
        if name == "pipe":
            os.mkfifo(attempt.log)
        elif name == "long":
            sparse(attempt.log)
        else:
            attempt.log.write_text(f"CUDA out of memory {OSC52}\n")
            attempt.write("exit", {"status": "failed", "phase": "train"})
        if name == "done":
            write_row(results, row(run))
        if name == "failed":
            reason = f"CUDA out of memory {OSC52}"
            write_row(results, row(run, failure=Failure(phase="train", reason=reason, log="runs/x/log.txt")))
    _add_hostile(results, runs)
    return runs


def _add_hostile(results: Path, runs: dict[str, RunDir]) -> None:
    good = json.loads((results / "rows" / f"{runs['done'].run_id}.json").read_text())
    rows = results / "rows"
    os.mkfifo(rows / "a_pipe.json")
    (rows / "b_zero.json").symlink_to("/dev/zero")
    sparse(rows / "c_sparse.json")
    (rows / "d_folder.json").mkdir()
    (rows / "e_itself.json").symlink_to("e_itself.json")
    (rows / "f_nothing.json").symlink_to("nothing")
    texts = {
        "g_deep": DEEP,
        "h_latin": '{"schema_version": "é"}',
        "i_list": "[1, 2]",
        "j_many": "[" + "[]," * 2_100_000 + "1]",
        "k_deep_settings": json.dumps(
            good | {"run_id": "k_deep_settings", "settings": {"a": json.loads("[" * 99 + "]" * 99)}}
        ),
        "l_wide": json.dumps(good | {"run_id": "l_wide", "n_params": 10**30}),
        "m_half": json.dumps(good | {"run_id": "m_half", "model": "\ud800"}),
        "n_digits": '{"schema_version": ' + "1" * 5000 + "}",
        "o_text": json.dumps(
            good | {"run_id": "o_text", "trained": [{"domain": "all", "pass_at_k": [{"k": 1, "value": "x"}]}]}
        ),
    }
    for name, text in texts.items():
        (rows / f"{name}.json").write_text(text, encoding="latin-1" if name == "h_latin" else "utf-8")
    grids = results / "grids"
    os.mkfifo(grids / "a_pipe.json")
    (grids / "b_zero.json").symlink_to("/dev/zero")
    (grids / "c_deep.json").write_text(DEEP)
    (grids / "d_empty.json").write_text("{}")
    outside = {"axes": {}, "run_ids": ["../../outside"], "choices": [None]}
    (grids / "e_outside.json").write_text(json.dumps(outside))
    slurm = results / "slurm"
    slurm.mkdir()
    (slurm / "sweep-named.json").write_text('{"name": "x", "run_ids": [[1]], "code": 3}')
    os.mkfifo(slurm / "sweep-pipe.json")
    os.mkfifo(slurm / "queue.json")
    os.mkfifo(results / ".status.json")


def make_data(root: Path) -> Path:
    """A folder of problems: one good file, and what hangs, floods or breaks a reader."""
    root.mkdir()
    asked = {"data_source": "gsm8k", "prompt": [{"role": "user", "content": "1 + 1?"}]}
    row = asked | {"reward_model": {"ground_truth": "2"}, "extra_info": {"index": 0}}
    (root / "a_good.jsonl").write_text("".join(f"{json.dumps(row | {'extra_info': {'index': i}})}\n" for i in range(9)))
    os.mkfifo(root / "b_pipe.jsonl")
    (root / "c_zero.jsonl").symlink_to("/dev/zero")
    for name in ("d.jsonl", "e.csv", "f.json", "g.parquet"):
        sparse(root / name)
    (root / "h_deep.jsonl").write_text(DEEP)
    (root / "i_deep.json").write_text(DEEP)
    (root / "j_bomb.jsonl.gz").write_bytes(gzip.compress(b" " * (200 << 20), compresslevel=1))
    (root / "k_latin.jsonl").write_text('{"prompt": "é"}', encoding="latin-1")
    (root / "l_words.jsonl").write_text(json.dumps(row | {"data_source": OSC52}))
    (root / "m_itself.jsonl").symlink_to("m_itself.jsonl")
    return root


def make_model(folder: Path) -> Path:
    """A folder of a model whose configuration has 3 GB."""
    folder.mkdir()
    sparse(folder / "config.json")
    os.mkfifo(folder / "tokenizer.json")
    return folder


ROWS, GRIDS = 15, 5  # hostile ones
