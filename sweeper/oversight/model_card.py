"""The model card of an exported run: what it is, from what it was made, what it does, and how to start it."""

import json
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from rewards.bounded_file import read_json, read_text
from rewards.program import EXIT_FAILED, EXIT_OK, last_words
from sweeper.host.errors import DamagedError, SweeperError
from sweeper.host.secret import hidden
from sweeper.inputs.models import folder_at_hand
from sweeper.rows.differences import written
from sweeper.rows.grid_file import Membership, places
from sweeper.rows.row import ResultRow, base_problems_path, problems_path, read_row, row_path
from sweeper.runs.folder import RunDir
from sweeper.runs.samples import data_folder
from sweeper.spec.model import ModelSource
from sweeper.spec.run import RunSpec

CARD = "README.md"  # as the Hugging Face hub names it
_UNKNOWN = "not known"
_KS = (1, 8)  # beside the largest


def card(run_dir: RunDir, spec: RunSpec, row: ResultRow, name: str) -> str:
    """The card as Markdown, with the hub's metadata in front; without secrets or places of this machine.

    Args:
        run_dir: Of the run.
        spec: Its frozen settings.
        row: Its result.
        name: Of the exported folder.

    Raises:
        SweeperError: pass@k could not be computed from its counts, or the law of its grid not from the rows.
    """
    licence, base = _licence(spec, run_dir.results_dir), _base(spec)
    front = {"library_name": "transformers", "pipeline_tag": "text-generation"}
    front |= {"base_model": base} if _is_of_hub(spec) else {}
    front |= {"license": licence} if licence else {}
    parts = [
        "---\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in front.items()) + "---",
        f"# {spec.model.name} after {spec.algorithm.name.upper()}, {row.steps} steps",
        f"Trained with verl {_version(row)} by rl-scaling-sweeper; run `{row.run_id}`.",
        _start(name),
        "## What it is",
        _table(_facts(spec, row, base, run_dir) | {"licence of the base model": licence or _no_licence(spec)}),
        "## What it solves",
        *_passk(run_dir, spec, row),
        _law(run_dir, row),
        "## How it was trained",
        _table(_settings(spec, row)),
    ]
    return hidden("\n\n".join(parts) + "\n")


def _start(name: str) -> str:
    return f"""\
    vllm serve {shlex.quote(f"./{name}")}

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = {json.dumps(name, ensure_ascii=False)}
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
chat = [{{"role": "user", "content": "..."}}]
prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True, return_tensors="pt")
answer = model.generate(**prompt, max_new_tokens=256)
print(tokenizer.decode(answer[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True))
```"""


def _facts(spec: RunSpec, row: ResultRow, base: str, run_dir: RunDir) -> dict[str, str]:
    digest = row.provenance.model_digest if row.provenance else None
    evaluated = {"cpu": "float32, on CPU", "cuda": "vLLM, in the type of config.json"}
    device = row.provenance.device if row.provenance else ""
    return {
        "base model": f"{base}{f', digest `{digest}`' if digest else ''}",
        "parameters": f"{row.n_params:,} ({row.n_params_non_embedding:,} without embeddings)",
        "weights": "low-rank adapters merged into the base model" if spec.algorithm.lora.rank else "all trained",
        "data": _data(spec, row, run_dir),
        "reward": _reward(spec),
        "evaluated as": evaluated.get(device, _UNKNOWN),
    }


def _settings(spec: RunSpec, row: ResultRow) -> dict[str, str]:
    training, algorithm, kl = spec.training, spec.algorithm, spec.algorithm.kl
    lora = algorithm.lora
    lr = training.actor_lr if training.actor_lr is not None else spec.model.actor_lr
    hours = row.timing.total_s / 3600 if row.timing and row.timing.total_s is not None else None
    flops = row.flops.total if row.flops else None
    terms = [f"in the loss, {written(kl.loss_coef)}"] if kl.in_loss else []
    terms += [f"in the reward, {written(kl.reward_coef)}"] if kl.in_reward else []
    return {
        "algorithm": f"{algorithm.name} (advantages: {algorithm.adv_estimator})",
        "steps": f"{row.steps} of {training.train_batch_size} prompts x {algorithm.rollout_n} responses",
        "learning rate": _UNKNOWN if lr is None else written(lr),
        "KL term": "; ".join(terms) or "none",
        "clip ratio": f"{written(algorithm.clip_ratio_low)} to {written(algorithm.clip_ratio_high)}",
        "LoRA": f"rank {lora.rank}, alpha {lora.alpha}" if lora.rank else "none",
        "lengths": f"prompt {training.max_prompt_length}, response {training.max_response_length} tokens at most",
        "sampling temperature": written(training.temperature),
        "settings of verl": ", ".join(f"`{key}={written(value)}`" for key, value in spec.verl_keys.items()) or "none",
        "seed": str(spec.seed),
        "FLOPs of training": _UNKNOWN if flops is None else f"{flops:.3g}",
        "GPU-hours of training": "none: on CPU" if row.gpu_seconds is None else f"{row.gpu_seconds / 3600:.3g}",
        "hours of the run": _UNKNOWN if hours is None else f"{hours:.3g}",
        "run id": f"`{row.run_id}`",
        "verl": _version(row),
    }


