"""Quantities: units, money, degrees, compound quantities, counters of other scripts."""

from fractions import Fraction
from random import Random

from tests.rewards.grammar.draft import Draft, Kind

# By dimension: sign, names, size in the smallest of the row.
_FAMILIES: tuple[tuple[tuple[str, str, int], ...], ...] = (
    (("mm", "millimeters", 1), ("cm", "centimeters", 10), ("m", "meters", 1_000), ("km", "kilometers", 1_000_000)),
    (("g", "grams", 1), ("kg", "kilograms", 1_000)),
    (("s", "seconds", 1), ("min", "minutes", 60), ("h", "hours", 3_600)),
    (("mL", "milliliters", 1), ("L", "liters", 1_000)),
    (("cm^2", "square centimeters", 1), ("m^2", "square meters", 10_000)),
    (("cm^3", "cubic centimeters", 1), ("m^3", "cubic meters", 1_000_000)),
    (("m/s", "meters per second", 18), ("km/h", "kilometers per hour", 5)),
    (("J", "joules", 1), ("kJ", "kilojoules", 1_000)),
    (("W", "watts", 1), ("kW", "kilowatts", 1_000)),
)
_COMPOUNDS = (
    ("hours", "minutes", 60, "h", "min"), ("minutes", "seconds", 60, "min", "s"), ("feet", "inches", 12, "ft", "in"),
    ("meters", "centimeters", 100, "m", "cm"), ("kilograms", "grams", 1000, "kg", "g"),
    ("days", "hours", 24, "days", "h"), ("kilometers", "meters", 1000, "km", "m"),
    ("weeks", "days", 7, "weeks", "days"),
)  # fmt: skip

_COUNTERS = (
    "个",
    "人",
    "件",
    "本",
    "只",
    "张",
    "枚",
    "次",
    "個",
    "冊",
    "匹",
    "回",
    "つ",
    "개",
    "명",
    "번",
    "권",
    "마리",
    "대",
    "раз",
    "человек",
    "штук",
    "яблок",
    "способов",
    "шт",
)
_FOREIGN_UNITS = {
    "m": ("米", "メートル", "미터", "м", "метров"), "cm": ("厘米", "センチメートル", "센티미터", "см"),
    "km": ("千米", "公里", "キロメートル", "킬로미터", "км"), "kg": ("千克", "公斤", "キログラム", "킬로그램", "кг"),
    "min": ("分钟", "분", "минут"), "h": ("小时", "時間", "시간", "часов"), "s": ("秒", "초", "секунд"),
}  # fmt: skip
_THINGS = ("apples", "people", "students", "ways", "coins", "tickets", "books", "cards", "marbles", "games")


def unit(rng: Random) -> Draft:
    family = rng.choice(_FAMILIES)
    sign, name, size = rng.choice(family)
    n = rng.randint(2, 400)
    right = [
        f"{n}\\text{{ {sign}}}" if "^" not in sign else f"{n}\\text{{ {sign[:-2]}}}^{sign[-1]}",
        f"{n}\\ \\mathrm{{{sign}}}", f"{n}", f"{n} {sign}", f"{n}\\text{{ {name}}}", f"{n} {name}",
        f"{n}\\,\\text{{{sign}}}", f"{n}~\\text{{{name}}}", f"{n}.0\\text{{ {name}}}", f"x = {n}\\text{{ {name}}}",
        f"\\text{{{n} {name}}}", f"{n}\\;\\mathrm{{{sign}}}",
    ]  # fmt: skip
    wrong = [
        f"{n + 1}\\text{{ {name}}}", f"{n + 1}", f"{n * 10} {sign}", f"{n - 1} {sign}", f"-{n}\\text{{ {name}}}",
        f"{n}^2", f"{n}\\text{{ kelvin}}",
        f"{n}\\text{{ {'kilograms' if size != 1000 or sign != 'kg' else 'meters'}}}", f"\\text{{{name}}}",
    ]  # fmt: skip
    if sign == "kg":
        wrong.remove(f"{n}\\text{{ kilograms}}") if f"{n}\\text{{ kilograms}}" in wrong else None
    for other_sign, other_name, other_size in family:
        if other_sign == sign:
            continue
        wrong += [
            f"{n}\\text{{ {other_name}}}",
            f"{n} {other_sign}",
            f"{n}\\ \\mathrm{{{other_sign}}}",
            f"{n} {other_name}",
        ]
        there = Fraction(n * size, other_size)
        if there.denominator == 1 and there < 10**7:
            right += [f"{there}\\text{{ {other_name}}}", f"{there} {other_sign}"]
            wrong.append(f"{there}")
    return Draft(gold=rng.choice(right[:2]), right=tuple(right), wrong=tuple(wrong), is_one_value=True)


