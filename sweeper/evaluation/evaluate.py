"""pass@k counts of one model: `python -m sweeper.evaluation.evaluate --model DIR --data EVAL.parquet --out FILE`.

Samples are drawn directly from the engine in batches and scored with the same rewards as in training; verl's agent
loop, made for training, costs about 10 ms per sample. The counts file appears whole or not at all, `<out>.partial`
holds the finished blocks until then; `<out>.samples.jsonl` keeps a few completions per problem for people to read.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import rewards
from rewards.cli import add_reward
from rewards.route.scorers import raised_versions
from sweeper.evaluation.kept_blocks import SUFFIX, Kept, Partial
from sweeper.generation import Sample, Sampling
from sweeper.generation.sampling import Engine
from sweeper.host.errors import RunFailedError
from sweeper.host.files import write_atomic
from sweeper.host.process import die_with_parent
from sweeper.rows.counts import ProblemCount, read_counts, samples_path
from sweeper.spec.bounds import Count, PositiveOrZero, Seed, ShareAboveZero, argument

KEPT_SAMPLES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem, as a row in verl's columns, with its prompt's token ids."""

    problem_id: str
    row: dict[str, Any]
    prompt_ids: list[int]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sweeper.evaluation.evaluate", description="Sample, score and count."
    )
    parser.add_argument("--model", type=Path, required=True, help="folder in Hugging Face's format")
    parser.add_argument("--data", type=Path, required=True, help="parquet in verl's columns")
    parser.add_argument("--out", type=Path, required=True, help="counts, one JSON object per problem")
    parser.add_argument("--n", type=argument(Count), default=128, help="samples per problem (default: 128)")
    parser.add_argument("--temperature", type=argument(PositiveOrZero), default=1.0)
    parser.add_argument("--top-p", type=argument(ShareAboveZero), default=1.0)
    parser.add_argument("--max-tokens", type=argument(Count), required=True, help="most tokens of a response")
    parser.add_argument("--seed", type=argument(Seed), default=0)
    parser.add_argument("--engine", choices=("hf_cpu", "vllm"), default="hf_cpu")
    parser.add_argument(
        "--tensor-parallel", type=argument(Count), default=1, help="GPUs that one copy of the model spans (vllm)"
    )
    add_reward(parser)
    parser.add_argument(
        "--shards",
        type=argument(Count),
        help="processes that share the problems (default: one for each copy of the model that fits)",
    )
    parser.add_argument("--shard", type=int, help=argparse.SUPPRESS)  # which part this process does
    return parser.parse_args(arguments)


def main(options: argparse.Namespace) -> None:
    """Measure all problems, in this process or split over several."""
    shards = options.shards or _copies(options)
    split = options.shard is None and shards > 1
    counts = _in_processes(options, shards) if split else _measure(options, shards)
    text = "".join(json.dumps(asdict(count), sort_keys=True) + "\n" for count in counts)
    write_atomic(options.out, text)
    if options.shard is None:  # a shard's is needed until all shards are joined
        for path in [options.out, *(_part(options.out, shard) for shard in range(shards))]:
            path.with_suffix(SUFFIX).unlink(missing_ok=True)


def _copies(options: argparse.Namespace) -> int:
    """Model copies that fit this process's GPUs: data-parallel generation; one on CPU."""
    if options.engine != "vllm":
        return 1
    return max(1, len(_visible_gpus()) // int(options.tensor_parallel))


def _visible_gpus() -> list[str]:
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name]
    return [path.name.removeprefix("nvidia") for path in sorted(Path("/dev").glob("nvidia[0-9]*"))]


def _in_processes(options: argparse.Namespace, shards: int) -> list[ProblemCount]:
    gpus, width = _visible_gpus(), int(options.tensor_parallel)
    children = []
    for shard in range(shards):
        out = _part(options.out, shard)
        command = [sys.executable, "-m", "sweeper.evaluation.evaluate", *sys.argv[1:]]
        command += [f"--shards={shards}", f"--shard={shard}", f"--out={out}"]
        env = dict(os.environ)
        if options.engine == "vllm":
            env["CUDA_VISIBLE_DEVICES"] = ",".join(gpus[shard * width : (shard + 1) * width])
        children.append(subprocess.Popen(command, env=env, preexec_fn=die_with_parent))
    failed = [child for child in children if child.wait() != 0]
    if failed:
        raise RunFailedError(f"{len(failed)} of {shards} evaluation processes failed; see the log above")
    counts: list[ProblemCount] = []
    kept = ""
    for out in (_part(options.out, shard) for shard in range(shards)):
        counts += read_counts(out, is_part=True)
        kept += samples_path(out).read_text()
        out.unlink()
        samples_path(out).unlink()
    write_atomic(samples_path(options.out), kept)
    return sorted(counts, key=lambda count: count.problem_id)


def _part(out: Path, shard: int) -> Path:
    return out.with_name(f"{out.stem}.{shard}{out.suffix}")


