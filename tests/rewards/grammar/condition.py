"""Conditions: inequalities, on several variables, chains, cases."""

from itertools import pairwise
from random import Random

from tests.rewards.grammar.draft import Draft, Kind, added, shuffled, term

_FLIPPED = {"<": ">", ">": "<", "\\le": "\\ge", "\\ge": "\\le"}
_STRICT = {"<": "\\le", ">": "\\ge", "\\le": "<", "\\ge": ">"}
_SPELLINGS = {
    "<": ("<", "\\lt"), ">": (">", "\\gt"), "\\le": ("\\le", "\\leq", "\\leqslant", "≤"),
    "\\ge": ("\\ge", "\\geq", "\\geqslant", "≥"),
}  # fmt: skip


def _interval(relation: str, n: int) -> str:
    return {"<": f"(-\\infty, {n})", ">": f"({n}, \\infty)", "\\le": f"(-\\infty, {n}]", "\\ge": f"[{n}, \\infty)"}[
        relation
    ]


def inequality(rng: Random) -> Draft:
    x, n, relation = rng.choice("xxxakmtn"), rng.randint(-20, 20), rng.choice(list(_FLIPPED))
    spelling = rng.choice(_SPELLINGS[relation])
    right = (
        f"{x} {relation} {n}", f"{x} {spelling} {n}", f"{n} {_FLIPPED[relation]} {x}", _interval(relation, n),
        f"{x} \\in {_interval(relation, n)}", f"\\{{{x} \\mid {x} {relation} {n}\\}}", f"2{x} {relation} {2 * n}",
        f"-{x} {_FLIPPED[relation]} {-n}", f"\\{{{x} : {x} {relation} {n}\\}}",
        f"{x} - {n} {relation} 0" if n > 0 else f"{x} + {-n} {relation} 0", f"\\text{{all }} {x} {relation} {n}",
        f"{x}{spelling} {n}",
    )  # fmt: skip
    wrong = (
        f"{x} {_FLIPPED[relation]} {n}", f"{x} {_STRICT[relation]} {n}", f"{x} {relation} {n + 1}",
        f"y {relation} {n}", f"{x} = {n}", f"{n} {relation} {x}", _interval(_STRICT[relation], n),
        _interval(_FLIPPED[relation], n), f"{x} \\ne {n}", str(n), _interval(relation, n - 1),
        f"{x} {relation} {-n if n else 3}", "\\mathbb{R}", "\\emptyset", f"{n - 3} < {x} < {n}",
        f"{x} {relation} {n} \\text{{ or }} {x} = {n + (5 if relation in ('<', chr(92) + 'le') else -5)}",
        f"{x}^2 {relation} {n}",
    )  # fmt: skip
    if rng.random() < 0.3:  # an interval does not say whose it is
        return Draft(gold=right[3], right=right, wrong=tuple(one for one in wrong if not one.startswith("y")))
    return Draft(gold=right[0], right=right, wrong=wrong)


def several_variables(rng: Random) -> Draft:
    names = rng.sample("xyzabcmn", rng.choice((2, 2, 3)))
    relations = [rng.choice(list(_FLIPPED)) for _ in names]
    numbers = rng.sample(range(-9, 20), len(names))
    parts = [f"{name} {relation} {n}" for name, relation, n in zip(names, relations, numbers, strict=True)]
    mixed = shuffled(rng, parts)
    turned = [f"{n} {_FLIPPED[relation]} {name}" for name, relation, n in zip(names, relations, numbers, strict=True)]
    rotated = [*names[1:], names[0]]
    right = (
        ", ".join(parts), ", ".join(mixed), " \\text{ and } ".join(mixed), " and ".join(parts), ", ".join(turned),
        ",".join(part.replace(" ", "") if "\\" not in part else part for part in mixed),
        ", ".join([turned[0], *parts[1:]]), "; ".join(parts), " \\land ".join(parts),
        ", ".join(part.replace("\\le ", "\\leq ").replace("\\ge ", "\\geq ") for part in mixed),
    )  # fmt: skip
    wrong = (
        ", ".join(parts[1:]), parts[0],
        ", ".join(f"{name} {relation} {n}" for name, relation, n in zip(rotated, relations, numbers, strict=True)),
        ", ".join([f"{names[0]} {_FLIPPED[relations[0]]} {numbers[0]}", *parts[1:]]),
        ", ".join([f"{names[0]} {_STRICT[relations[0]]} {numbers[0]}", *parts[1:]]),
        ", ".join([f"{names[0]} {relations[0]} {numbers[0] + 1}", *parts[1:]]), _interval(relations[0], numbers[0]),
        " \\text{ or } ".join(parts), ", ".join([f"w {relations[0]} {numbers[0]}", *parts[1:]]),
    )  # fmt: skip
    return Draft(gold=rng.choice((right[0], right[2])), right=right, wrong=wrong)


