"""Answers that hold several things: intervals, sets, lists, tuples, matrices."""
# ruff: noqa: RUF001 - answers have such signs

from random import Random

from tests.rewards.grammar.draft import Draft, Kind, proper, shuffled, tex


def interval(rng: Random) -> Draft:
    a = rng.randint(-9, 8)
    b = rng.randint(a + 2, a + 12)
    left, right_end = rng.choice("(["), rng.choice(")]")
    below, above = ("<" if left == "(" else "\\le"), ("<" if right_end == ")" else "\\le")
    french = {"(": "]", "[": "["}[left], {")": "[", "]": "]"}[right_end]
    right = (
        f"{left}{a}, {b}{right_end}", f"{left}{a},{b}{right_end}", f"\\left{left}{a}, {b}\\right{right_end}",
        f"{a} {below} x {above} {b}", f"x \\in {left}{a}, {b}{right_end}", f"{french[0]}{a}, {b}{french[1]}",
        f"\\{{x : {a} {below} x {above} {b}\\}}", f"\\{{x \\mid {a} {below} x {above} {b}\\}}",
        f"{left}{a}; {b}{right_end}",
        f"{b} {above.replace('le', 'ge').replace('<', '>')} x {below.replace('le', 'ge').replace('<', '>')} {a}",
        f"{a}{below}x{above}{b}".replace("\\lex", "\\le x"),
        f"{a} {below.replace('le', 'leq')} x {above.replace('le', 'leqslant')} {b}",
    )  # fmt: skip
    flip_left, flip_right = ("[" if left == "(" else "("), ("]" if right_end == ")" else ")")
    wrong = (
        f"{flip_left}{a}, {b}{right_end}", f"{left}{a}, {b}{flip_right}", f"{left}{a - 1}, {b}{right_end}",
        f"{left}{a}, {b + 1}{right_end}",
        f"{left}{-b}, {-a}{right_end}" if a + b else f"{left}{a}, {b + 2}{right_end}", f"\\{{{a}, {b}\\}}",
        f"x {above} {b}", f"{left}{a}, \\infty)", f"(-\\infty, {b}{right_end}", f"{a}", f"{b - a}",
        f"(-\\infty, {a}) \\cup ({b}, \\infty)", f"{left}{a}, {b}{right_end} \\cup \\{{{b + 3}\\}}",
        f"{left}{a}, {a + 1}{right_end}", f"{left}{b}, {a}{right_end}",
    )  # fmt: skip
    return Draft(gold=rng.choice((right[0], right[0], right[3])), right=right, wrong=wrong)


def union(rng: Random) -> Draft:
    a = rng.randint(-9, 5)
    b = rng.randint(a + 1, a + 9)
    left, right_end = rng.choice("(["), rng.choice(")]")
    first, second = f"(-\\infty, {a}{right_end}", f"{left}{b}, \\infty)"
    less, more = ("<" if right_end == ")" else "\\le"), (">" if left == "(" else "\\ge")
    right = (
        f"{first} \\cup {second}", f"{second} \\cup {first}", f"x {less} {a} \\text{{ or }} x {more} {b}",
        f"x{less} {a} or x{more} {b}", f"x \\in {first} \\cup {second}",
        f"{first.replace(' ', '')}\\cup{second.replace(' ', '')}",
        f"\\left{first[:-1]}\\right{right_end} \\cup \\left{second[:-1]}\\right)",
        f"x {more} {b} \\text{{ or }} x {less} {a}", f"{first} \\bigcup {second}", f"{first} ∪ {second}",
    )  # fmt: skip
    wrong = (
        first, second, f"{first} \\cap {second}", f"(-\\infty, {a - 1}{right_end} \\cup {second}",
        f"{first} \\cup {left}{b + 1}, \\infty)", f"{left}{a}, {b}{right_end}",
        f"x {less} {a} \\text{{ and }} x {more} {b}", "(-\\infty, \\infty)",
        f"x {more} {a} \\text{{ or }} x {less} {b}",
        f"(-\\infty, {a}{')' if right_end == ']' else ']'} \\cup {second}",
        f"{first} \\cup {'[' if left == '(' else '('}{b}, \\infty)", f"x {less} {a} \\text{{ or }} y {more} {b}",
        f"x {less} {a}", f"\\mathbb{{R}} \\setminus \\{{{a}, {b}\\}}",
    )  # fmt: skip
    return Draft(gold=rng.choice((right[0], right[0], right[2])), right=right, wrong=wrong)


def _numbers(rng: Random, least: int = 2, most: int = 5) -> list[str]:
    found: list[str] = []
    pool = [str(n) for n in range(-20, 60)]
    for _ in range(rng.randint(least, most)):
        found.append(rng.choice([one for one in pool if one not in found]))
    return found


