"""Expressions with letters: reordered, factored, rationalised, with other names for what is bound."""

from math import comb
from random import Random

from tests.rewards.grammar.draft import Draft, Kind, added, other, proper, signed, term


def polynomial(rng: Random) -> Draft:
    x = rng.choice("xxtnam")
    a, b, c = (
        rng.choice((1, 2, 3, -1, -4)), rng.choice([n for n in range(-9, 10) if n]),
        rng.choice([n for n in range(-9, 10) if n]),
    )  # fmt: skip
    text = f"{term(a, f'{x}^2')}{added(b, x)}{added(c, '')}"
    right = (
        text, f"{c}{added(b, x)}{added(a, f'{x}^2')}", f"{term(b, x)}{added(a, f'{x}^2')}{added(c, '')}",
        text.replace("^2", "^{2}"), f"{x}({term(a, x)}{added(b, '')}){added(c, '')}", text.replace(" ", ""),
        f"-({term(-a, f'{x}^2')}{added(-b, x)}{added(-c, '')})", f"{a}{x}^2{added(b - 1, x)}{added(c, '')} + {x}",
        f"\\left({text}\\right)", f"\\frac{{{term(2 * a, f'{x}^2')}{added(2 * b, x)}{added(2 * c, '')}}}{{2}}",
        f"{a}*{x}^2{added(b, x)}{added(c, '')}", text.replace(f"{x}^2", f"{x}²"),
        text.replace(f"{x}^2", f"{x} \\cdot {x}"),
    )  # fmt: skip
    wrong = (
        f"{term(a, f'{x}^2')}{added(b, x)}{added(c + 1, '')}", f"{term(a, f'{x}^2')}{added(-b, x)}{added(c, '')}",
        f"{term(a + 5, f'{x}^2')}{added(b, x)}{added(c, '')}", f"{term(a, f'{x}^3')}{added(b, x)}{added(c, '')}",
        f"{term(b, x)}{added(c, '')}", f"{term(a, f'{x}^2')}{added(b, x)}{added(-c, '')}",
        f"{term(a, 'y^2')}{added(b, 'y')}{added(c, '')}",
        f"{term(a, f'{x}^2')}{added(b, '')}{added(c, x)}" if b != c else f"{x}^2", f"{a + b + c}", f"2({text})",
        f"({text})^2",
    )  # fmt: skip
    return Draft(gold=text, right=right, wrong=wrong)


def factored(rng: Random) -> Draft:
    x = rng.choice("xxyt")
    p, q = rng.sample([n for n in range(-9, 10) if n], 2)
    middle, last = p + q, p * q
    right = (
        f"({x}{added(p, '')})({x}{added(q, '')})", f"({x}{added(q, '')})({x}{added(p, '')})",
        f"{x}^2{added(middle, x)}{added(last, '')}",
        f"\\left({x}{added(p, '')}\\right)\\left({x}{added(q, '')}\\right)",
        f"({x}{added(p, '')})\\cdot({x}{added(q, '')})", f"(-{x}{added(-p, '')})(-{x}{added(-q, '')})",
        f"({added(p, '').strip(' +').replace(' ', '')}+{x})({x}{added(q, '')})",
    )  # fmt: skip
    wrong = (
        f"({x}{added(-p, '')})({x}{added(q, '')})", f"({x}{added(p, '')})({x}{added(q + 1, '')})",
        f"({x}{added(p, '')})", f"({x}{added(p, '')})^2", f"{x}^2{added(middle + 1, x)}{added(last, '')}",
        f"({x}{added(p, '')}) + ({x}{added(q, '')})", f"2({x}{added(p, '')})({x}{added(q, '')})",
        f"({x}{added(p, '')}), ({x}{added(q, '')})", f"{x}^2{added(last, '')}" if middle else f"{x}^2",
    )  # fmt: skip
    return Draft(gold=rng.choice((right[0], right[2])), right=right, wrong=wrong)


