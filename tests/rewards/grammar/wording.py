"""Answers in words, with labels or names, where order and case may count."""

from random import Random

from tests.rewards.grammar.draft import Draft, Kind, shuffled

_COMPASS = ("north of east", "south of east", "north of west", "south of west", "east of north", "west of south")
_SIDES = (
    "to the left of", "to the right of", "above", "below", "north of", "south of", "east of", "west of", "in front of",
    "behind",
)  # fmt: skip
_NAMES = ("Alice", "Bob", "Carol", "David", "Emma", "Frank", "Grace")
_WORDS = (
    ("isosceles triangle", "equilateral triangle", "right triangle"), ("ellipse", "hyperbola", "parabola"),
    ("Monday", "Tuesday", "Sunday"), ("convergent", "divergent", "bounded"), ("east", "seat", "west"),
    ("the mean", "the median", "the mode"), ("red", "blue", "green"), ("parallelogram", "rhombus", "trapezoid"),
    ("injective", "surjective", "bijective"), ("odd", "even", "prime"), ("acute", "obtuse", "right"),
    ("positive", "negative", "zero"), ("rational", "irrational", "imaginary"), ("January", "June", "July"),
    ("heart", "earth", "hater"),
)  # fmt: skip


def truth(rng: Random) -> Draft:
    yes, no = rng.choice((("Yes", "No"), ("True", "False"), ("yes", "no")))
    if rng.random() < 0.5:
        yes, no = no, yes
    right = (
        yes, f"\\text{{{yes}}}", yes.lower(), yes.upper(), f"\\textbf{{{yes}}}", f"{yes}.", f"\\mathrm{{{yes}}}",
        f"\\text{{ {yes}. }}", f"**{yes}**",
    )  # fmt: skip
    wrong = (
        no, f"\\text{{{no}}}", f"{yes} or {no}", f"{yes}, {no}", "maybe", "1", f"\\text{{{yes} and {no}}}",
        f"Not {yes}", yes[0] + no[1:],
    )  # fmt: skip
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong)


def truths(rng: Random) -> Draft:
    size = rng.choice((2, 3, 4))
    pool = rng.choice((("Yes", "No"), ("True", "False")))
    values = [rng.choice(pool) for _ in range(size)]
    other = values[:]
    place = rng.randrange(size)
    other[place] = pool[1 - pool.index(values[place])]
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    roman = ("i", "ii", "iii", "iv")

    def labelled(content: list[str], labels: tuple[str, ...] = roman, gap: str = " ", join: str = " ") -> str:
        return join.join(f"({label}){gap}{value}" for label, value in zip(labels, content, strict=False))

    if rng.random() < 0.5:
        right = (
            labelled(values), labelled(values, join=", "), f"\\text{{{labelled(values)}}}",
            labelled([f"\\text{{{value}}}" for value in values]), labelled([value.lower() for value in values]),
            labelled(values, join="; "), ", ".join(values),
        )  # fmt: skip
        wrong = (
            labelled(other), labelled(other, join=", "), f"\\text{{{labelled(other)}}}", labelled(values[:-1]),
            ", ".join(other), values[0],
        )  # fmt: skip
    else:
        right = (
            ", ".join(values), f"\\text{{{', '.join(values)}}}", ",".join(values),
            ", ".join(value.lower() for value in values), "; ".join(values),
        )  # fmt: skip
        wrong = (
            ", ".join(other), f"\\text{{{', '.join(other)}}}", values[0], ", ".join(values[:-1]),
            ", ".join([*values, pool[0]]), labelled(other),
        )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def direction(rng: Random) -> Draft:
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    if rng.random() < 0.5:
        n, side = rng.choice([n for n in range(5, 86) if n != 45]), rng.choice(_COMPASS)
        away = rng.choice([one for one in _COMPASS if one != side])
        right = (
            f"{n}^\\circ \\text{{ {side}}}", f"{n} degrees {side}", f"{n}° {side}", f"\\text{{{n} degrees {side}}}",
            f"{n}^\\circ {side}", f"{n}^{{\\circ}}\\text{{ {side}}}",
        )  # fmt: skip
        wrong = (
            f"{n}^\\circ \\text{{ {away}}}", f"{n} degrees {away}", f"{n + 2}^\\circ \\text{{ {side}}}", f"{n}^\\circ",
            side, f"\\text{{{n} degrees {away}}}", str(n), f"{n + 1} degrees {side}",
        )  # fmt: skip
        return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong)
    n, (side, away), point = (
        rng.randint(2, 50), rng.sample(_SIDES, 2), rng.choice(("A", "the origin", "the lens", "the mirror", "B")),
    )  # fmt: skip
    sign, name = rng.choice((("m", "meters"), ("cm", "centimeters"), ("km", "kilometers")))
    right = (
        f"{n} {sign} {side} {point}", f"{n}\\text{{ {sign} {side} {point}}}", f"\\text{{{n} {sign} {side} {point}}}",
        f"{n} {name} {side} {point}", f"{n}\\ \\text{{{sign}}}\\text{{ {side} {point}}}",
    )  # fmt: skip
    wrong = (
        f"{n} {sign} {away} {point}", f"{n}\\text{{ {sign} {away} {point}}}", f"{n + 1} {sign} {side} {point}",
        f"{n} {sign}", f"{n} {'mm' if sign != 'mm' else 'm'} {side} {point}",
        f"\\text{{{n + 3} {sign} {side} {point}}}", f"{n} {sign} {side} Q", f"{n} {name} {away} {point}",
    )  # fmt: skip
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong)