def forgiven_unit(rng: Random) -> Draft:
    sign, name, _ = rng.choice(rng.choice(_FAMILIES))
    thing = rng.choice(_THINGS)
    n = rng.randint(2, 400)
    right = (
        f"{n}\\text{{ {sign}}}", f"{n} {sign}", f"{n}\\text{{ {name}}}", f"{n} {name}", f"{n}\\,\\mathrm{{{sign}}}",
        f"{n}\\text{{ {thing}}}", f"{n} {thing}", f"x = {n} {name}", f"\\${n}", f"{n}^\\circ", f"{n}\\text{{ dollars}}",
    )  # fmt: skip
    wrong = (
        f"{n + 1}\\text{{ {sign}}}", f"{n + 1} {sign}", f"{n - 1}\\text{{ {name}}}", f"{10 * n} {name}",
        f"-{n} {sign}", f"{n + 2}\\text{{ {thing}}}", f"{n + 2} {thing}", f"\\${n + 1}", f"{n + 1}^\\circ",
        f"{n}\\text{{ thousand }}{thing}", f"{n}\\text{{ dozen }}{thing}", f"{n}/2\\text{{ {name}}}",
        f"{n} {thing} and {n + 1} {thing}",
    )  # fmt: skip
    return Draft(gold=str(n), right=right, wrong=wrong, is_one_value=True)


def compound(rng: Random) -> Draft:
    big, small, size, b, s = rng.choice(_COMPOUNDS)
    n, k = rng.randint(2, 20), rng.randint(2, min(size - 1, 99))
    total = n * size + k
    right = (
        f"{n}\\text{{ {big} }}{k}\\text{{ {small}}}", f"{n} {big} {k} {small}", f"{n} {big} and {k} {small}",
        f"{n}\\text{{ {b} }}{k}\\text{{ {s}}}", f"{n} {b} {k} {s}", f"{total}\\text{{ {small}}}", f"{total} {small}",
        f"{n}\\text{{ {big} and }}{k}\\text{{ {small}}}", f"\\text{{{n} {big} {k} {small}}}",
        f"{n} {big}, {k} {small}", f"{n}\\ \\mathrm{{{b}}}\\ {k}\\ \\mathrm{{{s}}}", f"{total}\\ \\mathrm{{{s}}}",
        f"\\text{{{n} {big} and {k} {small}}}",
    )  # fmt: skip
    wrong = (
        f"{n} {big} {k + 1 if k + 1 < size else k - 1} {small}", f"{n + 1} {big} {k} {small}", f"{n} {big}",
        f"{k} {small}", f"{k} {big} {n} {small}" if k != n else f"{k + 1} {big} {n} {small}", f"{total + 1} {small}",
        f"{total} {big}", f"{n}\\text{{ {b} }}{k - 1}\\text{{ {s}}}", f"{n + k}", f"{n} {big} or {k} {small}",
        f"{n + 1}\\text{{ {b} }}{k}\\text{{ {s}}}",
        f"{n}\\text{{ {small} }}{k}\\text{{ {big}}}" if n != k else f"{n + 1} {big}",
    )  # fmt: skip
    return Draft(gold=rng.choice((right[0], right[1])), right=right, wrong=wrong, is_one_value=True)


