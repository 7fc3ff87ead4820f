"""Answers to questions of science: quantities, formulae, symbols, genotypes, states."""

from random import Random

from tests.rewards.grammar.draft import Draft, Kind, shuffled

_FORMULAE = (
    ("H_2O", "H2O", "H₂O", "\\text{H}_2\\text{O}", "H_2O_2"), ("CO_2", "CO2", "CO₂", "\\mathrm{CO_2}", "CO"),
    ("NaCl", "NaCl", "\\text{NaCl}", "\\mathrm{NaCl}", "NaCl_2"), ("NO_2", "NO2", "NO₂", "\\mathrm{NO_2}", "N_2O"),
    ("CaCO_3", "CaCO3", "CaCO₃", "\\mathrm{CaCO_3}", "CaC_2O_3"),
    ("Fe_2O_3", "Fe2O3", "Fe₂O₃", "\\mathrm{Fe_2O_3}", "Fe_3O_4"),
    ("C_6H_{12}O_6", "C6H12O6", "C₆H₁₂O₆", "\\mathrm{C_6H_{12}O_6}", "C_{12}H_6O_6"),
    ("SO_4^{2-}", "SO4^{2-}", "SO_4^{2-}", "\\mathrm{SO_4^{2-}}", "SO_3^{2-}"),
    ("Fe^{3+}", "Fe^{3+}", "Fe3+", "\\mathrm{Fe^{3+}}", "Fe^{2+}"),
)  # fmt: skip
_ELEMENTS = (
    ("Co", "CO"), ("Na", "Mg"), ("He", "H"), ("Sn", "Sb"), ("Fe", "F"), ("Cu", "Cr"), ("Ne", "N"), ("Si", "S"),
    ("Mn", "Mg"), ("Ca", "C"), ("Cs", "CS"),
)  # fmt: skip
_STATES = (
    ("Increase", "increases", "Decrease", "decreases"), ("Decrease", "decreases", "Increase", "increases"),
    ("exothermic", "Exothermic", "endothermic", "Endothermic"), ("oxidation", "Oxidation", "reduction", "Reduction"),
    ("attract", "attracts", "repel", "repels"), ("expand", "expands", "contract", "contracts"),
    ("reversible", "Reversible", "irreversible", "Irreversible"),
)  # fmt: skip
_UNITS = (
    ("m/s", "meters per second", "km/h"), ("N", "newtons", "kN"), ("J", "joules", "kJ"), ("kg", "kilograms", "g"),
    ("m", "meters", "cm"), ("Pa", "pascals", "kPa"), ("V", "volts", "mV"), ("A", "amperes", "mA"),
    ("Hz", "hertz", "kHz"), ("W", "watts", "MW"), ("mol", "moles", "g"), ("m/s^2", "meters per second squared", "m/s"),
    ("kg/m^3", "kilograms per cubic meter", "g/cm^3"),
)  # fmt: skip
_TERMS = (
    ("mitochondria", "chloroplast", "ribosome"), ("photosynthesis", "respiration", "fermentation"),
    ("Newton", "Einstein", "Galileo"), ("diffusion", "osmosis", "active transport"),
    ("covalent bond", "ionic bond", "hydrogen bond"), ("inflation", "deflation", "stagflation"),
)  # fmt: skip


def quantity(rng: Random) -> Draft:
    sign, name, another = rng.choice(_UNITS)
    value = rng.choice(
        (
            f"{rng.randint(11, 99)}.{rng.randint(1, 9)}",
            f"{rng.randint(2, 9)}.{rng.randint(11, 98)}",
            str(rng.randint(11, 980)),
        )
    )
    number = float(value)
    symbol = rng.choice(("v", "F", "E", "x"))
    right = (
        f"{value}\\text{{ {sign}}}", f"{value} {sign}", f"{value}", f"{symbol} = {value}\\text{{ {sign}}}",
        f"{value}\\ \\mathrm{{{sign}}}", f"{value} {name}", f"\\approx {value}\\text{{ {sign}}}",
        f"{value}\\,\\text{{{name}}}",
    )  # fmt: skip
    wrong = (
        f"{value}\\text{{ {another}}}", f"{value} {another}", f"{number * 1.1:.2f}\\text{{ {sign}}}",
        f"{number * 0.9:.2f} {sign}", f"-{value}\\text{{ {sign}}}", f"{number * 10:.1f} {sign}", f"{value} K",
        f"{number / 10:.3f}", f"{number + 20:.1f}\\ \\mathrm{{{sign}}}", f"{value} {sign} or {number * 2:.1f} {sign}",
    )  # fmt: skip
    return Draft(gold=rng.choice(right[:2]), right=right, wrong=wrong, is_one_value=True)


def formula(rng: Random) -> Draft:
    gold, plain, lowered, upright, wrong_one = rng.choice(_FORMULAE)
    others = [one[0] for one in _FORMULAE if one[0] != gold]
    return Draft(
        gold=gold,
        right=(gold, plain, lowered, upright, f"\\text{{{plain}}}"),
        wrong=(wrong_one, rng.choice(others), f"2{gold}", f"{gold} or {wrong_one}", f"\\mathrm{{{wrong_one}}}"),
    )