def option(rng: Random) -> Draft:
    letter, another = rng.sample("ABCDE", 2)
    n = rng.randint(2, 90)
    right = (
        letter, f"({letter})", f"\\text{{{letter}}}", f"{letter}.", f"\\textbf{{{letter}}}", f"\\text{{({letter})}}",
        f"\\mathrm{{{letter}}}", f"Option {letter}", f"\\text{{Option {letter}}}", f"\\textbf{{({letter})}}",
        f"({letter}) {n}", f"{letter}) {n}",
    )  # fmt: skip
    wrong = (
        another, f"({another})", f"\\text{{{another}}}", f"{letter}, {another}", f"{letter} or {another}",
        f"{another}.", f"Option {another}", f"({another}) {n}", f"{letter}{another}", "\\text{none}",
        f"\\text{{({letter}) or ({another})}}", "ABCDE",
    )  # fmt: skip
    return Draft(gold=letter, right=right, wrong=wrong)


def options(rng: Random) -> Draft:
    letters = sorted(rng.sample("ABCDE", rng.choice((2, 3))))
    missing = rng.choice([one for one in "ABCDE" if one not in letters])
    swapped = sorted([missing, *letters[1:]])
    right = (
        ", ".join(letters), "".join(letters), ",".join(letters),
        " and ".join(letters) if len(letters) == 2 else ", ".join(letters), f"\\text{{{', '.join(letters)}}}",
        f"\\text{{{''.join(letters)}}}", ", ".join(f"({one})" for one in letters), "; ".join(letters),
    )  # fmt: skip
    wrong = (
        ", ".join(swapped), "".join(swapped), letters[0], ", ".join(sorted([*letters, missing])),
        "".join(sorted([*letters, missing])), letters[-1], missing, f"\\text{{{', '.join(swapped)}}}",
        f"{' or '.join(letters)} or {missing}",
    )  # fmt: skip
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong)