def money(rng: Random) -> Draft:
    n = rng.randint(2, 400)
    cents = rng.choice((0, 0, 25, 50, 75, 99, 45))
    amount = f"{n}.{cents:02d}" if cents else str(n)
    right = [
        f"\\${amount}", f"{amount}", f"${amount}", f"\\$ {amount}", f"{amount} dollars", f"{amount}\\text{{ dollars}}",
        f"\\text{{\\${amount}}}", f"\\${n}.{cents:02d}", f"{100 * n + cents}\\text{{ cents}}", f"US\\${amount}",
        f"{amount}\\$", f"USD {amount}", f"{amount} USD", f"\\mathrm{{\\${amount}}}",
    ]  # fmt: skip
    wrong = [
        f"\\${n + 1}", f"{amount} cents", f"{amount}¢", f"€{amount}", f"{amount}\\text{{ euros}}", f"\\${100 * n}",
        f"£{amount}", f"{n + 1} dollars", f"-\\${amount}", f"{100 * n + cents}", f"{100 * n + cents} dollars",
        f"\\${amount} or \\${n + 1}", f"{100 * n + cents + 1} cents", f"{amount}\\text{{ yen}}", f"¥{amount}",
        f"{amount}\\text{{ thousand dollars}}",
    ]  # fmt: skip
    return Draft(gold=right[0], right=tuple(right), wrong=tuple(wrong), is_one_value=True)


def degrees(rng: Random) -> Draft:
    n = rng.choice((15, 20, 30, 36, 45, 60, 72, 75, 90, 120, 135, 144, 150))
    turn = Fraction(n, 180)
    radians = f"\\frac{{{'' if turn.numerator == 1 else turn.numerator}\\pi}}{{{turn.denominator}}}"
    right = (
        f"{n}^\\circ", f"{n}", f"{n}^{{\\circ}}", f"{n} degrees", f"{n}\\text{{ degrees}}", f"{n}°", radians,
        f"{n}\\degree", f"\\angle A = {n}^\\circ", f"{n}.0^\\circ", f"{radians}\\text{{ rad}}", f"{n}\\text{{°}}",
        f"\\theta = {n}^\\circ",
    )  # fmt: skip
    wrong = (
        f"{n + 1}^\\circ", f"{n - 5}^\\circ", f"{n}\\text{{ rad}}", f"{n} radians", f"{n + 1}", f"-{n}^\\circ",
        f"{n * 2}^\\circ", f"\\frac{{\\pi}}{{{n}}}", f"{180 - n if n != 90 else 91}^\\circ", f"{n}\\pi",
        f"{radians}^\\circ", f"2{radians}", f"{n}^2",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong, is_one_value=True)


def trigonometry(rng: Random) -> Draft:
    n = rng.choice([n for n in range(3, 88) if n != 45 and n % 30])
    name, other_name, _reverse = rng.choice((("sin", "cos", 1), ("cos", "sin", 1), ("tan", "cot", 1)))
    right = (
        f"\\{name} {n}^\\circ", f"\\{other_name} {90 - n}^\\circ", f"\\{name}({n}^\\circ)",
        f"\\{name}{{{n}^{{\\circ}}}}", f"\\{other_name}\\left({90 - n}^\\circ\\right)", f"\\{name} {n}°",
        f"\\{name}\\frac{{{n}\\pi}}{{180}}", f"\\{name} {n} \\degree",
    )  # fmt: skip
    wrong = (
        f"\\{name} {n}", f"\\{name} {n + 1}^\\circ", f"\\{other_name} {n}^\\circ", f"\\{name} {90 - n}^\\circ",
        f"-\\{name} {n}^\\circ", f"\\{name}({n})", f"{n}^\\circ", f"\\frac{{1}}{{\\{name} {n}^\\circ}}",
        f"2\\{name} {n}^\\circ", f"\\{name}^2 {n}^\\circ",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong, is_one_value=True)


