r"""Games of finding a number, such as `317-332`: after a wrong guess an environment says `<` (it is smaller) or `>`.

Nobody finds more than a share min(1, (2^t - 1) / n) of n equally likely numbers within t guesses, so what is possible
is known for every problem.
"""

import hashlib
import random

from data_prep.synthetic.conversation import Conversation
from data_prep.synthetic.problem import Problem
from rewards import Domain

DATA_SOURCE = "logic__synthetic_higher_lower"
LEVELS = 4
_FIRST = range(10, 400)  # numbers that a range begins with
_MOST_GUESSES = 8
_MIDDLE = 0.5  # share of guesses that halve what is left


def generate(level: int, rng: random.Random) -> Problem:
    """A problem of `level`, 1 to `LEVELS`: 2^(level+1) to 2^(level+2)-1 numbers, so level + 2 guesses always do."""
    low, high = _range(level, rng)
    return _problem(low, high, _secret(low, high))


def _problem(low: int, high: int, secret: int) -> Problem:
    near = [guess for guess in (low, high, secret - 1, secret + 1) if low <= guess <= high and guess != secret]
    return Problem(
        domain=Domain.LOGIC,
        data_source=DATA_SOURCE,
        ability="logical_reasoning",
        prompt=_shown(low, high),
        ground_truth=str(secret),
        solution=_guess(secret),
        mistakes=tuple(_guess(guess) for guess in dict.fromkeys(near)),
        level=(high - low + 1).bit_length() - 2,
    )


def _range(level: int, rng: random.Random) -> tuple[int, int]:
    low = rng.choice(_FIRST)
    return low, low + rng.randint(2 ** (level + 1), 2 ** (level + 2) - 1) - 1


def _secret(low: int, high: int) -> int:
    """The number to find, which follows from the range: a problem is known by its prompt."""
    digest = hashlib.sha256(f"secret|{_shown(low, high)}".encode()).digest()
    return low + int.from_bytes(digest[:8], "big") % (high - low + 1)


def _shown(low: int, high: int) -> str:
    return f"{low}-{high}"


def _guess(number: int) -> str:
    return f"\\boxed{{{number}}}"


def conversation(level: int, rng: random.Random, *, calls: bool, slips: bool) -> Conversation:
    """A game of `level`.

    Args:
        level: As for `generate`.
        rng: Decides all else, the secret too: what a prompt hides is in no warm start.
        calls: Whether guesses follow what is said of those before them; otherwise there is one guess.
        slips: Whether the last guess is wrong, on the wrong side of an earlier one if there are any.
    """
    low, high = _range(level, rng)
    turns = [("user", _shown(low, high))]
    secret, least, most = rng.randint(low, high), low, high
    for _ in range(_MOST_GUESSES if calls else 0):
        guess = (least + most) // 2 if rng.random() < _MIDDLE else rng.randint(least, most)
        if guess == secret:
            break
        said = "<" if secret < guess else ">"
        turns += [("assistant", _guess(guess)), ("user", said)]
        least, most = (least, guess - 1) if said == "<" else (guess + 1, most)
    wrong = [number for number in range(low, high + 1) if number != secret]
    excluded = [number for number in wrong if not least <= number <= most]
    last = rng.choice(excluded or wrong) if slips else secret
    return Conversation(
        problem=_problem(low, high, secret), turns=(*turns, ("assistant", _guess(last))), is_correct=not slips
    )
