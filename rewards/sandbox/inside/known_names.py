"""What test code uses without importing it, relying on the program's imports.

It must not be the program's: a patched `isclose` would pass anything.
"""

ALIASES = {"np": "numpy", "pd": "pandas", "dt": "datetime", "nx": "networkx"}
MEMBERS = {
    **dict.fromkeys(("isclose", "sqrt", "inf", "nan", "pi", "gcd", "lcm", "floor", "ceil", "factorial"), "math"),
    **dict.fromkeys(("Counter", "defaultdict", "deque", "OrderedDict", "namedtuple"), "collections"),
    **dict.fromkeys(("permutations", "combinations", "product", "chain", "accumulate", "zip_longest"), "itertools"),
    **dict.fromkeys(("reduce", "partial", "lru_cache", "cache", "cmp_to_key"), "functools"),
    **dict.fromkeys(("List", "Dict", "Set", "Tuple", "Optional", "Union", "Any", "Callable", "Iterable"), "typing"),
    **{"Decimal": "decimal", "Fraction": "fractions", "deepcopy": "copy", "randint": "random"},
    **dict.fromkeys(("heappush", "heappop", "heapify"), "heapq"),
    **dict.fromkeys(("ascii_lowercase", "ascii_uppercase", "ascii_letters", "digits"), "string"),
    **dict.fromkeys(("bisect_left", "bisect_right"), "bisect"),
    **dict.fromkeys(("date", "datetime", "timedelta"), "datetime"),
}
# Spelled so by JSON, which generated tests paste into Python.
JSON_WORDS = {"true": True, "false": False, "null": None}
