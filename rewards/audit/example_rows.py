"""Rows to audit a data source by its name alone: golds of the forms that the scorer of its family reads."""

import json
from collections.abc import Mapping

from rewards.check.gold_check import GoldRow
from rewards.problem.domains import UnknownDataSource
from rewards.program import UserError
from rewards.route.scorers import scorer_of

_PROGRAM = "def double(x):\n    return 2 * x"
_CHOICE = {"question": "How long is it?\n(A) 5 m\n(B) 6 m\n(C) 7 m\n(D) 8 m"}
_SOLVED = {"solution": _PROGRAM}
_READS = {"solution": "print(2 * int(input()))"}
_CODE: tuple[tuple[object, Mapping[str, object]], ...] = (
    (json.dumps({"functional": "assert double(21) == 42\nassert double(-3) == -6"}), _SOLVED),
    (json.dumps({"fn_name": "double", "inputs": [[21], [-3]], "outputs": [42, -6]}), _SOLVED),
    (json.dumps({"inputs": ["21\n", "-3\n"], "outputs": ["42\n", "-6\n"]}), _READS),
    (
        json.dumps({"functional": "for x in range(5, 9):\n    assert double(x) == x + x"}),
        _SOLVED,
    ),
)
_GRID = [[0, 1], [2, 3]]
_ZEBRA = {"header": ["House", "Name"], "rows": [["1", "Ann"], ["2", "Bob"]]}
_EXAMPLES: Mapping[str, tuple[tuple[object, Mapping[str, object]], ...]] = {
    "math": tuple((gold, {}) for gold in ("42", "\\frac{3}{4}", "x^2 + 2x", "(-1, 3]", "3, 4", "\\sqrt{2} + 1", "0.5")),
    "integer": (("42", {}), ("-7", {})),
    "lookup": (("Ann Baker", {}),),
    "gsm8k": (("42", {}), ("1200", {})),
    "code": _CODE,
    "synthetic code": _CODE[:3],
    "choice": (("B", _CHOICE), ("D", _CHOICE)),
    "stated choice": (("B", _CHOICE), ("D", _CHOICE)),
    "ordering": ((["ann", "bob", "eve"], {}),),
    "graph": (("north", {}),),
    "arc": ((_GRID, {}),),
    "zebra": ((_ZEBRA, {}),),
    "codeio": (('"output": 42', {}), ('"output": {"a": [1, 2.5]}', {})),
    "table": ((["2019"], {}), (["12.5", "north"], {})),
    "stem": (("5 m", {}), ("increases", {}), ("30 degrees north of east", {}), ("H_2O", {})),
}


def example_rows(data_source: str, own: tuple[str, ...] = ()) -> list[GoldRow]:
    """Some rows of a source of ours, or with an own reward as many of mathematics.

    Raises:
        UserError: Nobody knows the source, or there are no examples for its scorer.
    """
    try:
        family = scorer_of(data_source, own).family
    except UnknownDataSource as error:
        raise UserError(str(error)) from None
    examples = _EXAMPLES.get("math" if family.startswith("own reward") else family)
    if examples is None:
        raise UserError(
            f"{data_source}: there are no example rows for the scorer {family}. Give it a file of such rows."
        )
    return [
        GoldRow(where=f"example {number}", data_source=data_source, ground_truth=gold, extra_info=extra)
        for number, (gold, extra) in enumerate(examples, 1)
    ]
