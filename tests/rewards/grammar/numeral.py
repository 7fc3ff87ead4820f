"""Numbers in every notation that answers have."""
# ruff: noqa: RUF001 - answers have such signs

from fractions import Fraction
from math import gcd
from random import Random

from tests.rewards.grammar.draft import Draft, Kind, proper, tex

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_BASE_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}


def integer(rng: Random) -> Draft:
    n = rng.choice([rng.randint(2, 99), rng.randint(100, 999), -rng.randint(2, 500)])
    a = rng.randint(1, 40)
    right = (
        f"{n}", f"{n}.0", f"{n}.", f" {n} ", f"{{{n}}}", f"\\text{{{n}}}", f"\\mathbf{{{n}}}", f"\\mathrm{{{n}}}",
        f"${n}$", f"n = {n}", f"x={n}", f"\\frac{{{2 * n}}}{{2}}", f"{n - a} + {a}", f"{a}{n - a:+d}",
        f"\\left({n}\\right)", f"({n})", f"{n}.00", str(n).translate(_FULL_WIDTH), str(n).replace("-", "−"),
        f"\\sqrt{{{n * n}}}" if n > 0 else f"-\\sqrt{{{n * n}}}", f"n = {n + a} - {a} = {n}", f"\\,{n}\\,",
        f"the answer is {n}", f"\\text{{The answer is }} {n}", f"{2 * n} \\div 2", f"{n} \\cdot 1", f"exactly {n}",
        f"\\approx {n}", f"|{n}|" if n > 0 else f"-|{n}|", f"\\mathbf{{x = {n}}}", f"**{n}**",
    )  # fmt: skip
    wrong = (
        f"{n + 1}", f"{n - 1}", f"{-n}", f"{10 * n}", f"{n}.5", f"{n}.1", f"{n}x", f"{n}!" if n > 2 else f"{n}^2",
        f"\\frac{{{n}}}{{2}}", f"\\frac{{1}}{{{n}}}", f"{n}^2", f"\\sqrt{{{abs(n)}}}", f"{n}0_{{17}}", f"{n}\\pi",
        f"{n}i", f"{n} \\pm 1", f"\\pm {n}", f"({n}, {n + 1})", f"{n}, {n + 1}", f"> {n}", f"x > {n}", f"x \\neq {n}",
        f"{n}{abs(n)}", f"{n}n", f"x \\to {n}", f"{n}e", f"not {n}", f"{n} = {n + 1}", f"{n + 1} = {n}",
        f"\\{{{n}, {n + 2}\\}}", "", f"\\text{{about }} {n + 3}", f"x^2 = {n}", f"2x = {n}", f"-x = {n}", "x", "?",
        "\\text{unknown}", f"{n} + c",
    )  # fmt: skip
    return Draft(gold=str(n), right=right, wrong=wrong, is_one_value=True)


