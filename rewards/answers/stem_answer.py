r"""Scores free-form STEM answers (WebInstruct): rules first, a judge for what they leave undecided, if there is one.

Rules, in this order: the same words or the same formula; the same quantity (`rewards.answers.quantity`), where a clear
numerical difference is final; the same parts, if there are several; the same mathematics (`rewards.math.answer`).
"""

import re

from rewards.answers.plain_text import same_words, unwrapped
from rewards.answers.quantity import read_quantity, same_quantity, without_symbol
from rewards.judge.judge import configured_judge
from rewards.math.algebra.judge import NotJudged
from rewards.math.answer import score_math
from rewards.math.equality.parts import same_layout
from rewards.math.reading.decoration import without_decoration
from rewards.math.reading.words import is_by_case
from rewards.problem.extraction import after_thinking, last_boxed
from rewards.problem.verdict import Outcome, Verdict, verdict_of

_MAX_ANSWER = 4096
_ELEMENT = (
    "A[lrgstuc]|B[eraik]?|C[laroudse]?|D[y]|E[ru]|F[er]?|G[ead]|H[efgo]?|I[nr]?|K[r]?|L[iau]|M[gno]|N[eaibdp]?|O[s]?"
    "|P[drtbaoum]?|R[buhefna]|S[icerbnm]?|T[icebmalh]|U|V|W|Xe|Y[b]?|Z[nr]"
)
_FORMULA = re.compile(rf"\d*(?:(?:{_ELEMENT})|[()\[\]]|(?<=[A-Za-z)\]])\d+)+(?:\^?\d*[+-])?(?:\((?:s|l|g|aq)\))?")
_WORDS = frozenset(("No", "As", "In", "At", "Be"))  # and symbols
_NAME = re.compile(r"\s*([^=:≈]{1,40}?)\s*(?:=|:|\\approx|≈)\s*(?=\S)")
_VERB = re.compile(
    r"(?:it |they )?(?:will )?(increas|decreas|ris|fall|doubl|halv|tripl|expand|contract|accelerat"
    r"|decelerat|remain|slow|grow|shrink"
    r"|evaporat|condens|melt|freez|boil|sink|float|attract|repel)(?:e|es|s|ed|d|l?ing)?"
)
_PARTS = re.compile(r"\s*;\s*|,\s+(?:and\s+)?|\s+and\s+|\\quad|\\\\")


def score_stem(response: str, gold: str, question: str = "") -> Verdict:
    """Scores the last box.

    Where the environment configures no judge, what is undecided is WRONG (said once in the log), or TIMEOUT where
    computer algebra was late. If the judge fails, the outcome is ERROR with `judge_failed`, never a silent 0.

    Args:
        response: Whole model output.
        gold: The gold answer.
        question: For the judge.

    Raises:
        JudgeUnavailable: The judge fails too often for the run to go on.
    """
    answer = last_boxed(after_thinking(response))
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    if len(answer) > max(_MAX_ANSWER, 2 * len(gold)):
        return Verdict(outcome=Outcome.WRONG, pred=answer)
    undecided = Outcome.WRONG
    try:
        decided = same_by_rules(without_decoration(answer), gold)
    except NotJudged as failure:
        decided, undecided = None, failure.outcome
    if decided is not None:
        return verdict_of(decided, answer)
    judge = configured_judge()
    if judge is None:
        return Verdict(outcome=undecided, pred=answer)
    decision = judge.decide(question, gold, answer)
    if decision is None:
        return Verdict(outcome=Outcome.ERROR, pred=answer, judge_failed=True)
    return verdict_of(decision, answer)


