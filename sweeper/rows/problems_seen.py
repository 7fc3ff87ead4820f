"""How many of its problems a run sees."""


def seen_of(n_unique: int | None, drawn: float | None) -> tuple[int | None, float | None]:
    """How many different problems RL saw, and how often each of them.

    Args:
        n_unique: Different problems in the set; every one is drawn once before any is drawn again.
        drawn: Problems that the steps drew, repetitions counted; None: not known.

    Returns:
        Both None where one of the numbers is not known, or no problem was drawn.
    """
    if not n_unique or not drawn:
        return None, None
    found = min(n_unique, round(drawn))
    return found, drawn / found
