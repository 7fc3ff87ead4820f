r"""Scores mathematics: the last box against the gold answer, by reading first and by algebra only if need be."""

import re
from functools import lru_cache

from rewards.math.algebra.judge import NotJudged, is_too_heavy, judge, prepare
from rewards.math.equality.compare import same_answer
from rewards.math.equality.parts import same_cases, same_layout, same_named
from rewards.math.equality.renaming import with_names_of
from rewards.math.equality.wording import same_wording
from rewards.math.reading.binding import behind_operator, bound_as, congruence, declared, has_letter, renamed
from rewards.math.reading.decoration import without_quantifier
from rewards.math.reading.layout import items
from rewards.math.reading.measure import with_marked_unit
from rewards.math.reading.node import Node, is_scalar, symbols
from rewards.math.reading.numerals import MULTIPLIERS
from rewards.math.reading.parser import parse
from rewards.math.reading.piecewise import piecewise
from rewards.math.reading.text import MAX_ANSWER, compact, normalise
from rewards.math.reading.tokens import Unreadable
from rewards.problem.extraction import after_thinking, last_boxed, last_boxes
from rewards.problem.verdict import Outcome, Verdict, verdict_of

_GSM8K_FINAL = re.compile(r"####[ \t]*([^\n#]*)")
_GSM8K_TAIL = 1 << 16  # characters
_LEAD = re.compile(
    r"^(?:(?:so|thus|hence|therefore|the|final|my|correct)[ ,]+)*answer(?:[ ]*(?:is|:|=))+\s*", re.IGNORECASE
)
# A number and words behind it that neither hedge nor compute.
_NUMBER_AND_WORDS = re.compile(
    r"([-+]?[ ]*\\?\$?[ ]*[-+]?(?:\d+(?:,\d+)*+(?:\.\d+)?|\.\d+)[ ]*(?:\\?%)?)[.,;:]?[ ]+"
    rf"(?!(?:or|to|and|not|x|times|plus|minus|{'|'.join(MULTIPLIERS)})\b)"
    r"[A-Za-z][^\d=+*/^]*"
)
_PROSE = re.compile(r"(?<![\\A-Za-z])(?<!begin\{)(?<!end\{)[A-Za-z]{4,}|\\text")
# Notation that is left to computer algebra. An answer that cannot be read and has none of it is not well formed.
_BEYOND_READING = re.compile(
    r"\\(?:i*int|oint|sum|prod|lim|gcd|lcm|max|min|det|begin|partial|operatorname|Re|Im|arg)(?![a-z])|\b(?:gcd|lcm|max|min)\b"
)
_RESIDUE_ALONE = re.compile(r"[A-Za-z]\s*(?:=|\\equiv)\s*-?\d+")
_CACHE_ENTRIES = 16_384
_MOST_PARTS = 20  # boxes that are each compared by itself


def score_math(response: str, ground_truth: str) -> Verdict:
    r"""Compares the last complete `\boxed{}` after any thinking part with the gold answer.

    Where the gold answer is an enumeration, boxes side by side (`\boxed{1}` and `\boxed{2}`) count as one. Values
    are compared exactly or to 60 digits; what is not read here goes to math-verify. At most
    `rewards.math.algebra.judge.LIMIT_S` seconds are spent there.
    """
    prepare()
    final = after_thinking(response)
    answer = last_boxed(final)
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    verdict = _compare(answer, ground_truth)
    if verdict.outcome is Outcome.WRONG and re.search(r",|;|\band\b|\bor\b|\\pm|\\boxed", ground_truth):
        boxes = last_boxes(final)
        # One that is right alone, and another behind it, are two answers and not the parts of one.
        is_hedged = len(boxes) <= _MOST_PARTS and any(
            _compare(box, ground_truth).outcome is Outcome.CORRECT for box in boxes
        )
        if len(boxes) > 1 and not is_hedged:
            return _compare(", ".join(boxes), ground_truth)
    return verdict


def score_gsm8k(response: str, ground_truth: str) -> Verdict:
    """As `score_math`; without a box, the whole line behind the last `####` counts, as in `#### 42` of GSM8K."""
    gold = ground_truth.rpartition("####")[2]
    verdict = score_math(response, gold)
    if verdict.outcome is not Outcome.NO_ANSWER:
        return verdict
    finals = [line for line in _GSM8K_FINAL.findall(after_thinking(response)[-_GSM8K_TAIL:]) if line.strip()]
    if not finals:
        return verdict
    stated = _LEAD.sub("", finals[-1].replace("**", "").strip()).strip()
    followed = _NUMBER_AND_WORDS.fullmatch(stated)
    if followed is not None and re.search(r"\b(?:or|and|not)\b", stated) is None:
        stated = followed.group(1)
    return _compare(stated, gold)


def score_integer(response: str, ground_truth: str) -> Verdict:
    r"""For tasks whose answer is an integer to be worked out: `\boxed{17+25}` is not 42.

    Copying the question's expression into the box must earn nothing, or that is what RL teaches.
    """
    answer = last_boxed(after_thinking(response))
    if answer is None:
        return Verdict(outcome=Outcome.NO_ANSWER)
    plain = re.fullmatch(r"-?\d{1,400}", answer)
    return verdict_of(plain is not None and int(answer) == int(ground_truth), answer)


