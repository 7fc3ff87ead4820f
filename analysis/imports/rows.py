"""Foreign histories as result rows. What the source does not say is null, with the reason in the row."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from typing import Any, TypeVar

from analysis.imports.history import History
from rewards.bounded_file import parsed
from sweeper.host.errors import ResultsError
from sweeper.host.secret import hidden
from sweeper.rows.curve import curve_point
from sweeper.rows.curve_point import CurvePoint
from sweeper.rows.problems_seen import seen_of
from sweeper.rows.row import SCHEMA_VERSION, Failure, Flops, Imported, ResultRow, Status, read_row
from sweeper.rows.table import TRACKED
from sweeper.spec.digest import digest_of
from sweeper.spec.model import Architecture

UNKNOWN = "unknown"
_SETTINGS = "sweeper."  # before our settings in a tracker's configuration (`sweeper.training.tracking`)
_ROWS = ("algorithm", "domain_mix", "data_scale", "n_unique", "seed")  # labels that are fields of a row
NOT_SAID = "the source does not say; {cure}"
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What people say about the runs of one import; None: look into the source."""

    model: str | None = None
    n_params: int | None = None
    n_params_non_embedding: int | None = None
    algorithm: str | None = None
    domain_mix: str | None = None
    data_scale: str | None = None
    n_unique: int | None = None
    seed: int | None = None
    gpus: int | None = None


def row_of(history: History, labels: Labels, *, number: int = 0) -> ResultRow:
    """A run's row.

    Args:
        history: What was read.
        labels: What was said.
        number: The run's place among those imported together; its seed where neither source nor labels say one.

    Raises:
        ResultsError: the model's size is not known.
    """
    if TRACKED in history.summary:
        return _ours(history, labels)
    missing: dict[str, str] = {}
    labels = _with_settings(labels, history.config)
    size, nominal = _size(history, labels)
    curve = tuple(curve_point(step, values) for step, values in history.steps)
    trained = [point for point in curve if point.reward is not None]
    steps = _said(
        missing, "steps", _steps(history, trained), "no training reward (critic/score/mean) by step was logged"
    )
    names = _names(history.config, labels, missing)
    amounts = _amounts(history.config, labels, trained, steps, missing)
    missing["lost_samples"] = "metrics do not say; verl's log does"
    missing["trained"] = (
        "the run's row is in none of these logs: it had none yet, or it is in another log of the run"
        if f"{_SETTINGS}run_id" in history.config
        else "a validation curve is no pass@k: measure the checkpoint"
    )
    status, failure = _ended(history, missing)
    identity = {
        "model": size["model"],
        "algorithm": names["algorithm"],
        "mix": names["domain_mix"],
        "scale": names["data_scale"],
        "n_unique": labels.n_unique,
    }
    fields: dict[str, Any] = {
        **size,
        **{name: said or UNKNOWN for name, said in names.items()},
        **_apart(names, history),
        **amounts,
    }
    return ResultRow(
        schema_version=SCHEMA_VERSION,
        run_id=run_id(history),
        group_id=digest_of(
            {"imported": identity | _apart(names, history)}
        ),  # of runs that differ in nothing that is known but their seed
        status=status,
        failure=failure,
        **fields,
        n_unique=labels.n_unique,
        seed=_seed(history.config, labels, number, missing),
        steps=steps,
        flops=None if amounts["train_tokens"] is None else _published(nominal, amounts["train_tokens"]),
        base=(),
        trained=(),
        curve=curve,
        timing=None,
        provenance=None,
        imported=_imported(history, missing),
    )


def _steps(history: History, trained: list[CurvePoint]) -> int | None:
    """Training steps made: the last one that was logged, whether or not all were; steps count from 1, or from 0."""
    if not trained or "order" in history.said:
        return None
    return trained[-1].step + (trained[0].step == 0)


def _apart(names: Mapping[str, Any], history: History) -> dict[str, str]:
    """What is unknown of two runs is not the same: the first such name bears the run's; empty: all are known."""
    unknown = [name for name, said in names.items() if said is None]
    return {name: f"{UNKNOWN} ({hidden(history.name)})" for name in unknown[:1]}


