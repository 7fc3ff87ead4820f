"""The tables of a report as data frames; the HTML shows parts of them, the CSV files hold them whole."""

import math
from collections.abc import Sequence

import pandas as pd

from analysis.bootstrap import Estimate
from analysis.estimates import all_ks, gain, pass_at
from analysis.frame import Point, Run, Selection, points_of
from analysis.power_law import PowerLaw
from analysis.row_laws import Law

NOT_MEASURED = Estimate(math.nan, None, None)


def results_table(selection: Selection) -> pd.DataFrame:
    """One line a run of the grid: completed, failed, and missing (no row yet)."""
    records = [_result(run) for run in selection.runs]
    records += [{"run_id": run_id, "status": "missing", "reason": "no row"} for run_id in selection.missing]
    return pd.DataFrame(records)


def _result(run: Run) -> dict[str, object]:
    row, alone = run.row, Point(series="", runs=(run,))
    improvement = gain(alone) or NOT_MEASURED
    record: dict[str, object] = {
        "run_id": row.run_id,
        "group_id": row.group_id,
        "status": str(row.status),
        "model": row.model,
        "n_params": row.n_params,
        "n_params_non_embedding": row.n_params_non_embedding,
        "algorithm": row.algorithm,
        "domain_mix": row.domain_mix,
        "data_scale": row.data_scale,
        "n_unique": row.n_unique,
        "seed": row.seed,
        "steps": row.steps,
        "train_samples": row.train_samples,
        "train_tokens": row.train_tokens,
        "flops": row.flops.total if row.flops else None,
        "gpu_seconds": row.gpu_seconds,
        "wall_s": row.timing.total_s if row.timing else None,
        "gain_pass@1": improvement.value,
        "gain_pass@1_low": improvement.low,
        "gain_pass@1_high": improvement.high,
    }
    for prefix, base in (("base_", True), ("", False)):
        score = row.score(base=base)
        record |= {f"{prefix}pass@{item.k}": item.value for item in (score.pass_at_k if score else ())}
    failure = row.failure
    return record | {"reason": f"{failure.phase}: {failure.reason}" if failure else None}


def pass_at_k_table(points: Sequence[Point]) -> pd.DataFrame:
    """One line a point, domain and k: base, trained and paired gain with 95% intervals over problems."""
    ks, records = all_ks(points), []
    for point in points:
        for domain in domains_of(point):
            score = point.row.score(domain)
            for k in ks:
                record: dict[str, object] = {
                    "model": point.row.model,
                    "n_params_non_embedding": point.size,
                    "series": point.series,
                    "group_id": point.row.group_id,
                    "seeds": len(point.runs),
                    "domain": domain,
                    "n_problems": score.n_problems if score else None,
                    "n_samples": score.n_samples if score else None,
                    "k": k,
                }
                for name, found in (
                    ("base", pass_at(point, k, base=True, domain=domain)),
                    ("trained", pass_at(point, k, domain=domain)),
                    ("gain", gain(point, k, domain=domain)),
                ):
                    value, low, high = found or NOT_MEASURED
                    record |= {name: value, f"{name}_low": low, f"{name}_high": high}
                records.append(record)
    return pd.DataFrame(records)


def domains_of(point: Point) -> list[str]:
    """The whole suite ("all"), then the domains the point was measured on."""
    names = sorted({score.domain for run in point.runs for score in run.row.trained} - {"all"})
    return ["all", *names]


def curves_table(runs: Sequence[Run]) -> pd.DataFrame:
    """One line a run and training step."""
    records = [
        {
            "run_id": run.row.run_id,
            "step": point.step,
            "reward": point.reward,
            "val_pass@1": point.val_pass1,
            "response_length": point.response_length,
            "entropy": point.entropy,
            "kl": point.kl,
            "tokens": point.tokens,
            "seconds": point.seconds,
        }
        for run in runs
        for point in run.row.curve
    ]
    return pd.DataFrame(records)


def laws_table(laws: Sequence[Law]) -> pd.DataFrame:
    """One line a law, fitted or not."""
    records = []
    for law in laws:
        fit = law.result if isinstance(law.result, PowerLaw) else None
        held = fit.held_out if fit else None
        records.append(
            {
                "x": law.axis.name,
                "subset": law.subset,
                "n_runs": len(law.observations),
                "n_configurations": fit.n_clusters if fit else None,
                "n_levels": fit.n_levels if fit else None,
                "alpha": fit.alpha if fit else None,
                "alpha_low": fit.alpha_low if fit else None,
                "alpha_high": fit.alpha_high if fit else None,
                "alpha_leave_one_size_out_low": fit.jackknife_low if fit else None,
                "alpha_leave_one_size_out_high": fit.jackknife_high if fit else None,
                "a": math.exp(fit.log_a) if fit else None,
                "held_out_size": held.rung if held else None,
                "held_out_observed": held.observed if held else None,
                "held_out_predicted": held.predicted if held else None,
                "held_out_law_mae": held.law_mae if held else None,
                "held_out_last_value": held.last_value if held else None,
                "held_out_last_value_mae": held.last_value_mae if held else None,
                "not_fitted": None if fit else getattr(law.result, "reason", None),
                "warnings": "; ".join([*(fit.warnings if fit else ()), *law.notes]),
            }
        )
    return pd.DataFrame(records)


def all_tables(selection: Selection, laws: Sequence[Law]) -> dict[str, pd.DataFrame]:
    """Every table by the stem of its CSV file."""
    return {
        "results": results_table(selection),
        "pass_at_k": pass_at_k_table(points_of(selection.completed)),
        "curves": curves_table(selection.runs),
        "laws": laws_table(laws),
    }
