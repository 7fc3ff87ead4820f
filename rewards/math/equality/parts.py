"""Compares answers that are laid out in parts: by label, piece by piece between words, by remark, as dates."""

from collections.abc import Callable, Sequence

from rewards.math.reading.layout import date, items, labelled, phrase, remark
from rewards.math.reading.piecewise import Case

Same = Callable[[str, str], bool]


def same_layout(gold: str, pred: str, same: Same) -> bool | None:
    """Whether two answers say the same part by part; None if the gold has no parts and no words between them.

    Args:
        gold: The gold answer, TeX or plain.
        pred: The given answer.
        same: Compares one part of the gold with one of the answer.
    """
    wanted = date(gold)
    if wanted is not None:
        return date(pred) == wanted
    for layout in (_same_labelled, _same_remarks, _same_phrase):
        decided = layout(gold, pred, same)
        if decided is not None:
            return decided
    return None


def _same_labelled(gold: str, pred: str, same: Same) -> bool | None:
    wanted, given = labelled(gold), labelled(pred)
    if wanted is None and given is None:
        return None
    if wanted is not None and given is not None:
        return wanted.labels == given.labels and _each(wanted.contents, given.contents, same)
    return _each(
        wanted.contents if wanted is not None else items(gold),
        given.contents if given is not None else items(pred),
        same,
    )


def _same_remarks(gold: str, pred: str, same: Same) -> bool | None:
    """Remarks in brackets that both have are part of what is said: 5 (max), 1 (min)."""
    if "(" not in gold and "(" not in pred:
        return None
    wanted, given = remark(gold), remark(pred)
    if not (wanted[1] or given[1]):
        return None
    listed = [remark(item) for item in items(gold)], [remark(item) for item in items(pred)]
    if len(listed[0]) == len(listed[1]) > 1 and all(note for _, note in listed[0]):
        by_note = {note: body for body, note in listed[1] if note}
        if len(by_note) == len(listed[1]):
            return all(note in by_note and same(body, by_note[note]) for body, note in listed[0])
        return _each([body for body, _ in listed[0]], [body for body, _ in listed[1]], same)
    if max(map(len, listed)) > 1 and all(note for _, note in listed[1]) and not any(note for _, note in listed[0]):
        return same(", ".join(body for body, _ in listed[0]), ", ".join(body for body, _ in listed[1]))
    if wanted[1] and given[1] and wanted[1] != given[1]:
        return False
    return same(wanted[0], given[0])


def _same_phrase(gold: str, pred: str, same: Same) -> bool | None:
    wanted = phrase(gold)
    if wanted is None:
        return None
    given = phrase(pred)
    if given is None or [words for words in wanted.words if words] != [words for words in given.words if words]:
        return False
    return _each([piece for piece in wanted.pieces if piece], [piece for piece in given.pieces if piece], same)


def same_named(gold: str, pred: str, same: Same) -> bool | None:
    r"""Whether `\max = 3, \min = 1` says the same by name; None unless both are lists of the same different names."""
    wanted, given = _by_name(gold), _by_name(pred)
    if wanted is None or given is None or wanted.keys() != given.keys():
        return None
    return all(same(value, given[name]) for name, value in wanted.items())


def _by_name(text: str) -> dict[str, str] | None:
    listed = [item.partition("=") for item in items(text)]
    named = {"".join(name.split()): value for name, _, value in listed}
    is_named = all(name.strip() and value.strip() and "=" not in value for name, _, value in listed)
    return named if is_named and len(named) == len(listed) > 1 else None


def _each(gold: Sequence[str], pred: Sequence[str], same: Same) -> bool:
    return len(gold) == len(pred) and all(same(one, two) for one, two in zip(gold, pred, strict=True))


def same_cases(gold: Sequence[Case], pred: Sequence[Case], same: Same) -> bool:
    """Whether two functions given case by case have the same cases, in any order."""
    if len(gold) != len(pred):
        return False
    if any(case.condition == "otherwise" for case in pred) and not any(case.condition == "otherwise" for case in gold):
        return _same_but_last(gold, pred, same)
    left = list(pred)
    for case in gold:
        found = next((other for other in left if _same_case(case, other, same)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _same_but_last(gold: Sequence[Case], pred: Sequence[Case], same: Same) -> bool:
    """The answer says `otherwise` where the gold says when; together the gold's conditions leave nothing out."""
    left = [case for case in gold if not any(_same_case(case, other, same) for other in pred)]
    last = next(case for case in pred if case.condition == "otherwise")
    everything = " \\text{ or } ".join(case.condition for case in gold)
    return len(left) == 1 and same(left[0].value, last.value) and same("\\R", everything)


def _same_case(gold: Case, pred: Case, same: Same) -> bool:
    if "otherwise" in (gold.condition, pred.condition) and gold.condition != pred.condition:
        return False
    return same(gold.value, pred.value) and (gold.condition == pred.condition or same(gold.condition, pred.condition))