def several_letters(rng: Random) -> Draft:
    a, b, c = rng.choice(("abc", "xyz", "pqr", "mnk"))
    k, choice = rng.randint(2, 9), rng.randrange(4)
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    if choice == 0:
        right = (
            f"{k}{a}{b} + {c}", f"{c} + {k}{b}{a}", f"{k}{a} \\cdot {b}+{c}", f"{b}{a}({k}) + {c}",
            f"{c} + {a}{b} + {k - 1}{a}{b}",
        )  # fmt: skip
        wrong = (
            f"{k}{a}{c} + {b}", f"{k}{a}{b} - {c}", f"{k}({a}{b} + {c})", f"{k}{a} + {b} + {c}",
            f"{k + 1}{a}{b} + {c}", f"{k}{a}^{b} + {c}", f"{k}{a}{b}",
        )  # fmt: skip
    elif choice == 1:
        right = (
            f"\\frac{{{a} + {b}}}{{{k}{c}}}", f"\\frac{{{b}+{a}}}{{{k}{c}}}", f"({a}+{b})/({k}{c})",
            f"\\frac{{{a}}}{{{k}{c}}} + \\frac{{{b}}}{{{k}{c}}}", f"\\frac{{1}}{{{k}{c}}}({a}+{b})",
        )  # fmt: skip
        wrong = (
            f"\\frac{{{a} - {b}}}{{{k}{c}}}", f"\\frac{{{k}{c}}}{{{a} + {b}}}", f"\\frac{{{a} + {b}}}{{{k + 1}{c}}}",
            f"\\frac{{{a}{b}}}{{{k}{c}}}", f"\\frac{{{a} + {c}}}{{{k}{b}}}", f"{a} + \\frac{{{b}}}{{{k}{c}}}",
        )  # fmt: skip
    elif choice == 2:
        right = (f"{a}^{k} - {b}^{k}", f"-{b}^{k} + {a}^{k}", f"{a}^{{{k}}}-{b}^{{{k}}}", f"-({b}^{k} - {a}^{k})")
        wrong = (
            f"{b}^{k} - {a}^{k}", f"{a}^{k} + {b}^{k}", f"({a} - {b})^{k}", f"{a}^{k + 1} - {b}^{k}",
            f"{a}{k} - {b}{k}", f"{a}_{k} - {b}_{k}", f"{a}^{k} - {c}^{k}",
        )  # fmt: skip
    else:
        right = (
            f"\\sqrt{{{a}^2 + {b}^2}}", f"({a}^2+{b}^2)^{{1/2}}", f"\\sqrt{{{b}^2+{a}^2}}",
            f"\\sqrt{{({a}+{b})^2 - 2{a}{b}}}", f"({b}^2 + {a}^2)^{{\\frac12}}",
        )  # fmt: skip
        wrong = (
            f"\\sqrt{{{a}^2 - {b}^2}}", f"{a} + {b}", f"\\sqrt{{{a}^2}} + {b}^2", f"{a}^2 + {b}^2",
            f"\\sqrt{{{a} + {b}}}", f"\\sqrt{{{a}^2 + {c}^2}}", f"\\sqrt[3]{{{a}^2 + {b}^2}}",
        )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def rationalised(rng: Random) -> Draft:
    a = rng.randint(2, 6)
    b = rng.choice([n for n in (2, 3, 5, 6, 7, 10, 11, 13) if n != a * a])
    bottom = a * a - b
    right = (
        f"\\frac{{1}}{{{a} + \\sqrt{{{b}}}}}", f"\\frac{{{a} - \\sqrt{{{b}}}}}{{{bottom}}}",
        f"\\frac{{\\sqrt{{{b}}} - {a}}}{{{-bottom}}}", f"({a} + \\sqrt{{{b}}})^{{-1}}", f"1/({a}+\\sqrt{{{b}}})",
        f"\\frac{{1}}{{\\sqrt{{{b}}} + {a}}}",
    )  # fmt: skip
    wrong = (
        f"\\frac{{1}}{{{a} - \\sqrt{{{b}}}}}", f"\\frac{{{a} + \\sqrt{{{b}}}}}{{{bottom}}}", f"{a} + \\sqrt{{{b}}}",
        f"\\frac{{1}}{{{a + 1} + \\sqrt{{{b}}}}}", f"\\frac{{{a} - \\sqrt{{{b}}}}}{{{bottom + 20}}}",
        f"\\frac{{1}}{{{a}}} + \\sqrt{{{b}}}", f"-\\frac{{1}}{{{a} + \\sqrt{{{b}}}}}",
        f"\\frac{{1}}{{{a}\\sqrt{{{b}}}}}",
    )  # fmt: skip
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong, is_one_value=True)