def grouped_integer(rng: Random) -> Draft:
    n = rng.randint(1_000, 99_999_999)
    comma = f"{n:,}"
    right = (
        str(n), comma, comma.replace(",", "{,}"), comma.replace(",", "\\,"), comma.replace(",", " "),
        comma.replace(",", "\\ "), comma.replace(",", ",\\!"), comma.replace(",", "~"), comma.replace(",", "\u202f"),
        comma.replace(",", "\u00a0"), comma.replace(",", ", \\!"), comma + ".00", comma.replace(",", "\\;"),
        f"x = {comma}", f"\\text{{{comma}}}", f"\\mathbf{{{comma}}}", comma.replace(",", "，"),
    )  # fmt: skip
    wrong = (
        f"{n + 1:,}", str(n - 1), f"{10 * n:,}", str(n // 10), f"{n + 1000:,}", comma.replace(",", ", ", 1),
        comma.partition(",")[0], comma[:-1], comma + "0", f"-{comma}", comma.replace(",", "+"),
        comma.replace(",", "; "),
    )  # fmt: skip
    return Draft(gold=rng.choice((str(n), comma)), right=right, wrong=wrong, is_one_value=True)


def decimal(rng: Random) -> Draft:
    places = rng.randint(1, 4)
    digits = rng.randint(1, 10**places - 1)
    while digits % 10 == 0:
        digits = rng.randint(1, 10**places - 1)
    whole = rng.choice((0, 0, rng.randint(1, 99)))
    gold = f"{whole}.{digits:0{places}d}"
    value = Fraction(gold)
    top, bottom = value.numerator, value.denominator
    right = (
        gold, gold + "0", gold + "00", f"\\frac{{{top}}}{{{bottom}}}", f"{top}/{bottom}",
        f"\\dfrac{{{top}}}{{{bottom}}}", gold[1:] if not whole else "+" + gold, f"x = {gold}", f"\\approx {gold}",
        f"\\text{{{gold}}}", f"{gold}\\,", f"{int(value * 10**places)} \\times 10^{{-{places}}}",
        f"{int(value * 10**places)} / {10**places}", f"x = \\frac{{{top}}}{{{bottom}}} = {gold}",
        *((gold.replace(".", ","), gold.replace(".", "{,}")) if places in (2, 4) else ()),
    )  # fmt: skip
    ulp = Fraction(1, 10**places)
    wrong: tuple[str, ...] = (
        _decimal(value + ulp, places), _decimal(value - ulp, places) if value > ulp else "-" + gold, "-" + gold,
        _decimal(value * 10, max(places - 1, 1)), _decimal(value / 10, places + 1), f"\\frac{{{bottom}}}{{{top}}}",
        f"\\frac{{{top + 1}}}{{{bottom}}}", gold + "1", gold + "x", gold + "^2", f"{gold}\\%", f"{whole}. {digits}1",
        f"{whole} + {digits}", f"{whole + 1}.{digits:0{places}d}", f"{top}", f"{gold}.{digits}", f"1 - {gold}1",
    )  # fmt: skip
    if whole:  # a per cent sign on the answer alone is forgiven where the gold is a number above 1
        wrong = tuple(text for text in wrong if not text.endswith("%"))
    return Draft(gold=gold, right=right, wrong=wrong, is_one_value=True)


def _decimal(value: Fraction, places: int) -> str:
    shown = abs(int(value * 10**places))
    return f"{'-' * (value < 0)}{shown // 10**places}.{shown % 10**places:0{places}d}"


def fraction(rng: Random) -> Draft:
    value = proper(rng, 30)
    sign = rng.choice(("", "", "-"))
    p, q, k = value.numerator, value.denominator, rng.randint(2, 6)
    whole, rest = divmod(p, q)
    right = [
        f"{sign}\\frac{{{p}}}{{{q}}}", f"{sign}\\dfrac{{{p}}}{{{q}}}", f"{sign}\\tfrac{{{p}}}{{{q}}}",
        f"{sign}{p}/{q}", f"\\frac{{{sign}{p}}}{{{q}}}", f"{sign}\\frac{{{k * p}}}{{{k * q}}}", f"{sign}{p} / {q}",
        f"{sign}{{{p} \\over {q}}}", f"{sign}\\frac {{{p}}} {{{q}}}", f"x = {sign}\\frac{{{p}}}{{{q}}}",
        f"{sign}\\displaystyle\\frac{{{p}}}{{{q}}}", f"{sign}\\left(\\frac{{{p}}}{{{q}}}\\right)",
        f"{sign}{p} \\div {q}", f"\\frac{{{p}}}{{{sign}{q}}}", f"{sign}{p}⁄{q}", f"{sign}\\cfrac{{{p}}}{{{q}}}",
        f"{sign}({p})/({q})", f"{sign}\\frac{{{p}}}{{{k * q}}} \\cdot {k}", f"{sign}\\frac{{{p}.0}}{{{q}}}",
        f"P(A) = {sign}\\frac{{{p}}}{{{q}}}", f"{sign}\\nicefrac{{{p}}}{{{q}}}",
    ]  # fmt: skip
    if whole:
        right += [f"{sign}{whole}\\frac{{{rest}}}{{{q}}}", f"{sign}{whole} {rest}/{q}"]
    if p < 10 and q < 10:
        right.append(f"{sign}\\frac{p}{q}" if p > 1 else f"{sign}\\frac {p}{q}")
    wrong = [
        f"{sign}\\frac{{{p + 1}}}{{{q}}}", f"{sign}\\frac{{{p}}}{{{q + 1}}}", f"{sign}\\frac{{{q}}}{{{p}}}",
        f"{sign}{p}", f"{sign}{p}.{q}", f"({p}, {q})", f"{p}:{q}1", f"{sign}{p}/{q}1",
        f"{sign}\\sqrt{{\\frac{{{p}}}{{{q}}}}}", f"{'' if sign else '-'}\\frac{{{p}}}{{{q}}}",
        f"{sign}\\frac{{{p}}}{{{q}}}\\%", f"{p}, {q}", f"{sign}{p * q}", f"{sign}\\frac{{{p}}}{{{q}}}x",
        f"\\binom{{{p + q}}}{{{q}}}", f"1 {'+' if not sign else '-'} \\frac{{{p}}}{{{q}}}",
    ]  # fmt: skip
    if whole:  # a per cent sign on the answer alone is forgiven above 1
        wrong = [text for text in wrong if not text.endswith("%")]
    return Draft(gold=right[0], right=tuple(right), wrong=tuple(wrong), is_one_value=True)


def mixed(rng: Random) -> Draft:
    whole = rng.randint(1, 12)
    part = rng.choice([Fraction(a, b) for a, b in ((1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (2, 5), (5, 8), (7, 12))])
    p, q = part.numerator, part.denominator
    top = whole * q + p
    right = [
        f"{whole}\\frac{{{p}}}{{{q}}}", f"{whole} \\frac{{{p}}}{{{q}}}", f"\\frac{{{top}}}{{{q}}}", f"{top}/{q}",
        f"{whole} {p}/{q}", f"{whole}+\\frac{{{p}}}{{{q}}}", f"{whole}\\tfrac{{{p}}}{{{q}}}",
        f"{whole}\\dfrac{{{p}}}{{{q}}}", f"{whole}\\,\\frac{{{p}}}{{{q}}}", f"{whole + 1} - \\frac{{{q - p}}}{{{q}}}",
        f"{whole}~\\frac{{{p}}}{{{q}}}",
    ]  # fmt: skip
    if q in (2, 4, 5, 8):
        right.append(str(float(Fraction(top, q))))
    wrong = (
        f"\\frac{{{whole * p}}}{{{q}}}", f"{whole}\\frac{{{p + 1}}}{{{q}}}", f"{whole + 1}\\frac{{{p}}}{{{q}}}",
        f"{whole} \\cdot \\frac{{{p}}}{{{q}}}", f"{whole}", f"\\frac{{{p}}}{{{q}}}", f"{whole}-\\frac{{{p}}}{{{q}}}",
        f"\\frac{{{q}}}{{{top}}}", f"{whole}, \\frac{{{p}}}{{{q}}}", f"-{whole}\\frac{{{p}}}{{{q}}}", f"{whole}{p}/{q}",
    )  # fmt: skip
    return Draft(gold=rng.choice((right[0], right[2])), right=tuple(right), wrong=wrong, is_one_value=True)


def scientific(rng: Random) -> Draft:
    mantissa = rng.randint(101, 999)
    while mantissa % 10 == 0:
        mantissa = rng.randint(101, 999)
    power = rng.choice((-9, -6, -4, -3, 3, 4, 5, 6, 8, 12, 23))
    m = f"{mantissa / 100:.2f}"
    value = Fraction(mantissa, 100) * Fraction(10) ** power
    right = [
        f"{m} \\times 10^{{{power}}}", f"{m}\\cdot 10^{{{power}}}", f"{m}\\times{{10}}^{{{power}}}",
        f"{mantissa} \\times 10^{{{power - 2}}}", f"{m}e{power}", f"{m}E{power:+03d}", f"{m} * 10^{{{power}}}",
        f"{m} × 10^{{{power}}}", f"{m}×10{str(power).translate(_RAISED)}", f"{m} \\times 10^{{({power})}}",
        f"{m} \\, \\times \\, 10^{{{power}}}", f"\\approx {m} \\times 10^{{{power}}}", f"{m} · 10^{{{power}}}",
        f"0.{mantissa} \\times 10^{{{power + 1}}}",
    ]  # fmt: skip
    if value.denominator == 1 and power < 10:
        right += [str(int(value)), f"{int(value):,}"]
    if power in (-3, -4):
        right.append(f"0.{'0' * (-power - 1)}{mantissa}")
    wrong = (
        f"{m} \\times 10^{{{power + 1}}}", f"{m} \\times 10^{{{power - 1}}}", f"{m} \\times 10^{{{-power}}}", m,
        f"{(mantissa + 10) / 100:.2f} \\times 10^{{{power}}}", f"-{m} \\times 10^{{{power}}}", f"10^{{{power}}}",
        f"{m} + 10^{{{power}}}", f"{m}^{{{power}}}", f"{m} \\times {10 * power}", f"{m} \\times 2^{{{power}}}",
        f"{mantissa} \\times 10^{{{power}}}",
    )  # fmt: skip
    return Draft(gold=right[0], right=tuple(right), wrong=wrong, is_one_value=True)


def repeating(rng: Random) -> Draft:
    length = rng.choice((1, 2, 3))
    period = rng.randint(1, 10**length - 2)
    text = f"{period:0{length}d}"
    if len(set(text)) == 1:
        text, length = text[0], 1
    whole = rng.choice((0, 0, rng.randint(1, 9)))
    value = whole + Fraction(int(text), 10**length - 1)
    top, bottom = value.numerator, value.denominator
    if bottom == 1:
        return repeating(rng)
    right = (
        f"{whole}.\\overline{{{text}}}", f"{whole}.({text})", f"\\frac{{{top}}}{{{bottom}}}", f"{top}/{bottom}",
        f"{whole}.{text * 3}\\ldots", f"{whole}.{text * 3}...", f"{whole}.\\bar{{{text}}}",
        f"{whole}.{text}\\overline{{{text}}}",
    )  # fmt: skip
    wrong = (
        f"{whole}.{text}", f"{whole}.{text[0] * 2}1",
        f"{whole}.\\overline{{{int(text) + 1 if int(text) < 8 else int(text) - 1:0{length}d}}}",
        f"{whole}.0\\overline{{{text}}}", f"\\frac{{{top}}}{{{bottom + 1}}}", f"{whole + 1}.\\overline{{{text}}}",
        f"\\frac{{{bottom}}}{{{top + bottom}}}",
    )  # fmt: skip
    return Draft(gold=rng.choice((right[0], right[2])), right=right, wrong=wrong, is_one_value=True)


def based(rng: Random) -> Draft:
    base = rng.randint(2, 9)
    number = rng.randint(base * base, base**4)
    digits = _in_base(number, base)
    right = [
        f"{digits}_{base}", f"{digits}_{{{base}}}", f"({digits})_{base}", f"({digits})_{{{base}}}",
        f"{digits}_{{({base})}}", f"{digits}_{{\\text{{{_BASE_WORDS[base]}}}}}", f"{digits} \\text{{ (base {base})}}",
        f"{digits} \\text{{ base }} {base}", f"{digits} base {base}", f"{digits} \\text{{ in base {base}}}",
        f"{digits}" + str(base).translate(_LOWERED), f"\\text{{{digits}}}_{{{base}}}",
        f"{digits}_{{\\text{{base }}{base}}}", f"N = {digits}_{{{base}}}",
    ]  # fmt: skip
    wrong = (
        f"{_in_base(number + 1, base)}_{{{base}}}", f"{digits}_{{{base + 1}}}", digits, f"{digits[::-1]}1_{{{base}}}",
        f"{_in_base(number - 1, base)}_{{{base}}}", f"{digits}0_{{{base}}}", f"{digits} \\text{{ (base {base + 2})}}",
        f"-{digits}_{{{base}}}",
    )  # fmt: skip
    return Draft(gold=right[0], right=tuple(right), wrong=wrong, is_one_value=True)


def _in_base(number: int, base: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, base)
        digits = str(digit) + digits
    return digits


def percent(rng: Random) -> Draft:
    n = rng.randint(2, 98)
    right = (
        f"{n}\\%", f"{n}%", f"{n}", f"{n} \\%", f"{n}\\text{{ percent}}", f"{n} percent", f"0.{n:02d}", f"{n}.0\\%",
        f"\\frac{{{n}}}{{100}}", f"{n}\\,\\%", f"\\approx {n}\\%", f"x = {n}\\%", f"{n} per cent", f"{n}\\text{{%}}",
    )  # fmt: skip
    wrong = (
        f"{n + 1}\\%", f"{n}0\\%" if n < 10 else f"{n // 10}\\%", f"0.{n:02d}\\%", f"{n - 1}", f"0.0{n:02d}",
        f"-{n}\\%", f"{100 - n}\\%" if n != 50 else "51\\%", f"{n * 100}", f"{n * 100}\\%", f"{n}\\text{{ dollars}}",
        f"\\frac{{{n}}}{{10}}", f"0.{n:02d}1", f"\\frac{{{n + 1}}}{{100}}",
    )  # fmt: skip
    return Draft(gold=f"{n}\\%", right=right, wrong=wrong, is_one_value=True)


def proportion(rng: Random) -> Draft:
    n = rng.choice([n for n in range(2, 98) if n % 10])
    value = Fraction(n, 100)
    right = (f"0.{n:02d}", tex(value), f"{n}\\%", f"{n}%", f"{n}\\text{{ percent}}", f"\\frac{{{n}}}{{100}}")
    wrong = (
        f"0.{n:02d}\\%", f"{tex(value)}\\%", f"{n}", f"{n + 1}\\%", f"0.0{n:02d}", f"1.{n:02d}",
        f"0.{n:02d}\\text{{ percent}}", f"{100 - n}\\%" if n != 50 else "51\\%", f"{n * 10}\\%",
    )  # fmt: skip
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong, is_one_value=True)


def scaled(rng: Random) -> Draft:
    word = rng.choice(list(_SCALES))
    tenths = rng.choice([n for n in range(11, 99) if n % 10])
    amount, power = f"{tenths / 10:.1f}", _SCALES[word]
    whole = tenths * 10 ** (power - 1)
    right = (
        f"{amount} {word}", f"{amount}\\text{{ {word}}}", f"{whole}", f"{whole:,}", f"{amount} \\times 10^{{{power}}}",
        f"{amount}\\,\\text{{{word}}}", f"{amount}\\cdot 10^{{{power}}}", f"x = {whole}",
    )  # fmt: skip
    longer = {
        "hundred": "thousand", "thousand": "million", "million": "billion", "billion": "million",
        "trillion": "billion",
    }  # fmt: skip
    wrong = (
        amount, f"{amount} {longer[word]}", f"{whole * 10}", f"{whole // 10}", f"{(tenths + 1) / 10:.1f} {word}",
        f"{amount}\\text{{ {longer[word]}}}", f"-{amount} {word}", f"{amount} \\times 10^{{{power + 1}}}", word,
    )  # fmt: skip
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong, is_one_value=True)