def _changed(rng: Random, things: list[str]) -> list[str]:
    place = rng.randrange(len(things))
    new = rng.choice([str(n) for n in range(61, 99)])
    return [*things[:place], new, *things[place + 1 :]]


def number_set(rng: Random) -> Draft:
    items = _numbers(rng)
    mixed = shuffled(rng, items)
    right = (
        f"\\{{{', '.join(items)}\\}}", f"\\{{{', '.join(mixed)}\\}}", f"\\left\\{{{','.join(mixed)}\\right\\}}",
        ", ".join(mixed), f"S = \\{{{', '.join(mixed)}\\}}", f"x \\in \\{{{', '.join(items)}\\}}",
        f"\\lbrace {', '.join(items)} \\rbrace", f"\\{{{'; '.join(mixed)}\\}}",
        " \\text{ and ".join(mixed[:1]) + "".join(f", {one}" for one in mixed[1:]),
    )  # fmt: skip
    wrong = (
        f"\\{{{', '.join(items[1:])}\\}}", f"\\{{{', '.join([*items, '77'])}\\}}",
        f"\\{{{', '.join(_changed(rng, items))}\\}}", ", ".join(_changed(rng, mixed)), items[0], f"\\{{{items[0]}\\}}",
        f"{len(items)}", "\\emptyset", f"\\{{{', '.join(_negated(items))}\\}}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def _negated(items: list[str]) -> list[str]:
    """With one number's sign changed, so that it is another set."""
    for at, one in enumerate(items):
        flipped = str(-int(one))
        if flipped not in items:
            return [*items[:at], flipped, *items[at + 1 :]]
    return [*items[:-1], "77"]


def number_list(rng: Random) -> Draft:
    items = _numbers(rng)
    mixed = shuffled(rng, items)
    last = f"{', '.join(mixed[:-1])} \\text{{ and }} {mixed[-1]}"
    right = (
        ", ".join(items), ", ".join(mixed), ",".join(mixed), last, f"{', '.join(mixed[:-1])} and {mixed[-1]}",
        f"\\{{{', '.join(mixed)}\\}}", f"x = {', '.join(mixed)}", ", ".join(f"x = {one}" for one in mixed),
        " \\text{ or } ".join(f"x = {one}" for one in mixed), " or ".join(f"x={one}" for one in mixed),
        "; ".join(mixed), f"x_1 = {mixed[0]}, " + ", ".join(f"x_{i} = {one}" for i, one in enumerate(mixed[1:], 2)),
        f"{', '.join(mixed[:-1])}, \\text{{ and }} {mixed[-1]}",
    )  # fmt: skip
    changed = _changed(rng, items)
    wrong = (
        ", ".join(items[1:]), items[0], ", ".join([*items, "77"]), ", ".join(changed), f"x = {items[0]}",
        " \\text{ or } ".join(f"x = {one}" for one in changed), ", ".join(_negated(items)), "+".join(items),
        f"\\{{{', '.join(changed)}\\}}", f"{items[0]}, {items[0]}", ", ".join(f"x = {one}" for one in items[1:]),
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def plus_minus(rng: Random) -> Draft:
    n, root = rng.randint(2, 20), rng.choice((2, 3, 5, 7))
    value = rng.choice((str(n), f"\\sqrt{{{root}}}", f"{n}\\sqrt{{{root}}}"))
    right = (
        f"\\pm {value}", f"{value}, -{value}", f"-{value}, {value}", f"x = \\pm {value}",
        f"-{value} \\text{{ and }} {value}", f"\\pm{{{value}}}", f"\\{{-{value}, {value}\\}}",
        f"x = {value} \\text{{ or }} x = -{value}", f"±{value}",
    )  # fmt: skip
    wrong = (
        value, f"-{value}", f"\\pm {value}1", f"{value}, {value}", f"\\pm (1 + {value})", f"{value}, -1 - {value}",
        f"\\pm i{value}", f"0, {value}, -{value}",
    )  # fmt: skip
    return Draft(
        gold=rng.choice(right[:2]),
        right=right,
        wrong=tuple(t for t in wrong if t != f"\\pm {value}1" or value.isdigit()),
    )


def ordered(rng: Random) -> Draft:
    items = _numbers(rng, 2, 4)
    value = proper(rng, 9)
    if rng.random() < 0.4:
        items[0] = tex(value)
    mixed = shuffled(rng, items)
    inner = ", ".join(items)
    names, spaced = ", ".join("xyzw"[: len(items)]), ",\\,"
    right = (
        f"({inner})", f"({','.join(items)})", f"\\left({inner}\\right)", f"\\left( {inner} \\right)",
        f"({names}) = ({inner})", f"\\bigl({inner}\\bigr)", f"({inner.replace(', ', spaced)})",
        f"\\text{{({inner})}}" if "frac" not in inner else f"( {inner} )",
    )  # fmt: skip
    wrong = (
        f"({', '.join(mixed)})", f"({', '.join(_changed(rng, items))})", f"({', '.join(items[:-1])})", f"({inner}, 0)",
        items[0], f"({', '.join(_negative_one(items))})", f"({names}) = ({', '.join(mixed)})", f"({'; '.join(mixed)})",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def _negative_one(items: list[str]) -> list[str]:
    """With the sign of one that is not 0 changed."""
    at = next(at for at, one in enumerate(items) if one != "0")
    flipped = items[at][1:] if items[at].startswith("-") else f"-{items[at]}"
    return [*items[:at], flipped, *items[at + 1 :]]


def points(rng: Random) -> Draft:
    some = [f"({', '.join(pair)})" for pair in {tuple(_numbers(rng, 2, 2)) for _ in range(3)}]
    some.sort()
    if len(some) < 2:
        return points(rng)
    mixed = shuffled(rng, some)
    swapped = [f"({one[1:-1].partition(', ')[2]}, {one[1:-1].partition(', ')[0]})" for one in some]
    right = (
        ", ".join(some), ", ".join(mixed), f"\\{{{', '.join(mixed)}\\}}",
        " \\text{ and } ".join(mixed) if len(mixed) == 2 else ", ".join(mixed), f"(x, y) = {', '.join(mixed)}",
        "; ".join(mixed), f"{', '.join(mixed[:-1])} and {mixed[-1]}",
    )  # fmt: skip
    wrong: tuple[str, ...] = (
        some[0], ", ".join(some[1:]), ", ".join([swapped[0], *some[1:]]), ", ".join([*some, "(71, 72)"]),
        ", ".join([*some[1:], "(71, 72)"]),
    )  # fmt: skip
    wrong = tuple(text for text in wrong if swapped[0] not in some or text != ", ".join([swapped[0], *some[1:]]))
    return Draft(gold=right[0], right=right, wrong=wrong)


def matrix(rng: Random) -> Draft:
    rows, columns = rng.choice(((2, 2), (2, 3), (3, 3), (2, 1), (3, 1)))
    cells = [[rng.randint(-9, 9) for _ in range(columns)] for _ in range(rows)]

    def shown(content: list[list[int]], kind: str = "pmatrix", gap: str = " & ", end: str = " \\\\ ") -> str:
        head = f"\\begin{{{kind}}}" + (f"{{{'c' * len(content[0])}}}" if kind == "array" else "")
        return f"{head} {end.join(gap.join(map(str, row)) for row in content)} \\end{{{kind}}}"

    changed = [row[:] for row in cells]
    changed[rng.randrange(rows)][rng.randrange(columns)] += rng.choice((1, -1, 5))
    negated = [[-one for one in row] for row in cells]
    if not any(map(any, cells)):
        return matrix(rng)
    transposed = [list(row) for row in zip(*cells, strict=True)]
    right = (
        shown(cells), shown(cells, "bmatrix"), shown(cells, gap="&", end="\\\\"), f"A = {shown(cells)}",
        f"\\left({shown(cells, 'matrix')}\\right)", f"\\left[{shown(cells, 'array')}\\right]",
        shown(cells).replace("} ", "}\n", 1),
    )  # fmt: skip
    wrong = [
        shown(changed), shown(negated), shown(cells[:-1]), shown(changed, "bmatrix"), shown([*cells, cells[0]]),
        str(cells[0][0]), f"2{shown(cells)}",
    ]  # fmt: skip
    if transposed != cells:
        wrong.append(shown(transposed))
    if cells[::-1] != cells:
        wrong.append(shown(cells[::-1]))
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=tuple(wrong))


def letter_set(rng: Random) -> Draft:
    letters = sorted(rng.sample("abcdefgh", rng.randint(2, 4)))
    mixed = shuffled(rng, letters)
    missing = next(one for one in "abcdefghi" if one not in letters)
    right = (
        f"\\{{{', '.join(letters)}\\}}", f"\\{{{', '.join(mixed)}\\}}", f"\\{{{','.join(mixed)}\\}}",
        f"\\left\\{{{', '.join(mixed)}\\right\\}}",
    )  # fmt: skip
    wrong = (
        f"\\{{{', '.join(letters[1:])}\\}}", f"\\{{{', '.join([missing, *letters[1:]])}\\}}",
        f"\\{{{', '.join([*letters, missing])}\\}}", letters[0], "\\emptyset",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


KINDS: dict[str, Kind] = {
    "interval": interval,
    "union of intervals": union,
    "set": number_set,
    "list": number_list,
    "plus or minus": plus_minus,
    "tuple": ordered,
    "points": points,
    "matrix": matrix,
    "set of letters": letter_set,
}
