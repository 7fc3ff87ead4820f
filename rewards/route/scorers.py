"""The one table of what is scored how: the beginning of a data_source, and the scorer of its family."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

from rewards.answers import arc, choice, codeio, cruxeval, graph, ordering, table_answer, zebra
from rewards.answers.stem_answer import score_stem
from rewards.code.code_ground_truth import parse_ground_truth
from rewards.code.program import score_program
from rewards.code.source_rules import OTHER, RULES, SYNTHETIC, SourceRules
from rewards.gym import scorer as gym
from rewards.math.answer import score_gsm8k, score_integer, score_math
from rewards.own.covering import covering
from rewards.own.own_scorer import own_scorer
from rewards.problem.domains import Domain, UnknownDataSource, canonical, domain_of, longest_prefix
from rewards.problem.question import BadGroundTruth, Question
from rewards.problem.verdict import Late, Outcome, Verdict

Gold = TypeVar("Gold")


class UnsupportedDataSource(UnknownDataSource):
    """The data_source's domain is known, but nothing scores it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer(Generic[Gold]):
    """How one family of sources is scored.

    `read` turns the row's gold into what `score` compares with and raises BadGroundTruth where it cannot; `fields` are
    the fields of extra_info that it looks at, None: all. `version` counts how often verdicts of the family have changed
    since reward suite 2; a family that came later starts at 1. It is part of the identity of the runs that use it.
    `limited` is what runs past its limit where a verdict is TIMEOUT; `cpu_s` is a limit that the user has set.
    """

    family: str
    read: Callable[[Question], Gold]
    score: Callable[[str, Gold], Verdict]
    fields: tuple[str, ...] | None = ()
    version: int = 0
    limited: Late = Late.ALGEBRA
    cpu_s: int | None = None
    rules: SourceRules | None = None  # of a source of programs

    def verdict(self, response: str, question: Question) -> Verdict:
        """Reads the gold and scores the response."""
        found = self.score(response, self.read(question))
        return replace(found, late=self.limited) if found.outcome is Outcome.TIMEOUT else found


def _readable_tests(question: Question) -> Question:
    parse_ground_truth(question.gold)
    return question


def _not_empty(question: Question) -> str:
    if not question.gold.strip():
        raise BadGroundTruth("ground_truth is empty")
    return question.gold


def _integer(question: Question) -> str:
    digits = question.gold.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise BadGroundTruth(f"ground_truth {question.gold[:80]!r} is not an integer")
    return question.gold


def _execution(question: Question) -> cruxeval.Execution:
    return cruxeval.parse_execution(
        question.gold,
        reference=question.get("reference"),
        prompt=question.get("original_prompt"),
        given_input=question.get("input"),
    )


def _code(family: str, rules: SourceRules, version: int) -> Scorer[Question]:
    return Scorer(
        family=family,
        version=version,
        read=_readable_tests,
        score=lambda response, question: score_program(response, question.gold, question.get("prefix"), rules),
        fields=("prefix",),
        limited=Late.PROGRAM,
        rules=rules,
    )


def _choice(family: str, *, boxed: bool) -> Scorer[tuple[str, dict[str, str]]]:
    return Scorer(
        family=family,
        read=lambda question: (choice.parse_letter(question.gold), dict(choice.options_of(question.get("question")))),
        score=lambda response, gold: choice.score_choice(response, *gold, boxed=boxed),
        fields=("question",),
    )


_EXECUTION_FIELDS = ("reference", "original_prompt", "input")

MATH = Scorer(family="math", read=_not_empty, score=score_math, version=1)
INTEGER = Scorer(family="integer", read=_integer, score=score_integer)
# A family of its own, so that what changes in mathematics renames no run on these tasks.
LOOKUP = Scorer(family="lookup", read=_not_empty, score=score_math)
GSM8K = Scorer(family="gsm8k", read=_not_empty, score=score_gsm8k, version=1)
CODE = _code("code", OTHER, version=1)
SYNTHETIC_CODE = _code("synthetic code", SYNTHETIC, version=0)  # its verdicts are those of suite 2
CHOICE = _choice("choice", boxed=True)
STATED_CHOICE = _choice("stated choice", boxed=False)
ORDERING = Scorer(family="ordering", read=lambda q: ordering.parse_order(q.gold), score=ordering.score_ordering)
ZEBRA = Scorer(family="zebra", read=lru_cache(1024)(lambda q: zebra.parse_table(q.gold)), score=zebra.score_zebra)
GRAPH = Scorer(family="graph", read=lambda q: graph.parse_path(q.gold), score=graph.score_graph)
ARC = Scorer(family="arc", read=lru_cache(1024)(lambda q: arc.parse_grid(q.gold)), score=arc.score_arc)
CODEIO = Scorer(family="codeio", read=lambda q: codeio.parse_prediction(q.gold), score=codeio.score_codeio)
CRUX_OUTPUT = Scorer(
    family="cruxeval-o", read=_execution, score=cruxeval.score_output, fields=_EXECUTION_FIELDS, limited=Late.PROGRAM
)
CRUX_INPUT = Scorer(
    family="cruxeval-i", read=_execution, score=cruxeval.score_input, fields=_EXECUTION_FIELDS, limited=Late.PROGRAM
)
TABLE = Scorer(
    family="table", read=lambda q: table_answer.parse_answers(q.gold), score=table_answer.score_table, version=1
)
STEM = Scorer(
    family="stem",
    version=1,
    read=lambda question: (_not_empty(question), question.get("question")),
    score=lambda response, gold: score_stem(response, *gold),
    fields=("question",),
)
GYM = Scorer(
    family="reasoning gym",
    read=gym.parse_problem,
    score=gym.score_gym,
    fields=gym.FIELDS,
    version=1,
    limited=Late.SCORER,
)