def chain(rng: Random) -> Draft:
    names = rng.sample("abcdpqr", rng.choice((3, 3, 4)))
    mixed = shuffled(rng, names)
    right = (
        " < ".join(names), " > ".join(names[::-1]), "<".join(names), " \\lt ".join(names),
        ", ".join(f"{one} < {two}" for one, two in pairwise(names)),
    )  # fmt: skip
    wrong = (
        " < ".join(mixed), " < ".join(names[:-1]), " > ".join(names), " < ".join(names[1:]), " \\le ".join(names),
        f"{' < '.join(names[:-1])}, {names[-1]}", ", ".join(names), f"{' < '.join(names[:-1])} = {names[-1]}",
        " > ".join(mixed[::-1]), f"{names[0]} < {names[1]}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def excluded(rng: Random) -> Draft:
    a, b = rng.sample(range(-9, 10), 2)
    right = (
        f"x \\ne {a}", f"x \\neq {a}", f"\\mathbb{{R}} \\setminus \\{{{a}\\}}",
        f"(-\\infty, {a}) \\cup ({a}, \\infty)", f"x < {a} \\text{{ or }} x > {a}",
        f"x \\in \\mathbb{{R}} \\setminus \\{{{a}\\}}", f"x ≠ {a}",
    )  # fmt: skip
    wrong = (
        f"x \\ne {b}", f"x = {a}", "\\mathbb{R}", f"x > {a}", f"\\{{{a}\\}}", f"x \\ne {a}, {b}",
        f"\\mathbb{{R}} \\setminus \\{{{b}\\}}", f"y \\ne {a}", str(a), f"(-\\infty, {a}] \\cup ({a}, \\infty)",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def cases(rng: Random) -> Draft:
    n, a, b = rng.randint(-5, 5), rng.choice([k for k in range(-5, 6) if k]), rng.choice([k for k in range(-5, 6) if k])
    k = rng.choice([k for k in range(1, 5) if a * n + k != b * n * n])  # the two do not meet where they change
    first, second = term(a, "x") + added(k, ""), term(b, "x^2")

    def shown(rows: list[tuple[str, str]], join: str = " & ", head: str = "f(x) = ") -> str:
        return (
            head + "\\begin{cases} " + " \\\\ ".join(f"{value}{join}{when}" for value, when in rows) + " \\end{cases}"
        )

    rows = [(first, f"x \\ge {n}"), (second, f"x < {n}")]
    right = (
        shown(rows), shown(rows, head=""), shown(rows[::-1]), shown(rows, " & \\text{if } "), shown(rows, ", & "),
        shown(rows, " & \\text{for } "), shown([(first, f"{n} \\le x"), (second, f"{n} > x")]),
        shown([(first, f"x \\geq {n}"), rows[1]], " \\text{ if } "), shown([rows[0], (second, "\\text{otherwise}")]),
    )  # fmt: skip
    wrong = (
        shown([(second, rows[0][1]), (first, rows[1][1])]), shown([(first, f"x > {n}"), (second, f"x \\le {n}")]),
        shown([(first, f"x \\ge {n + 1}"), (second, f"x < {n + 1}")]), shown(rows[:1]), first, f"f(x) = {first}",
        shown([(f"{first} + 1", rows[0][1]), rows[1]]),
        shown([rows[0], (f"-{second}" if b > 0 else second[1:], rows[1][1])]),
        shown([(first, f"x < {n}"), (second, f"x \\ge {n}")]),
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


KINDS: dict[str, Kind] = {
    "inequality": inequality,
    "conditions on variables": several_variables,
    "chain of names": chain,
    "excluded value": excluded,
    "cases": cases,
}