def element(rng: Random) -> Draft:
    one, two = rng.choice(_ELEMENTS)
    return Draft(
        gold=one,
        right=(one, f"\\text{{{one}}}", f"\\mathrm{{{one}}}", f"{one}."),
        wrong=(two, f"\\text{{{two}}}", f"{one} or {two}", one.upper(), f"{one}, {two}", f"\\mathrm{{{two}}}"),
    )


def genotype(rng: Random) -> Draft:
    letters = rng.choice(("A", "B", "AB", "T", "RY", "AB"))
    gold = "".join(rng.choice((x + x, x + x.lower(), x.lower() * 2)) for x in letters)
    change = gold
    while change == gold:
        change = "".join(rng.choice((x + x, x + x.lower(), x.lower() * 2)) for x in letters)
    right = (gold, f"\\text{{{gold}}}", f"\\mathrm{{{gold}}}", f"{gold}.", f" {gold} ")
    wrong = (change, f"\\text{{{change}}}", f"{gold} or {change}", f"{change}.", f"{gold}, {change}")
    return Draft(gold=gold, right=right, wrong=wrong)


def state(rng: Random) -> Draft:
    gold, form, opposite, other_form = rng.choice(_STATES)
    right = (gold, f"\\text{{{gold}}}", form, gold.lower(), f"\\text{{{form}}}", f"{gold}.")
    wrong = (
        opposite, f"\\text{{{opposite}}}", other_form, "remains the same", f"{gold} or {opposite}",
        f"\\text{{{other_form}}}", f"does not {gold}",
    )  # fmt: skip
    return Draft(gold=gold, right=right, wrong=wrong)


def states(rng: Random) -> Draft:
    (a, _, b, _), (c, _, d, _) = rng.sample(_STATES, 2)
    if {a, b} == {c, d}:
        return states(rng)
    right = (f"{a}, {c}", f"{a.lower()}, {c.lower()}", f"\\text{{{a}, {c}}}", f"{a} and {c}", f"{a}; {c}")
    wrong = (f"{b}, {c}", f"{a}, {d}", f"{b}, {d}", a, c, f"\\text{{{b}, {c}}}", f"{a}, {c}, {d}")
    return Draft(gold=right[0], right=right, wrong=wrong)


def named_quantities(rng: Random) -> Draft:
    names = rng.choice((("x", "y"), ("mean", "SD"), ("p", "q"), ("v", "a"), ("K", "n")))
    numbers = [str(n) for n in rng.sample(range(2, 90), 2)]
    mixed = numbers[::-1]
    changed = [numbers[0], str(int(numbers[1]) + 30)]

    def shown(values: list[str], join: str = ", ", back: bool = False) -> str:
        pairs = [f"{name} = {value}" for name, value in zip(names, values, strict=True)]
        return join.join(pairs[::-1] if back else pairs)

    right = (
        shown(numbers), shown(numbers, back=True), shown(numbers, " and "), ", ".join(numbers), shown(numbers, "; "),
    )  # fmt: skip
    wrong = (
        shown(mixed), shown(mixed, back=True), shown(changed), numbers[0], shown(mixed, " and "), ", ".join(changed),
        f"{names[0]} = {numbers[0]}", ", ".join(mixed),
    )  # fmt: skip
    return Draft(gold=right[0], right=right, wrong=wrong)


def term(rng: Random) -> Draft:
    one, *others = rng.choice(_TERMS)
    two = rng.choice(others)
    right = (one, f"\\text{{{one}}}", one.capitalize(), one.upper(), f"The {one}" if " " in one else f"{one}.")
    wrong = (
        two, f"\\text{{{two}}}", f"not {one}", f"{one} or {two}", f"{one} and {two}", one[:2], "none", f"{one}, {two}",
    )  # fmt: skip
    return Draft(gold=one, right=right, wrong=wrong)


def count(rng: Random) -> Draft:
    n = rng.randint(1850, 2030)
    right = (str(n), f"{n}.", f"\\text{{{n}}}", f"x = {n}", f"{n}.0")
    wrong = (f"{n + 1}", f"{n - 1}", f"{n}.6", f"{n - 1}.6", f"{n}, {n + 1}", f"-{n}", f"{n} or {n + 1}", f"{n}0")
    return Draft(gold=str(n), right=right, wrong=wrong, is_one_value=True)


def orbital(rng: Random) -> Draft:
    values = rng.sample(["3s", "2p", "4d", "3p", "1s"], 2)
    gold = values[0]
    return Draft(
        gold=gold,
        right=(gold, f"\\text{{{gold}}}", f"{gold}."),
        wrong=(
            values[1],
            f"\\text{{{values[1]}}}",
            f"{gold[1]}{gold[0]}",
            ", ".join(shuffled(rng, values)),
        ),
    )


KINDS: dict[str, Kind] = {
    "stem quantity": quantity,
    "stem formula": formula,
    "stem element": element,
    "stem genotype": genotype,
    "stem state": state,
    "stem states": states,
    "stem named quantities": named_quantities,
    "stem term": term,
    "stem count": count,
    "stem orbital": orbital,
}
