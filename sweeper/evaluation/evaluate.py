"""pass@k counts of one model: `python -m sweeper.evaluation.evaluate --model DIR --data EVAL.parquet --out FILE`.

Samples are drawn directly from the engine and scored with the same rewards as in training; verl's agent loop, made
for training, costs about 10 ms per sample. An agent's trajectories are those of training's own loop
(`sweeper.evaluation.trajectories`). One process for each copy of the model that fits takes problems from a
common list. The counts file appears whole or not at all, until then what is measured is in `<out>.partial` and the
like; `<out>.samples.jsonl` keeps a few completions per problem for people to read.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import rewards
from data_prep.files.lock import is_locked
from rewards.bounded_file import read_text
from rewards.cli import add_reward
from rewards.route.scorers import raised_versions
from rewards.sandbox import cores
from sweeper.evaluation import dealing
from sweeper.evaluation.dealing import Deal
from sweeper.evaluation.kept_blocks import measured, partial_files, take_up
from sweeper.evaluation.problems import problem_ids
from sweeper.evaluation.worker import work
from sweeper.host.environment import caches
from sweeper.host.errors import RunFailedError
from sweeper.host.files import write_atomic
from sweeper.host.machine import Device, visible_gpus
from sweeper.host.process import die_with_parent
from sweeper.rows.counts import samples_path
from sweeper.spec.bounds import Count, PositiveOrZero, Seed, ShareAboveZero, argument
from sweeper.training.processors import left_for_programs

# What a sample hangs on; how many processes draw, and where, is not of it.
_SETTINGS = ("model", "data", "n", "temperature", "top_p", "max_tokens", "seed", "engine", "reward")


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
    parser.add_argument("--agent", type=Path, help="JSON file with the agent of a run and its format (default: none)")
    add_reward(parser)
    parser.add_argument(
        "--limit", action="append", default=[], metavar="SOURCE=SECONDS", help="CPU time of each test of its programs"
    )
    parser.add_argument(
        "--shards",
        type=argument(Count),
        help="processes that share the problems (default: one for each copy of the model that fits)",
    )
    parser.add_argument("--start", default=secrets.token_hex(4), help=argparse.SUPPRESS)  # names what is begun now
    parser.add_argument("--nodes", type=argument(Count), default=1, help=argparse.SUPPRESS)  # that take part alike
    parser.add_argument("--node", type=int, default=0, help=argparse.SUPPRESS)  # which of them this is; 0 deals
    parser.add_argument("--worker", help=argparse.SUPPRESS)  # this process's name among those that generate
    return parser.parse_args(arguments)


def main(options: argparse.Namespace) -> None:
    """Measure all problems, or be one of the processes or nodes that do.

    Raises:
        RunFailedError: a process failed; what the others measured is kept for the next start.
    """
    if options.worker is not None:
        work(options, Deal.read(_deal_path(options)), options.worker)
    elif options.node:
        _help(options)
    else:
        _measure(options)


def _measure(options: argparse.Namespace) -> None:
    """Deal what is not measured yet, and write the counts when all is."""
    settings, problems = _settings(options), problem_ids(options.data)
    found = take_up(options.out, settings)
    left = tuple(place for place, problem in enumerate(problems) if problem not in found)
    for path in options.out.parent.glob(f"{options.out.stem}.*{dealing.SUFFIX}"):
        path.unlink(missing_ok=True)  # of a start that was killed
    if left:
        workers, path = options.shards or _copies(options), _deal_path(options)
        deal = Deal.begin(path, settings=settings, left=left, total=len(problems), workers=workers * options.nodes)
        try:
            _work_here(options, deal, workers)
            _wait_for_others(options, deal)
        finally:
            path.unlink(missing_ok=True)
        found = measured(options.out, settings)
    missing = [problem for problem in problems if problem not in found]
    if missing:
        raise RunFailedError(
            f"{len(missing)} problems were dealt and not measured: a process on another node has ended"
        )
    ordered = [found[problem] for problem in problems]
    write_atomic(samples_path(options.out), "".join(json.dumps(asdict(one.kept)) + "\n" for one in ordered))
    write_atomic(options.out, "".join(json.dumps(one.count.plain(), sort_keys=True) + "\n" for one in ordered))
    for path in partial_files(options.out):
        path.unlink()


def _wait_for_others(options: argparse.Namespace, deal: Deal) -> None:
    """Until other nodes have measured what they were dealt, or nobody is left there who could."""
    while deal.finish(0) < deal.total and any(map(is_locked, partial_files(options.out, options.start))):
        time.sleep(0.5)


def _help(options: argparse.Namespace) -> None:
    """Take from what the first node deals, which ends this process when it needs it no longer."""
    while not _deal_path(options).exists():
        time.sleep(0.5)
    with suppress(FileNotFoundError):  # all was measured meanwhile
        _work_here(options, Deal.read(_deal_path(options)), options.shards or _copies(options))


def _work_here(options: argparse.Namespace, deal: Deal, workers: int) -> None:
    """Be as many of the processes that take as this node has."""
    with tempfile.TemporaryDirectory(prefix="rl-") as scratch:
        device = Device.cuda if options.engine == "vllm" else Device.cpu
        os.environ |= cores.share(Path(scratch) / "cores", left_for_programs(workers, device))
        variables = [variables_of(options, worker, Path(scratch)) for worker in range(workers)]
        if workers == 1:
            os.environ |= variables[0]
            work(options, deal, _name(options, 0))
        else:
            _in_processes(options, variables)


def _name(options: argparse.Namespace, worker: int) -> str:
    """A process's among those of all nodes."""
    return f"{options.node}.{worker}"