_IDENTITIES = (
    ("\\sin 2@", "2\\sin @\\cos @", "2 \\cos(@) \\sin(@)", "\\sin(2@)"),
    ("\\cos 2@", "1 - 2\\sin^2 @", "2\\cos^2 @ - 1", "\\cos^2 @ - \\sin^2 @"),
    ("\\tan @", "\\frac{\\sin @}{\\cos @}", "\\frac{1}{\\cot @}"),
    ("e^{2@}", "(e^{@})^2", "\\exp(2@)", "e^{@} \\cdot e^{@}"),
)
_NO_IDENTITIES = (
    ("\\sin @\\cos @", "2\\sin @", "\\cos 2@", "\\sin^2 @", "-\\sin 2@", "\\sin @^2"),
    ("1 - \\sin^2 @", "2\\cos^2 @", "\\sin 2@", "2\\cos @ - 1", "2\\sin^2 @ - 1"),
    ("\\cot @", "\\frac{\\cos @}{\\sin @}", "-\\tan @", "\\tan^{-1} @", "\\sin @"),
    ("e^{@}", "2e^{@}", "e^{@^2}", "e^{-2@}", "e^2@", "2^{2@}"),
)


def identity(rng: Random) -> Draft:
    x, which = rng.choice(("x", "\\theta", "\\alpha")), rng.randrange(len(_IDENTITIES))
    right, wrong = (tuple(one.replace("@", x) for one in texts[which]) for texts in (_IDENTITIES, _NO_IDENTITIES))
    return Draft(gold=right[0], right=right, wrong=wrong)


