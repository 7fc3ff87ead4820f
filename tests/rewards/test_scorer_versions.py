"""Each family of scorers has a version, and a verdict that changes without a higher one is found here.

What guards: `verdicts.jsonl` holds answers of every family with the outcome that its version gives them. An outcome
that differs fails; `pytest tests/rewards/test_scorer_versions.py --update-golden` writes the file anew, but only for
families whose `version` (rewards/route/scorers.py) is higher than the file's. The labelled tables beside this file say
what is right.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from rewards.problem.question import question_of
from rewards.route.scorers import _OF_DOMAIN, _SCORERS, STATED_CHOICE, scorer_of

VERDICTS = Path(__file__).with_name("verdicts.jsonl")
EVERY = (*_SCORERS.values(), *_OF_DOMAIN.values(), STATED_CHOICE)


def cases() -> dict[str, list[dict[str, Any]]]:
    """By family: source, response, gold, extra, and the outcome and version that were written down."""
    found = defaultdict(list)
    for line in VERDICTS.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        found[case["family"]].append(case)
    return dict(found)


def outcome(case: dict[str, Any]) -> str:
    scorer = scorer_of(case["source"])
    question = question_of(case["gold"], case["extra"], scorer.fields)
    return str(scorer.verdict(case["response"], question).outcome)


def test_every_family_has_one_version_and_answers_that_guard_it() -> None:
    versions = {(scorer.family, scorer.version) for scorer in EVERY}
    assert len(versions) == len({family for family, _ in versions})
    assert set(cases()) == {family for family, _ in versions}, "add answers of the new family to verdicts.jsonl"
    for family, of_family in cases().items():
        assert {scorer_of(case["source"]).family for case in of_family} == {family}
        assert {case["outcome"] for case in of_family} > {"correct"}, f"{family}: no answer that is wrong"


@pytest.mark.parametrize("family", sorted(cases()))
def test_no_verdict_changes_without_a_higher_version_of_its_scorer(family: str, update_golden: bool) -> None:
    version = next(scorer.version for scorer in EVERY if scorer.family == family)
    of_family = cases()[family]
    now = [{**case, "version": version, "outcome": outcome(case)} for case in of_family]
    changed = [case for case, new in zip(of_family, now, strict=True) if case["outcome"] != new["outcome"]]
    if update_golden and all(case["version"] < version for case in of_family):
        every = {**cases(), family: now}
        lines = [json.dumps(case, ensure_ascii=False, sort_keys=True) for name in sorted(every) for case in every[name]]
        VERDICTS.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return
    assert not changed, f"raise the version of the scorer {family} (now {version}) in rewards/route/scorers.py"
    assert {case["version"] for case in of_family} == {version}, "pytest --update-golden, then review the diff"