def _data(spec: RunSpec, row: ResultRow, run_dir: RunDir) -> str:
    source = "synthetic tasks" if spec.data.root is None else f"folder `{Path(spec.data.root).name}`"
    told = [source, f"mix {spec.domain_mix.name}"]
    told += [f"digest `{row.provenance.data_digest}`"] if row.provenance and row.provenance.data_digest else []
    told += [f"{row.n_unique:,} problems"] if row.n_unique is not None else []
    told += [f"{row.problems_seen:,} of them seen"] if row.problems_seen is not None else []
    folder = data_folder(run_dir)
    if folder is not None:
        with suppress(OSError, ValueError, LookupError, TypeError):  # counts by domain are more, not the answer itself
            parts = read_json(folder / "manifest.json")["files"]["train"]["by_domain"]
            told.append("by domain " + ", ".join(f"{domain} {n:,}" for domain, n in sorted(parts.items())))
    return "; ".join(told)


def _reward(spec: RunSpec) -> str:
    own = [f"`{one.file}:{one.function}` digest `{one.digest[:12]}` for {one.source}" for one in spec.reward.scorers]
    versions = ", ".join(f"{family} version {version}" for family, version in sorted(spec.reward.versions.items()))
    ours = f"scorers of suite {spec.reward_suite}{f' with {versions}' if versions else ''}"
    return "; ".join([*own, ours])


def _passk(run_dir: RunDir, spec: RunSpec, row: ResultRow) -> list[str]:
    """pass@k of base and trained model on the held-out problems, with 95% intervals over problems."""
    ks = sorted({k for k in (*_KS, max(spec.eval.ks)) if k <= spec.eval.n_samples and k in spec.eval.ks})
    files = {"base": base_problems_path, "trained": problems_path}
    found = {kind: _estimates(path(run_dir.results_dir, row.run_id), ks) for kind, path in files.items()}
    if found["trained"] is None:
        return ["Per-problem counts of this run are not here any more, so no pass@k with its interval is given."]
    lines = ["| | base model | this model |", "|---|---|---|"]
    for place, k in enumerate(ks):
        cells = [_UNKNOWN if item is None else _interval(item["ks"][place]) for item in found.values()]
        lines.append(f"| pass@{k} | {cells[0]} | {cells[1]} |")
    n = found["trained"]["n_problems"]
    about = f"{n:,} held-out problems of the same data, {spec.eval.n_samples} samples each at temperature "
    return ["\n".join(lines), f"{about}{written(spec.eval.temperature)}; 95% intervals: other problems like these."]


def _estimates(counts: Path, ks: list[int]) -> dict[str, Any] | None:
    """Of all problems, by the owner of the intervals."""
    if not counts.exists():
        return None
    groups = _answer("pass@k", "passk", str(counts), "--ks", ",".join(map(str, ks)))
    return dict(next((group for group in groups if group["group"] == "all"), groups[0]))


def _interval(estimate: dict[str, Any]) -> str:
    if estimate["pass@k"] is None:
        return f"undefined: {estimate['reason']}"
    ends = "" if estimate["low"] is None else f" [{estimate['low']:.3f}, {estimate['high']:.3f}]"
    return f"{estimate['pass@k']:.3f}{ends}"