def _in_both(name: str, scorer: Scorer[Any]) -> dict[str, Scorer[Any]]:
    """Under its bare name and those of the two domains that Guru's files and rows put logic and simulation in."""
    return {name: scorer, f"logic__{name}": scorer, f"simulation__{name}": scorer}


# In the spelling of `domains.canonical`; the longest that fits wins.
_SCORERS: dict[str, Scorer[Any]] = {
    "math__synthetic": INTEGER,
    "math__gsm8k": GSM8K,
    "gsm8k": GSM8K,
    "codegen__synthetic": SYNTHETIC_CODE,
    **{name: _code(CODE.family, rules, CODE.version) for name, rules in RULES.items()},
    **_in_both("zebra", ZEBRA),
    **_in_both("zebra_puzzle", ZEBRA),
    **_in_both("ordering", ORDERING),
    **_in_both("ordering_puzzle", ORDERING),
    **_in_both("graph", GRAPH),
    **_in_both("graph_logical", GRAPH),
    **_in_both("arcagi", ARC),
    **_in_both("arc_agi", ARC),
    **_in_both("barc", ARC),
    "stem__synthetic": CHOICE,
    "stem__synthetic_lookup": LOOKUP,  # a name: no judge is asked
    "logic__synthetic_higher_lower": INTEGER,
    "stem__supergpqa": CHOICE,
    "supergpqa": CHOICE,
    "stem__gpqa": CHOICE,
    "gpqa": CHOICE,
    "stem__web": STEM,
    "stem_web": STEM,
    "stem__webinstruct": STEM,
    "webinstruct": STEM,
    **_in_both("codeio", CODEIO),
    **_in_both("cruxeval_o", CRUX_OUTPUT),
    **_in_both("cruxeval_i", CRUX_INPUT),
    "math__reasoning_gym": GYM,
    **_in_both("reasoning_gym", GYM),
}
_OF_DOMAIN: dict[Domain, Scorer[Any]] = {Domain.MATH: MATH, Domain.CODE: CODE, Domain.TABLE: TABLE}


@lru_cache(1024)  # asked once per row, of which a data set has few sources
def scorer_of(data_source: str, own: tuple[str, ...] = (), limits: tuple[str, ...] = ()) -> Scorer[Any]:
    """The scorer of a data_source.

    Args:
        data_source: In any spelling.
        own: The user's own functions, which go before ours; see `rewards.own.covering`.
        limits: The user's limits of programs, each `SOURCE=SECONDS` of CPU for a test or call, where the source covers
            all whose name begins with it.

    Raises:
        UnknownDataSource: Nobody knows it; the message lists what is known.
        UnsupportedDataSource: Its domain is known, but no scorer fits it.
    """
    reference = covering(data_source, own)
    if reference is not None:
        return _own(data_source, reference)
    found, cpu_s = _ours(data_source), limit_of(data_source, limits)
    if found.rules is None or cpu_s is None:
        return found
    return replace(_code(found.family, found.rules.within(cpu_s), found.version), cpu_s=cpu_s)


def limit_of(data_source: str, limits: tuple[str, ...]) -> int | None:
    """The limit that covers a source, in seconds; None: none does."""
    seconds = {canonical(source): int(text) for source, _, text in (one.partition("=") for one in limits)}
    prefix = longest_prefix(data_source, seconds)
    return None if prefix is None else seconds[prefix]


def _ours(data_source: str) -> Scorer[Any]:
    domain = domain_of(data_source)
    prefix = longest_prefix(data_source, _SCORERS)
    if prefix is None:
        if domain in _OF_DOMAIN:
            return _OF_DOMAIN[domain]
        raise UnsupportedDataSource(
            f"data_source {data_source!r} (domain {domain}) has no scorer. Known beginnings: "
            f"{', '.join(sorted(_SCORERS))}; and everything of {', '.join(_OF_DOMAIN)}. Rename it or leave its file "
            "out of the data folder."
        )
    scorer = _SCORERS[prefix]
    return STATED_CHOICE if scorer is CHOICE and canonical(data_source).endswith("no_box") else scorer


def raised_versions() -> dict[str, int]:
    """The versions above 0, by family."""
    every = (*_SCORERS.values(), *_OF_DOMAIN.values(), STATED_CHOICE)
    return {scorer.family: scorer.version for scorer in every if scorer.version}


def _own(data_source: str, reference: str) -> Scorer[Question]:
    return Scorer(
        family=f"own reward {reference}",
        read=lambda question: question,
        score=lambda response, question: own_scorer(reference).verdict(data_source, response, question),
        fields=None,
        limited=Late.SCORER,
    )