def labelled_parts(rng: Random) -> Draft:
    size = rng.choice((2, 2, 3))
    labels = rng.choice(("abc", ("i", "ii", "iii"), "123"))[:size]
    numbers = rng.sample(range(2, 60), size)
    mixed = [int(one) for one in shuffled(rng, [str(n) for n in numbers])]

    def shown(values: list[int], form: str = "({0}) {1}", join: str = " ") -> str:
        return join.join(form.format(label, value) for label, value in zip(labels, values, strict=True))

    right = (
        shown(numbers), shown(numbers, join=", "), shown(numbers, "\\text{{({0}) }}{1}"),
        shown(numbers, "({0}) ${1}$"), shown(numbers, "({0}): {1}", "; "), shown(numbers, "({0}) {1}", " \\quad "),
        shown(numbers, "({0})\\ {1}", ",\\ "), shown(numbers, "\\textbf{{({0})}} {1}"),
    )  # fmt: skip
    changed = [numbers[0] + 1, *numbers[1:]]
    wrong = (
        shown(mixed), shown(mixed, join=", "), shown(changed), shown(mixed, "\\text{{({0}) }}{1}"), str(numbers[0]),
        str(numbers[-1]), f"({labels[0]}) {numbers[0]}", shown([*numbers[:-1], numbers[-1] * 10]),
        ", ".join(map(str, mixed)),
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def named_values(rng: Random) -> Draft:
    names = rng.choice(
        (
            ("x", "y"),
            ("a", "b"),
            ("\\text{mean}", "\\text{SD}"),
            ("m", "n"),
            ("x", "y", "z"),
            ("A", "B"),
            ("\\alpha", "\\beta"),
            ("p", "q"),
            ("\\max", "\\min"),
            ("mean", "median"),
        )
    )
    numbers = [str(n) for n in rng.sample(range(-20, 60), len(names))]
    mixed = shuffled(rng, numbers)
    changed = [str(int(numbers[0]) + 1), *numbers[1:]]

    def shown(values: list[str], join: str = ", ", sign: str = " = ", back: bool = False) -> str:
        pairs = [f"{name}{sign}{value}" for name, value in zip(names, values, strict=True)]
        return join.join(pairs[::-1] if back else pairs)

    right = (
        shown(numbers), shown(numbers, back=True), shown(numbers, "; "), shown(numbers, " \\text{ and } "),
        shown(numbers, sign="="), shown(numbers, " and ", back=True), shown(numbers, ",\\quad "),
        shown(numbers, ", ", "=", back=True),
    )  # fmt: skip
    wrong = (
        shown(mixed), shown(mixed, back=True), shown(changed), shown(mixed, " \\text{ and } "), numbers[0],
        numbers[-1], f"{names[0]} = {numbers[0]}", shown(mixed, "; "), shown(numbers, " \\text{ or } "),
        f"{names[-1]} = {numbers[-1]}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def one_of_named(rng: Random) -> Draft:
    n, m = rng.sample(range(2, 80), 2)
    one, two = rng.choice(
        (
            ("\\max", "\\min"),
            ("\\text{mean}", "\\text{mode}"),
            ("x", "y"),
            ("f(1)", "f(2)"),
            ("a", "b"),
            ("\\text{max}", "\\text{min}"),
            ("area", "perimeter"),
            ("P(A)", "P(B)"),
            ("max", "min"),
        )
    )
    right = (str(n), f"{one} = {n}", f"{two} = {n}", f"{n}.0")
    wrong = (
        f"{one} = {m}, {two} = {n}", f"{two} = {n}, {one} = {m}", f"{one} = {n}, {two} = {m}", f"{one} = {m}",
        f"{n}, {m}", f"{one} = {n} \\text{{ and }} {two} = {m}", f"{one} = {m}; {two} = {n}",
        f"{two} = {n} \\text{{ or }} {m}",
    )  # fmt: skip
    return Draft(gold=str(n), right=right, wrong=wrong, is_one_value=True)


def order(rng: Random) -> Draft:
    letters = rng.sample("ABCDPQR", 3)
    mixed = shuffled(rng, letters)
    word, wrong_word = "".join(letters), "".join(mixed)
    right = (word, f"\\text{{{word}}}", f"\\mathrm{{{word}}}", f"{word}.")
    wrong = (
        wrong_word, f"\\text{{{wrong_word}}}", word[:2], word + word[0], word[0], f"{word} or {wrong_word}",
        ", ".join(mixed),
    )  # fmt: skip
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong)


def angle_name(rng: Random) -> Draft:
    a, b, c = rng.sample("ABCDPQ", 3)
    right = (f"\\angle {a}{b}{c}", f"\\angle {c}{b}{a}", f"\\angle{{{a}{b}{c}}}", f"∠{a}{b}{c}", f"\\angle {a} {b} {c}")
    wrong = (
        f"\\angle {a}{c}{b}", f"\\angle {b}{a}{c}", f"\\angle {b}{c}{a}", f"\\angle {a}{b}", f"\\triangle {a}{b}{c}",
        f"\\angle {c}{a}{b}", f"2\\angle {a}{b}{c}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def word(rng: Random) -> Draft:
    one, *others = rng.choice(_WORDS)
    two, three = rng.sample(others, 2)
    right = (
        one, f"\\text{{{one}}}", one.upper(), one.capitalize(), f"\\textbf{{{one}}}", f"{one}.", f"\\text{{ {one} }}",
        f"\\mathrm{{{one.replace(' ', '~')}}}" if " " in one else f"\\mathrm{{{one}}}", f"**{one}**",
    )  # fmt: skip
    wrong = (
        two, f"\\text{{{two}}}", three, f"not {one}", f"{one} or {two}", f"\\text{{{one} and {two}}}", one[:2],
        f"{one}, {two}", "\\text{neither}", one[::-1],
    )  # fmt: skip
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong)


def name_list(rng: Random) -> Draft:
    names = rng.sample(_NAMES, rng.choice((2, 3)))
    missing = rng.choice([one for one in _NAMES if one not in names])
    mixed = shuffled(rng, names)
    right = (
        ", ".join(names), ", ".join(mixed), f"\\text{{{', '.join(names)}}}",
        " and ".join(names) if len(names) == 2 else f"{', '.join(names[:-1])} and {names[-1]}",
        f"\\text{{{', '.join(mixed)}}}", ", ".join(names).lower(),
    )  # fmt: skip
    wrong = (
        ", ".join([missing, *names[1:]]), names[0], ", ".join([*names, missing]), f"\\text{{{', '.join(names[1:])}}}",
        missing, "nobody", f"\\text{{{missing} and {names[0]}}}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def remark(rng: Random) -> Draft:
    a, b = rng.sample(range(2, 90), 2)
    one, two = rng.choice((("max", "min"), ("even", "odd"), ("boys", "girls"), ("minimum", "maximum")))
    right = (
        f"{a} ({one}), {b} ({two})", f"{a}\\text{{ ({one})}}, {b}\\text{{ ({two})}}", f"{b} ({two}), {a} ({one})",
        f"{a} \\text{{ ({one}) }}, {b} \\text{{ ({two}) }}",
    )  # fmt: skip
    wrong = (
        f"{b} ({one}), {a} ({two})", f"{a} ({one})", f"{a} ({two}), {b} ({one})", f"{a + 1} ({one}), {b} ({two})",
        str(a), f"{b}\\text{{ ({one})}}, {a}\\text{{ ({two})}}",
    )  # fmt: skip
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong)


def date(rng: Random) -> Draft:
    months = (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    )  # fmt: skip
    year, day = rng.randint(1900, 2030), rng.randint(1, 28)
    month = rng.choice([m for m in range(1, 13) if m != day])
    name = months[month - 1]
    right = (
        f"{name} {day}, {year}", f"{day} {name} {year}", f"{year}-{month:02d}-{day:02d}",
        f"\\text{{{name} {day}, {year}}}", f"{name[:3]} {day}, {year}", f"{year}/{month:02d}/{day:02d}",
    )  # fmt: skip
    wrong = (
        f"{name} {day + 1}, {year}", f"{months[month % 12]} {day}, {year}", f"{name} {day}, {year + 1}",
        f"{year}-{month:02d}-{day + 1:02d}", f"{year}", f"{year}-{day:02d}-{month:02d}", f"{name}",
        f"\\text{{{name} {day}, {year - 1}}}", str(year - month - day),
    )  # fmt: skip
    return Draft(gold=rng.choice((right[0], right[2])), right=right, wrong=wrong)


def clock(rng: Random) -> Draft:
    hour, minute, half = rng.randint(1, 11), rng.randint(10, 58), rng.choice(("AM", "PM"))
    away = "PM" if half == "AM" else "AM"
    right = (
        f"{hour}:{minute} {half}", f"{hour}:{minute}\\text{{ {half}}}", f"{hour}:{minute} {half[0].lower()}.m.",
        f"\\text{{{hour}:{minute} {half}}}", f"{hour}:{minute}{half.lower()}", f"{hour:02d}:{minute} {half}",
    )  # fmt: skip
    wrong = (
        f"{hour}:{minute + 1} {half}", f"{hour + 1}:{minute} {half}", f"{hour}:{minute} {away}", f"{minute}:{hour}",
        f"{hour}\\text{{ {half}}}", f"\\text{{{hour}:{minute} {away}}}", f"{hour}.{minute}",
    )  # fmt: skip
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong)