def antiderivative(rng: Random) -> Draft:
    power, k = rng.randint(1, 5), rng.randint(2, 9)
    p = power + 1
    body = f"\\frac{{{k}x^{p}}}{{{p}}}"
    right = (
        f"{body} + C", f"{body} + K", f"{body} + c", f"\\frac{{{k}}}{{{p}}}x^{p} + C", f"C + {body}", f"{body} + C_1",
        f"\\frac{{{k}}}{{{p}}} x^{{{p}}}+C", f"{body} + C \\text{{, where }} C \\text{{ is a constant}}",
    )  # fmt: skip
    wrong = (
        f"\\frac{{{k}x^{power}}}{{{p}}} + C", f"\\frac{{{k + 1}x^{p}}}{{{p}}} + C", f"-{body} + C", f"{body} + x",
        f"{k * power}x + C", f"{body} + Cx", f"\\frac{{{k}x^{p}}}{{{p + 1}}} + C", f"{body} \\cdot C",
        f"\\frac{{{k}y^{p}}}{{{p}}} + C",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def family(rng: Random) -> Draft:
    value = proper(rng, 6)
    step = rng.choice(("\\pi", "2\\pi", "\\frac{\\pi}{2}"))
    k, j = rng.sample("knm", 2)
    angle = f"\\frac{{{value.numerator if value.numerator > 1 else ''}\\pi}}{{{value.denominator}}}"

    def text(letter: str, wide: str = step, start: str = angle) -> str:
        steps = (
            f"{letter}\\pi"
            if wide == "\\pi"
            else f"2{letter}\\pi"
            if wide == "2\\pi"
            else f"\\frac{{{letter}\\pi}}{{2}}"
        )
        return f"{start} + {steps}"

    right = (
        f"{text(k)}, {k} \\in \\mathbb{{Z}}", f"{text(j)}, {j} \\in \\mathbb{{Z}}",
        f"x = {text(k)}, {k} \\in \\mathbb{{Z}}", text(k), f"x = {text(j)} \\text{{ for }} {j} \\in \\mathbb{{Z}}",
        f"x = {text(j)}\\ ({j} \\in \\mathbb{{Z}})", f"{text(k)}, \\quad {k} \\in \\mathbf{{Z}}",
        f"{text(j)}, \\text{{ where }} {j} \\text{{ is an integer}}", f"{text(k)}, {k} \\in \\Z",
    )  # fmt: skip
    other_step = {"\\pi": "2\\pi", "2\\pi": "\\pi", "\\frac{\\pi}{2}": "\\pi"}[step]
    other_start = f"\\frac{{{value.numerator}\\pi}}{{{value.denominator * 101}}}"  # no multiple of a step away
    wrong = (
        f"{text(k, other_step)}, {k} \\in \\mathbb{{Z}}", f"{text(k, step, other_start)}, {k} \\in \\mathbb{{Z}}",
        angle, f"x = {angle}", f"{text(k)}, {k} \\in \\mathbb{{N}}", f"{text(j, other_step)}, {j} \\in \\mathbb{{Z}}",
        step, f"{angle} \\cdot {k}\\pi",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def summation(rng: Random) -> Draft:
    i, j = rng.sample("kijm", 2)
    p, a = rng.randint(2, 4), rng.randint(1, 3)
    right = tuple(
        f"\\sum_{{{name}={a}}}^{{n}} {body}"
        for name in (i, j, "r")
        for body in (f"{name}^{p}", f"{name}^{{{p}}}")
    )  # fmt: skip
    wrong = (
        f"\\sum_{{{i}={a + 1}}}^{{n}} {i}^{p}", f"\\sum_{{{i}={a}}}^{{n}} {i}^{p + 1}",
        f"\\sum_{{{j}={a}}}^{{n-1}} {j}^{p}", f"\\prod_{{{i}={a}}}^{{n}} {i}^{p}", f"\\sum_{{{j}={a}}}^{{n}} n^{p}",
        f"n^{p}", f"\\sum_{{{i}={a}}}^{{n}} {p}^{i}" if p != 2 else f"\\sum_{{{i}={a}}}^{{n}} {i}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def function(rng: Random) -> Draft:
    a, b = rng.randint(2, 9), rng.choice([n for n in range(-9, 10) if n])
    f, x, t = rng.choice("fgP"), "x", rng.choice("tyn")
    body = f"{a}{x}^2{added(b, '')}"
    right = (
        f"{f}({x}) = {body}", body, f"{f}({t}) = {a}{t}^2{added(b, '')}", f"{f}({x}) = {b} + {a}{x}^2",
        f"{f}({x}) = {body} \\text{{ for all }} {x}", f"{f}(x)={a}x^{{2}}{added(b, '')}",
        f"{f}({x}) = {body} \\text{{ for all }} {x} \\in \\mathbb{{R}}",
        f"{f}({x}) = {body} \\text{{ for all real }} {x}", f"{f}\\left({x}\\right) = {body}",
        f"{f}({x}) = {body}, \\forall {x} \\in \\mathbb{{R}}",
    )  # fmt: skip
    wrong = (
        f"{f}({x}) = {a + 1}{x}^2{added(b, '')}", f"{f}({x}) = {a}{x}^2{added(b + 20, '')}",
        f"{f}({t}) = {a}{t}^3{added(b, '')}", f"{f}({x}) = {a}{x}{added(b, '')}",
        f"{f}({x}) = {body} \\text{{ for }} {x} > 0", f"{f}({x}) = {body} \\text{{ for all }} {x} > 0",
        f"{f}({x}) = -{body}", f"{f}({x}) = 0", f"{f}({x})", x, f"{f}({x}) = {body} \\text{{ or }} {f}({x}) = 0",
        f"{f}(0) = {b}", f"{f}({x}+1) = {body}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def line(rng: Random) -> Draft:
    a, b = rng.choice([n for n in range(-6, 7) if n]), rng.choice([n for n in range(-9, 10) if n])
    right = (
        f"y = {term(a, 'x')}{added(b, '')}", f"y = {b}{added(a, 'x')}", f"{term(a, 'x')} - y{added(b, '')} = 0",
        f"y{added(-a, 'x')} = {b}", f"{term(a, 'x')}{added(b, '')} = y",
        f"{term(2 * a, 'x')} - 2y{added(2 * b, '')} = 0", f"y{added(-a, 'x')}{added(-b, '')} = 0",
        f"y={term(a, 'x')}{added(b, '')}".replace(" ", ""), f"0 = {term(a, 'x')} - y{added(b, '')}",
    )  # fmt: skip
    wrong = (
        f"y = {term(a, 'x')}{added(-b, '')}", f"y = {term(a + 20, 'x')}{added(b, '')}",
        f"x = {term(a, 'y')}{added(b, '')}" if abs(a) != 1 else "x = 3y", f"y = {term(a, 'x')}", f"y = {b}",
        f"{term(a, 'x')} + y{added(b, '')} = 0", f"y > {term(a, 'x')}{added(b, '')}",
        f"y = {term(a, 'x^2')}{added(b, '')}", f"y \\ne {term(a, 'x')}{added(b, '')}",
        f"y = {term(a, 'x')}{added(b + 1, '')}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def circle(rng: Random) -> Draft:
    h, k, r = rng.choice([n for n in range(-6, 7) if n]), rng.choice([n for n in range(-6, 7) if n]), rng.randint(2, 9)
    gold = f"(x{added(-h, '')})^2 + (y{added(-k, '')})^2 = {r * r}"
    right = (
        gold, f"(y{added(-k, '')})^2 + (x{added(-h, '')})^2 = {r * r}",
        f"(x{added(-h, '')})^2 + (y{added(-k, '')})^2 = {r}^2",
        f"x^2 + y^2{added(-2 * h, 'x')}{added(-2 * k, 'y')}{added(h * h + k * k - r * r, '')} = 0",
        f"{r * r} = (x{added(-h, '')})^2 + (y{added(-k, '')})^2",
        f"\\left(x{added(-h, '')}\\right)^2+\\left(y{added(-k, '')}\\right)^2={r * r}",
        f"(x{added(-h, '')})^2 + (y{added(-k, '')})^2 - {r * r} = 0",
    )  # fmt: skip
    wrong = (
        f"(x{added(h, '')})^2 + (y{added(-k, '')})^2 = {r * r}", f"(x{added(-h, '')})^2 + (y{added(-k, '')})^2 = {r}",
        f"(x{added(-h, '')})^2 - (y{added(-k, '')})^2 = {r * r}",
        f"(x{added(-h, '')})^2 + (y{added(-k, '')})^2 = {r * r + 1}", f"x^2 + y^2 = {r * r}",
        f"(x{added(-h, '')})^2 + (y{added(-k, '')})^2 \\le {r * r}", f"{r * r}",
        f"x^2 + y^2{added(-2 * h, 'x')}{added(-2 * k, 'y')}{added(h * h + k * k + r * r, '')} = 0",
    )  # fmt: skip
    return Draft(gold=gold, right=right, wrong=wrong)


def operator(rng: Random) -> Draft:
    n, k = rng.randint(2, 60), rng.randint(2, 9)
    right = (
        str(n), f"\\lim_{{x \\to 0}} f(x) = {n}", f"\\sum_{{k=1}}^{{{k}}} a_k = {n}", f"f({k}) = {n}",
        f"f\\left(\\frac{{1}}{{{k}}}\\right) = {n}", f"\\Pr(A) = {n}", f"P(A \\mid B) = {n}",
        f"\\int_0^1 f(x)\\,dx = {n}", f"\\gcd(a, b) = {n}", f"\\max_{{x}} f(x) = {n}", f"|AB| = {n}",
        f"a_{{{k}}} = {n}", f"\\text{{Area}} = {n}", f"f'({k}) = {n}", f"m + n = {n}", f"a+b = 1 + {n - 1} = {n}",
        f"x = {n}", f"\\binom{{n}}{{{k}}} = {n}", f"\\angle ABC = {n}", f"AB = {n}", f"S_{{\\triangle ABC}} = {n}",
        f"n = {n} \\text{{ only}}",
    )  # fmt: skip
    wrong = (
        f"\\lim_{{x \\to 0}} f(x) = {n + 1}", f"\\sum_{{k=1}}^{{{k}}} a_k = {n - 1}", f"f({n}) = {n + k}",
        f"x \\to {n}", f"{n - 1} + 1 = {n} + 1", f"2 + {n} = {n}", f"{n} = {n + 1}",
        f"f({k}) = {n}, f({k + 1}) = {n + 1}", f"\\max = {n + k}, \\min = {n}", f"\\min = {n}, \\max = {n + k}",
        f"x = {n + 1}", f"x^2 = {n}", f"{k}x = {n}", f"x > {n}", f"a = {n + 1}, b = {n}", f"f({n})",
        f"P(A) = {n}, P(B) = {n + k}",
    )  # fmt: skip
    return Draft(gold=str(n), right=right, wrong=wrong, is_one_value=True)


def congruence(rng: Random) -> Draft:
    m = rng.randint(3, 30)
    r = rng.randint(1, m - 1)
    right = (
        f"n \\equiv {r} \\pmod{{{m}}}", f"n \\equiv {r} \\pmod {m}" if m < 10 else f"n \\equiv {r} \\pmod{{{m}}}",
        f"n \\equiv {r + m} \\pmod{{{m}}}", f"n\\equiv {r}\\ (\\mathrm{{mod}}\\ {m})", f"n \\equiv {r} \\mod {m}",
        f"n = {m}k + {r}", f"n ≡ {r} (mod {m})", f"n \\equiv {r - m} \\pmod{{{m}}}",
        f"n = {m}k + {r}, k \\in \\mathbb{{Z}}",
    )  # fmt: skip
    wrong = (
        f"n \\equiv {r + 1} \\pmod{{{m}}}", f"n \\equiv {r} \\pmod{{{m + 1}}}", f"n = {m + 1}k + {r}",
        f"n = {m}k + {r + 1}", f"n \\equiv {r}", f"n = {r}", f"n \\equiv {m} \\pmod{{{r + m}}}",
        f"n \\not\\equiv {r} \\pmod{{{m}}}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def binomial(rng: Random) -> Draft:
    n, k = rng.randint(5, 40), rng.randint(2, 4)
    right = (
        f"\\binom{{{n}}}{{{k}}}", f"C_{{{n}}}^{{{k}}}", f"\\dbinom{{{n}}}{{{k}}}", f"{{{n} \\choose {k}}}",
        f"\\frac{{{n}!}}{{{k}!{n - k}!}}", f"\\binom{{{n}}}{{{n - k}}}", str(comb(n, k)), f"{{}}_{{{n}}}C_{{{k}}}",
    )  # fmt: skip
    wrong = (
        f"\\binom{{{n + 1}}}{{{k}}}", f"\\binom{{{n + 2}}}{{{k}}}", f"\\frac{{{n}}}{{{k}}}",
        f"\\frac{{{n}!}}{{{n - k}!}}", str(comb(n, k) + 1), f"{n}^{k}", f"({n}, {k})", f"\\binom{{{k}}}{{{n}}}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong, is_one_value=True)


def power(rng: Random) -> Draft:
    a, b = rng.choice((2, 3, 5, 7, 11)), rng.randint(50, 2024)
    right = (
        f"{a}^{{{b}}}", f"{a} \\cdot {a}^{{{b - 1}}}", f"{a}^{{{b + 1}}} / {a}",
        f"\\frac{{{a}^{{{b + 2}}}}}{{{a * a}}}", f"({a})^{{{b}}}", f"{a}^{{{b - 10}}} \\cdot {a}^{{10}}",
    )  # fmt: skip
    wrong = (
        f"{a}^{{{b + 1}}}", f"{a}^{{{b - 1}}}", f"{a + 1}^{{{b}}}", f"{b}^{{{a}}}", f"{a}^{{{b}}} + 1",
        f"{a}^{{{b}}} - 1", f"-{a}^{{{b}}}", f"{a} \\cdot {b}", f"{a}^{{-{b}}}", f"{a}{b}",
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong, is_one_value=True)


def recurrence(rng: Random) -> Draft:
    a, b = rng.randint(2, 5), rng.choice([n for n in range(-5, 6) if n])
    n = rng.choice("nk")
    right = (
        f"{a}^{n}{added(b, '')}", f"{a}^{{{n}}} {signed(b)}", f"{b} + {a}^{n}", f"a_{n} = {a}^{n}{added(b, '')}",
        f"{a}\\cdot {a}^{{{n}-1}}{added(b, '')}",
    )  # fmt: skip
    wrong = (
        f"{a}^{{{n}-1}}{added(b, '')}", f"{a}^{{{n}{added(b, '')}}}", f"{a}{n}{added(b, '')}",
        f"{other(rng, a, 2, 5)}^{n}{added(b, '')}", f"{a}^{n}{added(-b, '')}", f"{a}^{{{n}+1}}{added(b, '')}",
        f"{a}^{n}", f"{n}^{a}{added(b, '')}",
    )  # fmt: skip
    return Draft(gold=rng.choice((right[0], right[3])), right=right, wrong=wrong)


KINDS: dict[str, Kind] = {
    "polynomial": polynomial,
    "factors": factored,
    "several letters": several_letters,
    "rationalised": rationalised,
    "identity": identity,
    "antiderivative": antiderivative,
    "family of solutions": family,
    "sum": summation,
    "function": function,
    "line": line,
    "circle": circle,
    "operator before =": operator,
    "congruence": congruence,
    "binomial": binomial,
    "power": power,
    "formula in n": recurrence,
}