def radical(rng: Random) -> Draft:
    a, b = rng.randint(2, 9), rng.choice((2, 3, 5, 6, 7, 10))
    c = rng.choice((None, rng.randint(1, 9)))
    front = f"{c} + " if c else ""
    right = [
        f"{front}{a}\\sqrt{{{b}}}", f"{front}\\sqrt{{{a * a * b}}}", f"{front}{a} \\cdot \\sqrt{{{b}}}",
        f"{front}{a}\\sqrt {{{b}}}", f"{front}\\frac{{{a * b}}}{{\\sqrt{{{b}}}}}", f"{front}{a}*sqrt({b})",
        f"{front}{a}\\cdot {b}^{{\\frac{{1}}{{2}}}}", f"{front}{a}√{b}", f"{front}{a}\\sqrt[2]{{{b}}}",
        f"{front}{a}\\cdot{b}^{{1/2}}", f"{front}{a} \\times \\sqrt{{{b}}}",
    ]  # fmt: skip
    if c:
        right += [f"{a}\\sqrt{{{b}}} + {c}", f"\\sqrt{{{a * a * b}}}+{c}"]
        if a * a * b - c * c > 0:
            right.append(f"\\frac{{{a * a * b - c * c}}}{{{a}\\sqrt{{{b}}} - {c}}}")
    if b < 10:
        right.append(f"{front}{a}\\sqrt{b}")
    wrong = [
        f"{front}{a + 1}\\sqrt{{{b}}}", f"{front}{a}\\sqrt{{{b + 1}}}", f"{front}\\sqrt{{{a * b}}}", f"{front}{a * b}",
        f"{front}{a} + \\sqrt{{{b}}}", f"{front}{a}\\sqrt[3]{{{b}}}", f"-{a}\\sqrt{{{b}}}",
        f"{front}\\frac{{{a}}}{{\\sqrt{{{b}}}}}", f"{front}{a}^2\\sqrt{{{b}}}", f"{front}{a}\\sqrt{{{b}}}x",
        f"{front}-{a}\\sqrt{{{b}}}" if c else f"\\pm {a}\\sqrt{{{b}}}",
    ]  # fmt: skip
    if c:
        wrong += [
            f"{a}\\sqrt{{{b}}}",
            f"{c} - {a}\\sqrt{{{b}}}",
            f"{c + 1} + {a}\\sqrt{{{b}}}",
            f"{c} \\pm {a}\\sqrt{{{b}}}",
        ]
    return Draft(gold=right[0], right=tuple(right), wrong=tuple(wrong), is_one_value=True)