def _alone(names: Mapping[str, Any], history: History) -> dict[str, str]:
    """Of a run of which something is unknown: its source, which two runs of one name need not share."""
    return {} if all(names.values()) else {"source": history.sha256}


def _imported(history: History, missing: dict[str, str]) -> Imported:
    source = {"kind": history.kind, "path": str(history.path), "sha256": history.sha256, "name": history.name}
    return Imported(**source, missing={**missing, **history.said})


def _ended(history: History, missing: dict[str, str]) -> tuple[Status, Failure | None]:
    if history.finished is False:
        reason = "its logger says that it ended with an error"
        return Status.failed, Failure(phase="train", reason=reason, log=str(history.path))
    if history.finished is None:
        missing["status"] = "the source does not say how the run ended; taken for completed"
    return Status.completed, None


def _ours(history: History, labels: Labels) -> ResultRow:
    """The row of a run of ours, as its tracker has it, under its own id; what was said goes first."""
    row = read_row(history.path, json.dumps({"curve": []} | parsed(str(history.summary[TRACKED]))))
    curve = tuple(curve_point(step, values) for step, values in history.steps)
    said = {name: value for name, value in asdict(labels).items() if value is not None and name in _ROWS}
    return replace(row, curve=curve, imported=_imported(history, {}), **said)


def _with_settings(labels: Labels, config: Mapping[str, Any]) -> Labels:
    """What a run of ours says in its tracker's configuration, where nobody said otherwise."""
    if f"{_SETTINGS}run_id" not in config:
        return labels
    keys = {
        "model": "model.name",
        "algorithm": "algorithm.name",
        "domain_mix": "domain_mix.name",
        "data_scale": "data_scale.name",
        "n_unique": "data_scale.n_unique",
        "seed": "seed",
    }
    shape = "model.architecture."
    found = {name: config.get(f"{_SETTINGS}{key}") for name, key in keys.items()}
    if labels.model is None:
        sizes = {key.removeprefix(_SETTINGS + shape): value for key, value in config.items() if shape in key}
        architecture = Architecture(**sizes)
        found["n_params"], found["n_params_non_embedding"] = (
            architecture.n_params,
            architecture.n_params_non_embedding,
        )
    return replace(labels, **{name: value for name, value in found.items() if getattr(labels, name) is None})


def _said(missing: dict[str, str], name: str, value: Value | None, cure: str) -> Value | None:
    """The value; where there is none, `missing` says so."""
    if value is None:
        missing[name] = NOT_SAID.format(cure=cure)
    return value


def _names(config: Mapping[str, Any], labels: Labels, missing: dict[str, str]) -> dict[str, Any]:
    """What was trained on what; adds to what is missing."""
    algorithm = labels.algorithm or _text(config, "algorithm.adv_estimator")
    scale = labels.data_scale or (f"n{labels.n_unique}" if labels.n_unique else None)
    names = {
        "algorithm": _said(missing, "algorithm", algorithm, "use --algorithm"),
        "domain_mix": _said(missing, "domain_mix", labels.domain_mix, "use --domain-mix"),
        "data_scale": _said(missing, "data_scale", scale, "use --data-scale or --n-unique"),
    }
    _said(missing, "n_unique", labels.n_unique, "use --n-unique")
    return names


def _seed(config: Mapping[str, Any], labels: Labels, number: int, missing: dict[str, str]) -> int:
    seed = labels.seed if labels.seed is not None else _whole(config, "data.seed")
    said = _said(missing, "seed", seed, "numbered; use --seed")
    return number if said is None else said


