"""A finished run with samples to read, made in a moment: real data, scorers, files and readers; answers are written.

Its evaluation and that of its base model draw four samples per problem. The base model answers every other problem
right; the trained one answers all but the first problem, which it lost.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pyarrow import parquet

from data_prep.materialise import materialise
from data_prep.spec import file_digest
from rewards import compute_score
from sweeper.evaluation.kept_blocks import Measured
from sweeper.evaluation.problems import Problem
from sweeper.evaluation.scoring import Answered, scored
from sweeper.host.files import write_atomic
from sweeper.inputs.data import data_spec
from sweeper.rows.base_counts import base_counts_path
from sweeper.rows.counts import samples_path, scores
from sweeper.rows.row import base_problems_path, problems_path, write_row
from sweeper.runs.folder import RunDir
from sweeper.spec.run import RunSpec
from tests.provenance import measured_on
from tests.sweeper.points import spec
from tests.sweeper.rows import row

SMALL = (
    *("eval.n_samples=4", "eval.ks=[1,4]", "eval.problems_per_domain=3", "eval.val_problems_per_domain=2"),
    *("eval.domains=[math,logic]", "domain_mix=math_logic", "data_scale=n64"),
)
MODEL_DIGEST = "0123456789ab"
HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e"  # in one answer of the trained model


def kept_run(results: Path, *overrides: str) -> RunDir:
    """Make it below a results folder."""
    run = spec(*SMALL, *overrides)
    run_dir = RunDir(results_dir=results, run_id=run.run_id)
    data = materialise(data_spec(run), results / "data")
    run_dir.freeze(run)
    (run_dir.path / "attempts" / "001").mkdir(parents=True)
    problems = parquet.read_table(data.evaluation).to_pylist()
    problems.sort(key=lambda item: str(item["extra_info"]["problem_id"]))
    base = [_measured(item, right=4 * (place % 2 == 0)) for place, item in enumerate(problems)]
    trained = [_measured(item, right=0 if place == 0 else 3) for place, item in enumerate(problems)]
    base_file = base_counts_path(results, run, model_digest=MODEL_DIGEST, data_digest=file_digest(data.evaluation))
    _write(base_file, base_problems_path(results, run.run_id), base)
    _write(run_dir.path / "counts.jsonl", problems_path(results, run.run_id), trained)
    for step in (0, 10):
        _validate(run_dir, step, parquet.read_table(data.val).to_pylist())
    write_row(results, _row(run, data.manifest.parent.name, base, trained))
    return run_dir


def _row(run: RunSpec, data: str, base: list[Measured], trained: list[Measured]) -> Any:
    about = measured_on(versions={"verl": "0.9.1"}, data_digest=data, model_digest=MODEL_DIGEST)
    counted = [scores([one.count for one in measured], run.eval.ks) for measured in (base, trained)]
    return replace(row(run), provenance=about, base=counted[0], trained=counted[1])


def _measured(problem: dict[str, Any], *, right: int) -> Measured:
    """Four answers, the first of them right, the others in this order: cut off, none in the format, wrong, wrong."""
    solution = problem["extra_info"]["solution"]
    other = solution.replace("{", "{7").replace("<answer>", "<answer>Z, ")
    cut = solution[:-2]
    texts = [*[solution] * right, *[cut, HOSTILE, other, other][: 4 - right]]
    asked = Problem(problem_id=problem["extra_info"]["problem_id"], row=problem, prompt_ids=[1, 2])
    finished = [text != cut for text in texts]
    answered = Answered(problem=asked, texts=texts, finished=finished, tokens=[len(text) for text in texts])
    return scored([answered], [])[0]


def _write(counts_file: Path, beside_row: Path, measured: list[Measured]) -> None:
    counts = "".join(json.dumps(asdict(one.count), sort_keys=True) + "\n" for one in measured)
    write_atomic(counts_file, counts)
    write_atomic(beside_row, counts)
    write_atomic(samples_path(counts_file), "".join(json.dumps(asdict(one.kept)) + "\n" for one in measured))


def _validate(run_dir: RunDir, step: int, problems: list[dict[str, Any]]) -> None:
    """As verl writes a validation of one sample per problem; right from step 10 on."""
    lines = []
    for problem in reversed(problems):  # verl's order is its own
        text = problem["extra_info"]["solution"] if step else "I do not know."
        gold = problem["reward_model"]["ground_truth"]
        asked = "\n".join(f"{turn['role']}\n{turn['content']} " for turn in problem["prompt"])
        verdict = compute_score(problem["data_source"], text, gold, problem["extra_info"])
        reward = {"reward": verdict["score"], **verdict}
        lines.append({"input": f"{asked}\nassistant\n", "output": text, "gts": gold, "step": step, **reward})
    path = run_dir.path / "val" / f"{step}.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