def _compare(answer: str, ground_truth: str) -> Verdict:
    if len(answer) > MAX_ANSWER or len(ground_truth) > MAX_ANSWER:
        return verdict_of(answer.strip() == ground_truth.strip(), answer)
    try:
        return verdict_of(_is_equal(answer, ground_truth), answer)
    except NotJudged as failure:
        return Verdict(outcome=failure.outcome, pred=answer)


@lru_cache(maxsize=_CACHE_ENTRIES)
def _is_equal(answer: str, ground_truth: str) -> bool:
    pred, gold = _normal(answer), _normal(ground_truth)
    if not pred or not gold:
        return bool(pred == gold and answer.strip() == ground_truth.strip())
    if compact(pred) == compact(gold):
        return True
    decided = same_layout(gold, pred, _is_part)
    return _says_the_same(pred, gold) if decided is None else decided


def _is_part(gold: str, pred: str) -> bool:
    return _is_equal(pred, gold)


def _says_the_same(pred: str, gold: str) -> bool:
    """Compares what has no parts: as congruences, case by case, as words, as trees, by computer algebra."""
    decided = _same_form(gold, pred)
    if decided is not None:
        return decided
    gold, pred = without_quantifier(gold), without_quantifier(pred)
    (gold, letter, numbers), (pred, other, others) = declared(gold), declared(pred)
    if numbers and others and numbers != others:
        return False
    if letter and other and letter != other and not has_letter(pred, letter):
        pred = renamed(pred, other, letter)
    pred = bound_as(gold, pred)
    if compact(pred) == compact(gold):
        return True
    decided = same_wording(gold, pred)
    if decided is None:
        decided = _same_trees(gold, pred, letter or other)
    if decided is not None:
        return decided
    return _is_worth_judging(pred, gold) and judge(pred, gold)


def _same_form(gold: str, pred: str) -> bool | None:
    wanted, given = congruence(gold), congruence(pred)
    if wanted and given and "\\equiv" in gold + pred:
        return wanted == given
    if wanted and "\\equiv" in gold and _RESIDUE_ALONE.fullmatch(pred):
        return False  # one number, not a class of them
    cases = piecewise(gold), piecewise(pred)
    if cases[0] and cases[1]:
        return same_cases(cases[0], cases[1], _is_part)
    return None


def _same_trees(gold: str, pred: str, letter: str) -> bool | None:
    """Whether two texts read the same; None: computer algebra may know."""
    gold_tree, pred_tree = _tree(gold), _tree(pred)
    decided = None
    if gold_tree is not None and pred_tree is not None:
        decided = same_answer(gold_tree, pred_tree)
        if decided is not True:
            other_name = with_names_of(gold_tree, pred_tree, declared=letter)
            if other_name is not None and same_answer(gold_tree, other_name) is True:
                return True
    if decided is not True:
        marked = _with_marked_units(gold, pred, gold_tree)
        if marked is not None:
            return _same_trees(*marked, letter)
        value = behind_operator(pred) if "=" not in gold else None
        if value is not None:
            return _is_equal(value, gold)
    if decided is not None:
        return decided
    if gold_tree is None or pred_tree is None:
        listed = same_named(gold, pred, _is_part)
        if listed is not None:
            return listed
        if any(
            tree is not None and is_scalar(tree) and len(items(text)) > 1
            for tree, text in ((gold_tree, pred), (pred_tree, gold))
        ):
            return False  # one value and several
    for text, tree in ((pred, pred_tree), (gold, gold_tree)):
        if tree is None and _BEYOND_READING.search(text) is None:
            return False  # not well formed
    return None


def _with_marked_units(gold: str, pred: str, gold_tree: Node | None) -> tuple[str, str] | None:
    r"""Both texts with `60 km/h` as `60\text{ km/h}`, where the letters can be nothing else; None if there are none.

    The gold must be a number, with a unit or without. A unit of one letter in the gold is one only if the answer has a
    unit too.
    """
    marked_pred = with_marked_unit(pred, is_measure="\\text" in gold)
    marked_gold = with_marked_unit(gold, is_measure="\\text" in pred)
    if marked_gold is not None and (marked_pred is not None or "\\text" in pred or re.search(r"[A-Za-z]{2}|/", gold)):
        return marked_gold, marked_pred or pred
    if marked_pred is not None and gold_tree is not None and not symbols(gold_tree):
        return gold, marked_pred
    return None


_normal = lru_cache(maxsize=_CACHE_ENTRIES)(normalise)


@lru_cache(maxsize=_CACHE_ENTRIES)
def _tree(text: str) -> Node | None:
    try:
        return parse(text)
    except Unreadable:
        return None


def _is_worth_judging(pred: str, gold: str) -> bool:
    """Computer algebra is slow, takes words for products of letters, and picks numbers out of prose."""
    return not is_too_heavy(pred, gold) and not any(
        "\\ldots" in text or _PROSE.search(text) is not None for text in (pred, gold)
    )
