"""What a page of samples shows, by what its address asks: of which measurement, which of them, or what changed."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from rewards.program import words
from sweeper.dashboard.words import told
from sweeper.host.errors import SweeperError
from sweeper.rows.sample import VERDICTS, Origin, Sample, Turn, Wanted, halves
from sweeper.runs.folder import RunDir
from sweeper.runs.gained_lost import compared
from sweeper.runs.samples import kept_samples, origins

PER_PAGE = 20
_ASKED = ("of", "outcome", "problem", "source", "text")


def listed(run_dir: RunDir, asked: Mapping[str, str]) -> dict[str, Any]:
    """The page's values.

    Args:
        run_dir: Of the run.
        asked: `of` (base, evaluation, a validation's step, or `changed`: against the base model), `outcome`,
            `problem`, `source`, `text`, and `page` from 1. Whatever is absent or empty asks for nothing.
    """
    chosen = {name: asked.get(name, "") for name in _ASKED}
    number = max(1, int(asked["page"])) if asked.get("page", "").isdecimal() and len(asked["page"]) < 6 else 1
    values: dict[str, Any] = {
        "asked": {name: told(value) for name, value in chosen.items()},
        "number": number,
        "verdicts": VERDICTS,
        "measurements": [],
        "samples": [],
        "pairs": [],
        "summary": "",
        "more": False,
    }
    try:
        values["measurements"] = _measurements(run_dir)
        wanted = Wanted(
            verdict=chosen["outcome"] if chosen["outcome"] in VERDICTS else None,
            problem=chosen["problem"] or None,
            source=chosen["source"] or None,
            text=chosen["text"] or None,
        )
        return values | (_changed if chosen["of"] == "changed" else _kept)(run_dir, chosen["of"], wanted, number)
    except (SweeperError, OSError) as error:
        return values | {"summary": told(words(error))}


def _measurements(run_dir: RunDir) -> list[tuple[str, str]]:
    """What there is to choose, and how it is called."""
    found = []
    for origin, step in origins(run_dir):
        name = {Origin.base: "base model", Origin.evaluation: "evaluation"}.get(origin, f"validation of step {step}")
        found.append((str(origin) if step is None else str(step), name))
    kinds = {value for value, _ in found}
    return [*found, *([("changed", "gained and lost against base")] if {"base", "evaluation"} <= kinds else [])]


def _kept(run_dir: RunDir, of: str, wanted: Wanted, number: int) -> dict[str, Any]:
    step = int(of) if of.isdecimal() and len(of) < 10 else None
    kept = kept_samples(run_dir, Origin(of) if of in ("base", "evaluation") else None, step)
    start = (number - 1) * PER_PAGE
    found = list(islice(wanted.among(kept), start, start + PER_PAGE + 1))
    chosen = str(kept.origin) if kept.step is None else str(kept.step)
    return {
        "samples": [_shown(sample) for sample in found[:PER_PAGE]],
        "more": len(found) > PER_PAGE,
        "summary": str(kept.coverage()),
        "chosen": chosen,
    }


def _changed(run_dir: RunDir, _: str, wanted: Wanted, number: int) -> dict[str, Any]:
    comparison = compared(run_dir)
    anything = replace(wanted, verdict=None)  # of samples, not of problems
    changed = [
        item
        for item in comparison.problems
        if item.has_changed
        and (anything == Wanted() or any(sample is not None and anything.fits(sample) for sample in item.samples))
    ]
    n, start = comparison.kinds(), (number - 1) * PER_PAGE
    pairs = []
    for item in changed[start : start + PER_PAGE]:
        before, after = (None if sample is None else _shown(sample) for sample in item.samples)
        rates = f"{item.before.c} of {item.before.n} correct before, {item.after.c} of {item.after.n} after"
        clear = {1: ", clearly up", -1: ", clearly down", 0: ""}[item.clear]
        pairs.append(
            {"problem": told(item.problem_id), "what": f"{item.kind}: {rates}{clear}", "sides": (before, after)}
        )
    solved = f"{n['gained']} gained, {n['lost']} lost, {n['both']} solved before and after, {n['neither']} by neither"
    return {
        "pairs": pairs,
        "more": len(changed) > start + PER_PAGE,
        "summary": f"{len(comparison.problems)} problems: {solved}; {n['clearly_up']} clearly up, "
        f"{n['clearly_down']} clearly down" + "".join(f"; {told(str(error))}" for error in comparison.damaged),
    }


def _shown(sample: Sample) -> dict[str, Any]:
    """A sample's texts as a page may show them; what is not known is None."""
    values = {name: told(value) if isinstance(value, str) else value for name, value in sample.as_dict().items()}
    first, last = halves(sample.turns, sample.turns_left_out)
    values["turns"] = [_turn(turn) for turn in first]
    values["turns_left_out"] = sample.turns_left_out
    values["last_turns"] = [_turn(turn) for turn in last]
    values["verdict"] = "verdict not kept" if sample.verdict is None else sample.verdict.replace("_", " ")
    return values


def _turn(turn: Turn) -> dict[str, Any]:
    """A part of a transcript as a page may show it."""
    return {
        "role": told(turn.role),
        "text": told(turn.text),
        "tokens": turn.tokens,
        "kind": turn.kind,
        "trained": turn.trained,
        "left_out": turn.left_out,
    }