def complex_number(rng: Random) -> Draft:
    a, b = rng.randint(1, 12), rng.randint(2, 12)
    sign = rng.choice("+-")
    flip = "-" if sign == "+" else "+"
    right = (
        f"{a} {sign} {b}i", f"{a}{sign}{b}i", f"{a} {sign} {b} i", f"{a}{sign}{b}\\cdot i", f"z = {a}{sign}{b}i",
        f"{'' if sign == '+' else '-'}{b}i + {a}", f"{a}{sign}{b}\\mathrm{{i}}", f"({a}{sign}{b}i)",
        f"i({'' if sign == '+' else '-'}{b} - {a}i)",
    )  # fmt: skip
    wrong = (
        f"{a} {flip} {b}i", f"{b} {sign} {a}i" if a != b else f"{a + 1} {sign} {b}i", f"-{a} {sign} {b}i", f"{a}",
        f"{a + 1}{sign}{b}i", f"{a}{sign}{b + 1}i", f"{a}{sign}{b}", f"({a}, {b}i)", f"{a}{sign}{b}x", f"{a} \\pm {b}i",
        f"{b}i",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong, is_one_value=True)


def ratio(rng: Random) -> Draft:
    a, b = rng.choice([(a, b) for a in range(1, 12) for b in range(1, 12) if a != b and gcd(a, b) == 1])
    right = (f"{a}:{b}", f"{a} : {b}", f"{a}\\colon {b}", f"{a}\\text{{ to }}{b}", f"{a} to {b}", f"\\text{{{a}:{b}}}")
    wrong = (
        f"{b}:{a}", f"{a + b}:{b}", f"{a}:{a + b}", f"{a}, {b}", f"{a + b}", f"{a}{b}", f"\\frac{{{b}}}{{{a}}}",
        f"{a}-{b}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong, is_one_value=True)


def logarithm(rng: Random) -> Draft:
    p, k = rng.choice((2, 3, 5, 7)), rng.randint(2, 5)
    right = (
        f"{k}\\ln {p}", f"\\ln {p**k}", f"{k} \\ln({p})", f"\\ln\\left({p**k}\\right)", f"{k}\\ln{{{p}}}",
        f"-{k}\\ln\\frac{{1}}{{{p}}}", f"\\ln {p} + {k - 1}\\ln {p}", f"\\ln {p**k * 4} - \\ln 4",
        f"{2 * k}\\ln\\sqrt{{{p}}}", f"{k} \\log_e {p}",
    )  # fmt: skip
    wrong = (
        f"{k + 1}\\ln {p}", f"{k}\\ln {p + 1}", f"\\ln {k * p + (p**k == k * p)}", f"{k}\\log_{{10}} {p}",
        f"-{k}\\ln {p}", f"(\\ln {p})^{k}", f"{k + p}", f"{k}\\ln", f"\\frac{{\\ln {p}}}{{{k}}}", f"{k}e^{{{p}}}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong, is_one_value=True)


def constant(rng: Random) -> Draft:
    name, plain = rng.choice((("\\pi", "π"), ("e", "\\mathrm{e}")))
    value = proper(rng, 9)
    p, q = value.numerator, value.denominator
    right = (
        f"\\frac{{{p}{name}}}{{{q}}}", f"\\frac{{{p}}}{{{q}}}{name}", f"\\frac{{{p}{name}}}{{{q}}}", f"{p}{name}/{q}",
        f"\\frac{{{2 * p}{name}}}{{{2 * q}}}", f"\\frac{{{p}}}{{{q}}}\\cdot {name}", f"\\frac{{{p}{plain}}}{{{q}}}",
        f"\\dfrac{{{p}{name}}}{{{q}}}", f"x = \\frac{{{p}{name}}}{{{q}}}",
    )  # fmt: skip
    wrong = (
        f"\\frac{{{p + 1}{name}}}{{{q}}}", f"\\frac{{{p}{name}}}{{{q + 1}}}", f"\\frac{{{p}}}{{{q}}}",
        f"\\frac{{{p}}}{{{q}{name}}}", f"-\\frac{{{p}{name}}}{{{q}}}", f"{name}", f"\\frac{{{p}{name}^2}}{{{q}}}",
        f"\\frac{{{p}{'e' if name != 'e' else 'x'}}}{{{q}}}", f"\\frac{{{q}{name}}}{{{p}}}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong, is_one_value=True)


KINDS: dict[str, Kind] = {
    "integer": integer,
    "thousands": grouped_integer,
    "decimal": decimal,
    "fraction": fraction,
    "mixed number": mixed,
    "scientific": scientific,
    "repeating decimal": repeating,
    "base": based,
    "per cent": percent,
    "proportion": proportion,
    "scale word": scaled,
    "radical": radical,
    "complex": complex_number,
    "ratio": ratio,
    "logarithm": logarithm,
    "pi and e": constant,
}