def _law(run_dir: RunDir, row: ResultRow) -> str:
    """Where the run stands against the law of size of a grid that it belongs to."""
    score, why = row.score(), []
    measured = score.at(1) if score else None
    if measured is None:
        return "No pass@1 was measured, so it has no position against a law of size."
    for grid in _grids(run_dir):
        law = _law_of_size(run_dir.results_dir, grid)
        fit, unread = law["fit"], [f"`{run_id}`" for run_id in _unread(run_dir, grid)]
        lacks = f", without {len(unread)} whose row is damaged: {', '.join(unread)}" if unread else ""
        if fit is None:
            why.append(f" ({grid}: {law['not_fitted']}{lacks})")
            continue
        error = fit["a"] * row.n_params_non_embedding ** -fit["alpha"]
        ends = "" if fit["alpha_low"] is None else f" [{fit['alpha_low']:.3f}, {fit['alpha_high']:.3f}]"
        return (
            f"Against the law of size of the grid {grid} ({fit['n_runs']} runs{lacks} of {fit['n_clusters']} base "
            f"models, {fit['n_levels']} sizes, with an interval over base models; error "
            f"= {fit['a']:.3g} N^-alpha, alpha {fit['alpha']:.3f}{ends}, N: parameters without embeddings): "
            f"an error (1 - pass@1) of {error:.3f} is expected at this size, {1 - measured:.3f} was measured."
        )
    return f"No law of size has been fitted to a grid that this run belongs to{''.join(why)}."


def unread_rows(run_dir: RunDir) -> list[DamagedError]:
    """Damaged rows of the grids that a run belongs to: a law of size is fitted without them."""
    return list(
        {run_id: error for grid in _grids(run_dir) for run_id, error in _unread(run_dir, grid).items()}.values()
    )


def _grids(run_dir: RunDir) -> list[str]:
    return list(places(run_dir.results_dir).get(run_dir.run_id, {}))


def _unread(run_dir: RunDir, grid: str) -> dict[str, DamagedError]:
    """The damaged rows of a grid, by run."""
    found: dict[str, DamagedError] = {}
    for member in Membership.read(run_dir.results_dir, grid).members:
        path = row_path(run_dir.results_dir, member.run_id)
        try:
            if path.exists():
                read_row(path)
        except DamagedError as error:
            found[member.run_id] = error
    return found


def _law_of_size(results_dir: Path, grid: str) -> dict[str, Any]:
    """Of all runs of a grid, by the owner of the laws, from the rows as they are now.

    Raises:
        SweeperError: the rows could not be read.
    """
    data = _answer("the law of size", "fit", "--results", str(results_dir), "--grid", grid)
    return dict(next(law for law in data if law["axis"] == "size" and law["subset"] == "all runs"))


def _answer(what: str, *arguments: str) -> list[dict[str, Any]]:
    """What a verb of `analysis` says, in a process of its own: nothing here imports `analysis`."""
    done = subprocess.run(
        [sys.executable, "-m", "analysis", *arguments, "--json"], capture_output=True, text=True, check=False
    )
    if done.returncode not in (EXIT_OK, EXIT_FAILED):
        raise SweeperError(f"{what} for the model card: {last_words(done.stderr)}")
    return list(json.loads(done.stdout)["data"])


def _base(spec: RunSpec) -> str:
    model = spec.model
    if model.source is ModelSource.tiny:
        return f"{model.name}, made here from random weights by a warm start of {model.warm_start.steps} steps"
    if _is_of_hub(spec):
        return str(model.path) + (f" (revision {model.revision})" if model.revision else "")
    return f"{model.name} (file {Path(str(model.path)).name})"


def _is_of_hub(spec: RunSpec) -> bool:
    """Whether the base model is named by an id of the hub, and not by a folder of this machine."""
    path = str(spec.model.path)
    return (
        spec.model.source is ModelSource.hub and re.fullmatch(r"[\w.-]+/[\w.-]+", path) is not None and path[0] != "."
    )


def _licence(spec: RunSpec, results_dir: Path) -> str | None:
    """As the base model's own card names it; None: no card at hand says it."""
    folder = folder_at_hand(spec.model, results_dir)
    with suppress(OSError, ValueError):
        text = read_text(folder / CARD) if folder is not None else ""
        front = text.partition("\n---")[0] if text.startswith("---") else ""
        if found := re.search(r"^license:\s*[\"']?([\w.-]+)", front, re.MULTILINE):
            return found[1]
    return None


def _no_licence(spec: RunSpec) -> str:
    return "none of another's: made from random weights" if spec.model.source is ModelSource.tiny else _UNKNOWN


def _version(row: ResultRow) -> str:
    return row.provenance.versions.get("verl", _UNKNOWN) if row.provenance else _UNKNOWN


def _table(values: dict[str, str]) -> str:
    lines = (f"| {key} | {' '.join(value.split()).replace('|', chr(92) + '|')} |" for key, value in values.items())
    return "\n".join(["| | |", "|---|---|", *lines])
