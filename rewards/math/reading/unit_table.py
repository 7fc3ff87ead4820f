"""The units that `rewards.math.reading.unit` knows, each in terms of earlier ones."""

# Names of a unit; a star in front says that SI prefixes are in use. Then its factor and the units it multiplies or
# divides. Conventional values: BIPM, The International System of Units (2019); NIST Special Publication 811, App. B.
DEFINITIONS: tuple[tuple[str, str], ...] = (
    ("*g gram gm", "1e-3 kg"), ("*m meter metre", "1 m"), ("*s sec second", "1 s"), ("*A amp ampere", "1 A"),
    ("*K kelvin", "1 K"), ("*mol mole", "1 mol"), ("*cd candela", "1 cd"), ("$ USD dollar", "1 dollar"),
    ("cent", "0.01 dollar"),
    ("*bit", "1 bit"), ("*B byte", "8 bit"), ("dB decibel", "1 dB"), ("%", "0.01"), ("rad radian", "1"),
    ("*sr steradian", "1"), ("rev revolution turn cycle", "6.283185307179586"),
    ("deg degree °", "0.017453292519943295"), ("*Hz hertz", "1 /s"), ("*N newton", "1 kg m /s^2"),
    ("*Pa pascal", "1 N /m^2"), ("*J joule", "1 N m"), ("*W watt", "1 J /s"), ("*C coulomb", "1 A s"),
    ("*V volt", "1 W /A"), ("*F farad", "1 C /V"), ("*ohm Ω", "1 V /A"),
    ("*S siemens mho", "1 /ohm"), ("*Wb weber", "1 V s"), ("*T tesla", "1 Wb /m^2"), ("*H henry", "1 Wb /A"),
    ("*lm lumen", "1 cd"), ("*lx lux", "1 lm /m^2"), ("*Bq becquerel", "1 /s"), ("*Gy gray", "1 J /kg"),
    ("*Sv sievert", "1 J /kg"), ("*L l liter litre", "1e-3 m^3"), ("*M molar", "1 mol /L"),
    ("*eV electronvolt", "1.602176634e-19 J"), ("*cal calorie", "4.184 J"), ("Cal", "4184 J"), ("*bar", "1e5 Pa"),
    ("atm atmosphere", "101325 Pa"), ("mmHg torr Torr", "133.322368 Pa"), ("psi", "6894.757293 Pa"),
    ("min minute", "60 s"), ("h hr hour", "3600 s"), ("day d", "86400 s"), ("week wk", "604800 s"),
    ("*yr year y", "31557600 s"), ("month", "2629800 s"), ("in inch inches", "0.0254 m"),
    ("ft foot feet", "0.3048 m"), ("yd yard", "0.9144 m"), ("mi mile", "1609.344 m"),
    ("lb lbm lbs pound", "0.45359237 kg"), ("lbf", "4.4482216152605 N"), ("oz ounce", "0.028349523125 kg"),
    ("slug", "14.59390294 kg"), ("t tonne", "1000 kg"), ("ton", "907.18474 kg"),
    ("gal gallon", "3.785411784e-3 m^3"), ("hp horsepower", "745.699872 W"), ("mph", "0.44704 m /s"),
    ("kph kmh kmph", "5/18 m /s"), ("rpm", "0.10471975511965977 /s"), ("knot kn", "0.5144444444 m /s"),
    ("Å angstrom Angstrom", "1e-10 m"), ("u amu Da dalton", "1.66053906660e-27 kg"), ("D debye", "3.33564e-30 C m"),
    ("erg", "1e-7 J"), ("dyn dyne", "1e-5 N"), ("G gauss", "1e-4 T"), ("Ci curie", "3.7e10 /s"),
    ("BTU Btu", "1055.05585 J"), ("ppm", "1e-6"), ("ppb", "1e-9"), ("AU", "1.495978707e11 m"),
    ("ly lightyear", "9.4607304725808e15 m"), ("*pc parsec", "3.0856775814913673e16 m"), ("P poise", "0.1 Pa s"),
    ("cP", "0.001 Pa s"), ("acre", "4046.8564224 m^2"), ("ha hectare", "1e4 m^2"),
    ("°C celsius degC", "1 K"), ("°F fahrenheit degF", "5/9 K"), ("unit", "1"),
    ("particle", "1"), ("photon", "1"), ("item", "1"),
)  # fmt: skip

PREFIXES = {
    "Y": "1e24", "Z": "1e21", "E": "1e18", "P": "1e15", "T": "1e12", "G": "1e9", "M": "1e6", "k": "1e3", "h": "1e2",
    "da": "1e1", "d": "1e-1", "c": "1e-2", "m": "1e-3", "u": "1e-6", "µ": "1e-6", "μ": "1e-6", "n": "1e-9",
    "p": "1e-12", "f": "1e-15", "a": "1e-18",
    "giga": "1e9", "mega": "1e6", "kilo": "1e3", "deci": "1e-1", "centi": "1e-2", "milli": "1e-3", "micro": "1e-6",
    "nano": "1e-9", "pico": "1e-12", "femto": "1e-15", "tera": "1e12",
}  # fmt: skip

# What is added to a temperature after it was multiplied.
OFFSETS = {"°C": "273.15", "°F": "45967/180"}