def quantified(rng: Random) -> Draft:
    n, m = rng.sample(range(2, 50), 2)
    right = (
        f"f(x) = {n}x", f"f(x) = {n}x \\text{{ for all }} x", f"f(x) = {n}x \\text{{ for all real }} x",
        f"f(x) = {n}x, \\forall x \\in \\mathbb{{R}}", f"{n}x", f"f(x) = {n}x \\text{{ for every real number }} x",
        f"f(x) = {n}x \\text{{ only}}",
    )  # fmt: skip
    wrong = (
        f"f(x) = {m}x \\text{{ for all }} x", f"f(x) = {n}x \\text{{ for all }} x > {m}",
        f"f(x) = {n}x \\text{{ for all }} x \\ge 0", f"f(x) = {n}x \\text{{ for some }} x",
        f"f(x) = {n}x, \\forall x > 0", f"f(x) = {n}x \\text{{ for no }} x", f"f(x) = {n}x \\text{{ where }} x = {m}",
        f"f(x) = {n}x \\text{{ with }} x < {m}", f"f(x) = {n}x \\text{{ for all integers }} x > {m}",
        f"f(x) = {n}x \\text{{ for all }} x \\ne {m}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


KINDS: dict[str, Kind] = {
    "truth value": truth,
    "truth values": truths,
    "direction": direction,
    "option": option,
    "options": options,
    "labelled parts": labelled_parts,
    "named values": named_values,
    "one of named values": one_of_named,
    "order of letters": order,
    "name of an angle": angle_name,
    "word": word,
    "list of names": name_list,
    "remark": remark,
    "date": date,
    "clock": clock,
    "quantifier": quantified,
}