def _amounts(
    config: Mapping[str, Any], labels: Labels, trained: list[CurvePoint], steps: int | None, missing: dict[str, str]
) -> dict[str, Any]:
    """What training used up, as fields of a row; adds to what is missing."""
    batch, responses = (_whole(config, key) for key in ("data.train_batch_size", "actor_rollout_ref.rollout.n"))
    seen, reuse = seen_of(labels.n_unique, steps * batch if steps and batch else None)
    tokens = [point.tokens for point in trained if point.tokens is not None]
    found = {
        "train_samples": steps * batch * responses if steps and batch and responses else None,
        "problems_seen": seen,
        "train_tokens": sum(tokens) if tokens and len(tokens) == steps else None,
        "gpu_seconds": _gpu_seconds(trained, steps, config, labels),
    }
    cures = (
        "it needs the configuration, which wandb logs hold",
        "it needs --n-unique, and the configuration, which wandb logs hold",
        f"perf/total_num_tokens was logged at {len(tokens)} of {steps or 'an unknown number of'} steps; it takes all",
        "use --gpus; step times must be logged at every step",
    )
    for (name, value), cure in zip(found.items(), cures, strict=True):
        _said(missing, name, value, cure)
    return {"reuse": reuse, **found}


def run_id(history: History) -> str:
    """The run's name and a hash of its metrics: importing the same run again gives the same id."""
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", hidden(history.name)).strip("-.")[:60] or "run"
    return f"{slug}_imported-{digest_of([history.name, history.steps])}"


def known_models() -> dict[str, Mapping[str, Any]]:
    """The models of conf/ by name."""
    import yaml

    folder = files("conf").joinpath("model")
    found = [yaml.safe_load(item.read_text()) for item in folder.iterdir() if item.name.endswith(".yaml")]
    by_name = {value["name"]: value for value in found}
    return {name: _completed(value, by_name) for name, value in by_name.items()}


def _completed(value: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """A model's file with what it takes over from another model's, as Hydra composes it."""
    for base in value.get("defaults", ()):
        if isinstance(base, str) and base in models:
            whole = _completed(models[base], models)
            return {**whole, **value, "architecture": whole["architecture"] | value.get("architecture", {})}
    return value


def _size(history: History, labels: Labels) -> tuple[dict[str, Any], int]:
    """The fields of a row that say its model's size, and its nominal size."""
    known = known_models()
    path = _text(history.config, "actor_rollout_ref.model.path")
    names = {str(value.get("path") or name).rpartition("/")[2].lower(): name for name, value in known.items()}
    said = (labels.model or path or "").rstrip("/").rpartition("/")[2].lower()
    name = labels.model if labels.model in known else names.get(said) or labels.model
    if name in known:
        shape = Architecture(**known[name]["architecture"])
        sizes = ("n_params", "n_params_non_embedding", "n_params_head", "n_params_active")
        fields = {"model": known[name]["name"], "family": known[name]["family"]}
        fields |= {size: getattr(shape, size) for size in sizes}
        return fields, known[name].get("nominal_params") or shape.n_params
    if labels.n_params is None or labels.n_params_non_embedding is None:
        raise ResultsError(
            f"{history.name}: the size of its model ({name or path or 'not named'}) is not known; say --model with "
            f"one of {', '.join(sorted(known))}, or --n-params and --n-params-non-embedding"
        )
    fields = {"model": name or path or UNKNOWN, "family": UNKNOWN, "n_params": labels.n_params}
    return fields | {"n_params_non_embedding": labels.n_params_non_embedding}, labels.n_params


def _published(nominal: int, tokens: int) -> Flops:
    """The one convention that tokens and a size are enough for."""
    none = dict.fromkeys(("generation", "log_prob", "reference", "actor", "critic", "evaluation", "total"))
    return Flops(accounting="6NT only (imported)", **none, published_6nt=6 * nominal * tokens)


def _gpu_seconds(
    points: list[CurvePoint], steps: int | None, config: Mapping[str, Any], labels: Labels
) -> float | None:
    gpus, nodes = labels.gpus, _whole(config, "trainer.nnodes")
    if gpus is None and nodes and _text(config, "trainer.device") != "cpu":
        gpus = nodes * (_whole(config, "trainer.n_gpus_per_node") or 0)
    seconds = [point.seconds for point in points if point.seconds is not None]
    return gpus * sum(seconds) if gpus and seconds and len(seconds) == steps else None


def _text(config: Mapping[str, Any], key: str) -> str | None:
    value = config.get(key)
    return str(value) if value is not None else None


def _whole(config: Mapping[str, Any], key: str) -> int | None:
    value = config.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