def _measure(options: argparse.Namespace, shards: int) -> list[ProblemCount]:
    from transformers import AutoTokenizer

    start = time.monotonic()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    problems = list(read_problems(options.data, tokenizer))
    problems = sorted(problems, key=lambda problem: problem.problem_id)[options.shard or 0 :: shards]
    engine = _engine(options, tokenizer)
    sampling = Sampling(temperature=options.temperature, top_p=options.top_p, max_tokens=options.max_tokens)
    loaded = time.monotonic()
    generate_s = score_s = 0.0
    # In blocks, so that progress shows, the texts of a long evaluation are not all in memory at once, and a killed one
    # goes on after its last whole block.
    size = max(1, engine.samples_at_once // options.n)
    partial = Partial(options.out.with_suffix(SUFFIX), _settings(options, shards) | {"block": size})
    for first in range(len(partial.counts), len(problems), size):
        block = problems[first : first + size]
        begun = time.monotonic()
        groups = engine.generate(
            [problem.prompt_ids for problem in block], n=options.n, sampling=sampling, seed=options.seed + first
        )
        generated = time.monotonic()
        partial.add(*_score(tokenizer, block, groups, options.reward))
        generate_s += generated - begun
        score_s += time.monotonic() - generated
        done = len(partial.counts)
        print(f"evaluated {done}/{len(problems)} problems x {options.n} samples", file=sys.stderr, flush=True)
    write_atomic(samples_path(options.out), "".join(json.dumps(asdict(kept)) + "\n" for kept in partial.kept))
    print(f"load {loaded - start:.1f} s, generate {generate_s:.1f} s, score {score_s:.1f} s", file=sys.stderr)
    return partial.counts


def _settings(options: argparse.Namespace, shards: int) -> dict[str, object]:
    """What a partial evaluation must have in common with the one that goes on with it."""
    files = [options.data, *sorted(options.model.glob("*.safetensors"))]
    stamps = [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    said = {key: str(value) for key, value in vars(options).items() if key not in ("out", "shards")}
    scorers = [rewards.SUITE_VERSION, raised_versions()]
    return said | {"shards": shards, "files": stamps, "rewards": scorers}


def read_problems(path: Path, tokenizer: Any) -> Iterator[Problem]:
    """The rows of a verl parquet, with the chat template applied as verl applies it."""
    import pyarrow.parquet

    for row in pyarrow.parquet.read_table(path).to_pylist():
        text = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, tokenize=False)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        yield Problem(problem_id=row["extra_info"]["problem_id"], row=row, prompt_ids=ids)


def _engine(options: argparse.Namespace, tokenizer: Any) -> Engine:
    if options.engine == "vllm":
        from sweeper.generation.vllm import VllmEngine

        return VllmEngine(options.model, tensor_parallel=options.tensor_parallel)
    from sweeper.generation.cpu import CpuEngine

    return CpuEngine.load(options.model, pad_id=tokenizer.pad_token_id or 0)


def _score(
    tokenizer: Any, block: Sequence[Problem], groups: Sequence[Sequence[Sample]], own: Sequence[str]
) -> tuple[list[ProblemCount], list[Kept]]:
    counts, kept = [], []
    items = []
    texts_of = [tokenizer.batch_decode([s.token_ids for s in group], skip_special_tokens=True) for group in groups]
    for problem, texts in zip(block, texts_of, strict=True):
        items += [
            rewards.ScoreItem(
                data_source=problem.row["data_source"],
                solution_str=text,
                ground_truth=problem.row["reward_model"]["ground_truth"],
                extra_info=problem.row["extra_info"],
            )
            for text in texts
        ]
    verdicts = iter(rewards.score_batch(items, own=own))
    for problem, group, texts in zip(block, groups, texts_of, strict=True):
        outcomes: Counter[str] = Counter()
        correct = None
        for sample, text, verdict in zip(group, texts, verdicts, strict=False):
            # A response cut off at the limit that scores nothing is its own outcome, not a wrong answer.
            cut = not sample.finished and float(verdict["acc"]) < 1
            if correct is None and sample.finished and float(verdict["acc"]) == 1:
                correct = text
            outcomes["truncated" if cut else str(verdict["outcome"])] += 1
        counts.append(
            ProblemCount(
                problem_id=problem.problem_id,
                data_source=problem.row["data_source"],
                domain=problem.row["extra_info"]["domain"],
                n=len(group),
                c=outcomes["correct"],
                outcomes=dict(sorted(outcomes.items())),
                prompt_tokens=len(problem.prompt_ids),
                response_tokens=sum(len(sample.token_ids) for sample in group),
                difficulty=problem.row["extra_info"].get("difficulty"),
            )
        )
        kept.append(Kept(problem_id=problem.problem_id, completions=texts[:KEPT_SAMPLES], correct=correct))
    return counts, kept


if __name__ == "__main__":
    main(parse())