def known_angle(rng: Random) -> Draft:
    name, angle, value = rng.choice(
        (
            ("cos", 60, "\\frac{1}{2}"), ("sin", 30, "\\frac{1}{2}"), ("sin", 60, "\\frac{\\sqrt{3}}{2}"),
            ("tan", 45, "1"),
            ("cos", 45, "\\frac{\\sqrt{2}}{2}"), ("tan", 60, "\\sqrt{3}"), ("cos", 36, "\\frac{1+\\sqrt{5}}{4}"),
            ("sin", 90, "1"),
            ("sin", 15, "\\frac{\\sqrt{6}-\\sqrt{2}}{4}"), ("tan", 15, "2-\\sqrt{3}"),
        )
    )  # fmt: skip
    right = (
        value, f"\\{name} {angle}^\\circ", f"\\{name}({angle}^\\circ)", f"\\{name}{angle}°",
        f"\\{name} {angle}^\\circ = {value}",
    )  # fmt: skip
    wrong = (
        f"\\{name} {angle}", f"\\{name} {angle + 5}^\\circ", f"-{value}" if value[0] != "2" else "2+\\sqrt{3}",
        f"{value}+1", f"\\{name}", f"{angle}^\\circ", f"\\{name} {angle}^\\circ = {value} + 1",
    )  # fmt: skip
    return Draft(gold=value, right=right, wrong=wrong, is_one_value=True)


def counter(rng: Random) -> Draft:
    word, n = rng.choice(_COUNTERS), rng.randint(2, 500)
    gap = " " if word.isascii() or ord(word[0]) < 0x500 else rng.choice(("", " "))
    right: tuple[str, ...] = (
        f"{n}{gap}{word}", f"{n}\\text{{{gap}{word}}}", f"{n}\\,\\text{{{word}}}", f"x = {n}{gap}{word}",
        f"{n}{gap}{word}。",
    )  # fmt: skip
    if gap == " ":
        right = right[:4]
    wrong = (
        f"{n + 1}{gap}{word}", f"{n - 1}\\text{{{word}}}", f"-{n}{gap}{word}", f"{10 * n}{gap}{word}", word,
        f"{n}万{word}",
    )  # fmt: skip
    return Draft(gold=str(n), right=right, wrong=wrong, is_one_value=True)


def foreign_unit(rng: Random) -> Draft:
    sign = rng.choice(list(_FOREIGN_UNITS))
    word, n = rng.choice(_FOREIGN_UNITS[sign]), rng.randint(2, 200)
    gap = " " if ord(word[0]) < 0x500 else ""
    others = [
        name
        for key, names in _FOREIGN_UNITS.items()
        if key != sign
        for name in names
        if (ord(name[0]) < 0x500) == bool(gap)
    ]
    another = rng.choice(others)
    right = (f"{n}{gap}{word}", f"{n}\\text{{{gap}{word}}}", f"{n}\\text{{ {sign}}}", str(n))
    wrong = (
        f"{n + 1}{gap}{word}", f"{n}{gap}{another}", f"{n}\\text{{{gap}{another}}}", f"{n - 1}\\text{{{gap}{word}}}",
        f"{10 * n}{gap}{word}", f"-{n}{gap}{word}",
    )  # fmt: skip
    return Draft(
        gold=rng.choice((f"{n}\\text{{ {sign}}}", f"{n}{gap}{word}")), right=right, wrong=wrong, is_one_value=True
    )


KINDS: dict[str, Kind] = {
    "unit": unit,
    "unit of the answer alone": forgiven_unit,
    "compound quantity": compound,
    "money": money,
    "degrees": degrees,
    "degrees in trigonometry": trigonometry,
    "value of trigonometry": known_angle,
    "counter": counter,
    "unit in another script": foreign_unit,
}