def _deal_path(options: argparse.Namespace) -> Path:
    return Path(options.out.with_suffix(f".{options.start}{dealing.SUFFIX}"))


def _copies(options: argparse.Namespace) -> int:
    """Model copies that fit this process's GPUs: data-parallel generation; one on CPU."""
    if options.engine != "vllm":
        return 1
    return max(1, len(visible_gpus()) // int(options.tensor_parallel))


def variables_of(options: argparse.Namespace, worker: int, scratch: Path) -> dict[str, str]:
    """What a process that generates is told of GPUs, and of caches, into which no other may write."""
    if options.engine != "vllm":
        return {}
    width = int(options.tensor_parallel)
    gpus = visible_gpus()[worker * width : (worker + 1) * width]
    return caches(scratch / str(worker)) | ({"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {})


def _in_processes(options: argparse.Namespace, variables: Sequence[Mapping[str, str]]) -> None:
    children = []
    for worker, own in enumerate(variables):
        command = [sys.executable, "-m", "sweeper.evaluation.evaluate", *sys.argv[1:]]
        command += [f"--start={options.start}", f"--worker={_name(options, worker)}"]
        children.append(subprocess.Popen(command, env=os.environ | own, preexec_fn=die_with_parent))
    failed = [child for child in children if child.wait() != 0]
    if failed:
        raise RunFailedError(f"{len(failed)} of {len(variables)} evaluation processes failed; see the log above")


def _settings(options: argparse.Namespace) -> str:
    """What a partial evaluation must have in common with the one that goes on with it, as one line."""
    files = [options.data, *sorted(options.model.glob("*.safetensors"))]
    stamps = [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    said = {key: str(getattr(options, key)) for key in _SETTINGS}
    if options.limit:
        said["limit"] = str(options.limit)
    if options.agent is not None:
        said["agent"] = read_text(options.agent)  # by its content: it is written anew for each start
    scorers = [rewards.SUITE_VERSION, raised_versions()]
    return json.dumps(said | {"files": stamps, "rewards": scorers}, sort_keys=True)


if __name__ == "__main__":
    main(parse())
