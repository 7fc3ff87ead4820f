"""What a file's path says of what its problems are for."""

import re
from enum import StrEnum

from data_prep.sources.file_format import stem

_HOLDOUT = re.compile(r"(?:holdout|test)_\d+\.(?:parquet|jsonl)")
_EVALUATION = re.compile(
    r"(?:test|val|valid|validation|dev|development|eval|evaluation|holdout|heldout)"
    r"(?:s|ing|set|sets|data|split|splits|file|files|mini|suite)?"
)
_TRAIN = re.compile(r"train(?:s|ing|set|data|split)?")
_LOOKS_LIKE = ("test", "val", "dev", "eval")
_ENDS_LIKE = re.compile(r"\w+test(?:s|set|sets)?")  # mytest, mathtests
_ENGLISH = ("contest", "latest", "greatest", "fastest", "shortest", "smartest")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TWO_WORDS = re.compile(r"\b(hold|held)[\W_]*out")


class Role(StrEnum):
    """What a file's problems are for."""

    train = "train"
    evaluation = "evaluation"
    # Never trained on either, but measured only where there is no `evaluation`: expensive sets for the end.
    offline_evaluation = "offline_evaluation"


def named_layout(name: str) -> Role | None:
    """The role in the published layouts (`online_eval/`, `offline_eval/`, `holdout_N`, `test_N`); None: none of them.

    Args:
        name: Path below the folder.
    """
    *folders, file = name.split("/")
    if "offline_eval" in folders:
        return Role.offline_evaluation
    return Role.evaluation if "online_eval" in folders or _HOLDOUT.fullmatch(file) else None


def named_split(name: str) -> Role | None:
    """The role by the words of the file's name and of the folders on the way; of a name without any, training.

    `test`, `val`, `dev`, `eval` and the like at the start or the end of a name mean evaluation, in any case.

    Args:
        name: Path below the folder.

    Returns:
        None where it cannot be told: words of both kinds, such a word inside a name, or one that only begins or ends
        like it.
    """
    *folders, file = name.split("/")
    said = {_said(part) for part in (*folders, stem(file))}
    certain = said & {Role.train, Role.evaluation}
    if len(certain) == 1:
        return Role(certain.pop())
    return None if certain or "unclear" in said else Role.train


def _said(part: str) -> str:
    """A role, "unclear", or "" where a part of a path says nothing."""
    plain = _TWO_WORDS.sub(r"\1out", _CAMEL.sub("_", part).lower())
    words = [word for word in re.findall(r"[a-z]+", plain) if word != "of"]
    is_train = any(_TRAIN.fullmatch(word) for word in words)
    found = [place for place, word in enumerate(words) if _EVALUATION.fullmatch(word)]
    if found and not is_train and (found[0] == 0 or found[-1] == len(words) - 1):
        return Role.evaluation
    if is_train and not found:
        return Role.train
    glued = any(_ENDS_LIKE.fullmatch(word) and not word.removesuffix("s").endswith(_ENGLISH) for word in words)
    return "unclear" if found or glued or (words and words[0].startswith(_LOOKS_LIKE)) else ""
