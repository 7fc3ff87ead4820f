"""Whole responses that end in GSM8K's `#### 42`."""

from random import Random

from tests.rewards.grammar.draft import Draft, Kind


def line(rng: Random) -> Draft:
    n = rng.randint(2, 5000)
    a = rng.randint(1, n - 1)
    work = rng.choice(("", "She has more.\n", "3 + 4 = <<3+4=7>>7 apples.\n", "First, <think>hm</think>"))
    comma = f"{n:,}"
    right = (
        f"#### {n}", f"#### {comma}", f"#### ${n}", f"#### \\${n}", f"#### {n}.", f"#### {n}.00", f"#### {n} apples",
        f"#### {n} dollars", f"#### **{n}**", f"#### The answer is {n}", f"#### x = {n}", f"#### {a} + {n - a} = {n}",
        f"#### {n - a}\n#### {n}", f"#### {n} apples are left.", f"####{n}", f"#### {n}\n", f"#### {2 * n}/2",
        f"#### Answer: {n}.", f"#### {n}%",
    )  # fmt: skip
    wrong = (
        f"#### {n + 1}", f"#### {n} or {n + 1}", f"#### {n}, {n + 1}", f"#### {n} and {n + 3}", f"#### {n}/2",
        f"#### {n}^2", f"#### {n}e3", f"#### -{n}", f"#### {n} million", f"#### {n}.5", f"#### {n} - 1", f"{n}",
        f"The answer is {n}.", f"#### {n}\n#### {n + 1}", f"#### {n} thousand", f"#### not {n}", f"#### {n} billion",
        f"#### {n} x 2", f"#### {n} times 2", f"#### {n}. No, {n + 1}", f"#### {n} hundred", f"#### x = {n + 1}",
        f"#### {n}{n}", f"#### between {n - 1} and {n}", f"#### {n} dozen", f"#### {n} + 1 apples",
    )  # fmt: skip
    return Draft(
        gold=str(n), right=tuple(work + one for one in right), wrong=tuple(work + one for one in wrong), is_whole=True
    )


KINDS: dict[str, Kind] = {"final line": line}