def same_by_rules(answer: str, gold: str) -> bool | None:
    """Decides by reading and by computer algebra, as far as they go; None: undecided.

    Raises:
        NotJudged: Computer algebra was late, or failed, on what nothing else decides.
    """
    late: list[NotJudged] = []

    def is_part(wanted: str, given: str) -> bool:
        try:
            return same_by_rules(given, wanted) is True
        except NotJudged as failure:
            late.append(failure)
            return False

    laid_out = same_layout(gold, answer, is_part)
    if laid_out is False and late:
        raise late[0]
    if laid_out is not None:
        return laid_out
    if _is_formula(gold) and _is_formula(answer):
        return _formula(answer) == _formula(gold) or None
    if _is_other_case(answer, gold):
        return None
    if _same_text(answer, gold):
        return True
    decided = same_quantity(answer, gold)
    if decided is not None or _same_parts(answer, gold):
        return decided is not False
    outcome = score_math(f"\\boxed{{{answer}}}", gold).outcome
    if outcome in (Outcome.TIMEOUT, Outcome.ERROR):
        raise NotJudged(outcome)
    return True if outcome is Outcome.CORRECT else None


def _same_text(answer: str, gold: str) -> bool:
    """As words; a quantity is not words, because 5 mW is not 5 MW."""
    if read_quantity(answer) is not None and read_quantity(gold) is not None:
        return False
    if is_by_case(gold):
        return "".join(unwrapped(answer).split()) == "".join(unwrapped(gold).split())
    if same_words(answer, gold) or _same_verb(answer, gold):
        return True
    named = without_symbol(answer), without_symbol(gold)
    return named != (answer, gold) and re.search(r"[A-Za-z]{3}", named[1]) is not None and same_words(*named)


def _same_parts(answer: str, gold: str) -> bool:
    given = [part for part in _PARTS.split(answer) if part.strip()]
    wanted = [part for part in _PARTS.split(gold) if part.strip()]
    if len(wanted) < 2 or len(given) != len(wanted) or len(wanted) > 20:
        return False
    given = _by_name(given, wanted)
    return all(
        _same_text(part, gold_part)
        or (_is_formula(gold_part) and _formula(part) == _formula(gold_part))
        or same_quantity(part, gold_part) is True
        for part, gold_part in zip(given, wanted, strict=True)
    )


def _by_name(given: list[str], wanted: list[str]) -> list[str]:
    """The given parts in the order of the wanted ones, where both say what each of them is: x = 3, y = 4."""
    names = [_names(given), _names(wanted)]
    if None in names[0] or None in names[1] or len(set(names[0])) < len(given) or not set(names[0]) & set(names[1]):
        return given
    return [given[names[0].index(name)] if name in names[0] else "" for name in names[1]]


def _names(parts: list[str]) -> list[str | None]:
    found = (_NAME.match(part) for part in parts)
    return ["".join(unwrapped(name.group(1)).split()) if name else None for name in found]


def _same_verb(answer: str, gold: str) -> bool:
    """`increases`, `Increase` and `It increases` are one verb."""
    given, wanted = (_VERB.fullmatch(unwrapped(text).strip(" .").casefold()) for text in (answer, gold))
    return given is not None and wanted is not None and given.group(1) == wanted.group(1)


def _formula(text: str) -> str:
    r"""A chemical formula in one spelling: H_2O, H₂O and \ce{H2O} are H2O, Fe^{3+} is Fe3+."""
    plain = "".join(unwrapped(text).replace("_", "").replace("{", "").replace("}", "").split())
    plain = re.sub(r"\A\(([A-Za-z0-9]*)\)\Z", r"\1", plain)
    return re.sub(r"\^(?=\d*[+-]$)", "", plain)


def _is_other_case(answer: str, gold: str) -> bool:
    """Whether only capitals tell an answer from a gold that is a symbol or formula, as `NACL` from NaCl."""
    wanted, given = _formula(gold), _formula(answer)
    is_symbol = re.search(r"[a-z]", wanted) is not None and _is_formula(gold) and wanted not in _WORDS
    return is_symbol and wanted != given and wanted.casefold() == given.casefold()


def _is_formula(text: str) -> bool:
    formula = _formula(text)
    return 0 < len(formula) <= 100 and _FORMULA.fullmatch(formula) is not None
