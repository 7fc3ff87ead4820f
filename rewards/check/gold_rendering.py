"""Writes a row's gold answer as a response in its source's format, and a response that is wrong for it."""

import ast
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from rewards.answers import arc, choice, codeio, cruxeval, graph, ordering, table_answer, zebra
from rewards.problem.python_tree import python_tree
from rewards.problem.question import Question


@dataclass(frozen=True, slots=True)
class Rendering:
    """Two responses: one that must be right and one that must not."""

    right: str
    wrong: str


class NoRendering(ValueError):
    """The row holds nothing that could be written as an answer; the message says what is missing."""


# The fields of extra_info that may hold a reference solution, most likely first.
SOLUTION_FIELDS = ("solution", "reference", "canonical_solution", "reference_solution")
_COMMAND_OR_WORD = re.compile(r"\\[A-Za-z]+|[A-Za-z]{2,}")


def render(family: str, question: Question, solution: str = "") -> Rendering:
    """Renders a gold answer.

    Args:
        family: Of the scorer.
        question: With the fields that the scorer looks at.
        solution: The row's reference program, for code.

    Raises:
        NoRendering: There is no way to write this row's answer.
        BadGroundTruth: The gold cannot be read.
    """
    if family in ("code", "synthetic code"):
        return _code(solution)
    if family not in _RENDERERS:
        raise NoRendering(f"cannot be checked: no rendering for the scorer {family} (rewards/check/gold_rendering.py)")
    return _RENDERERS[family](question)


def perturbed(answer: str) -> str:
    """An answer of the same kind that means something else: another leading digit, another word or a term more."""
    named, equals, value = answer.rpartition("=")
    if named.strip() and value.strip():
        return f"{named}{equals}{perturbed(value)}"
    digit = re.search(r"[1-9]", answer)
    if digit:
        return f"{answer[: digit.start()]}{int(digit.group()) % 9 + 1}{answer[digit.end() :]}"
    if "0" in answer:
        return answer.replace("0", "1", 1)
    letter = re.search(r"(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])", answer)
    if letter and not re.search(r"(?<!\\)\b[A-Za-z]{2,}", answer.replace("\\text", "")):
        other = "B" if letter.group() == "A" else "A" if letter.group().isupper() else "q"
        return f"{answer[: letter.start()]}{other}{answer[letter.end() :]}"
    for found in _COMMAND_OR_WORD.finditer(answer):
        if not found.group().startswith("\\") and not answer[: found.start()].endswith("{"):
            return f"{answer[: found.start()]}un{answer[found.start() :]}"
    word = re.search(r"\{([A-Za-z]{2,})", answer)
    if word:
        return f"{answer[: word.start(1)]}un{answer[word.start(1) :]}"
    return f"{answer}+1"


def _boxed(question: Question) -> Rendering:
    gold = question.gold.strip()
    return Rendering(f"\\boxed{{{gold}}}", f"\\boxed{{{perturbed(gold)}}}")


def _gsm8k(question: Question) -> Rendering:
    gold = question.gold.rpartition("####")[2].strip()
    return Rendering(f"#### {gold}", f"#### {perturbed(gold)}")


def _table(question: Question) -> Rendering:
    answers = table_answer.parse_answers(question.gold)
    return Rendering(
        f"\\boxed{{{' | '.join(answers)}}}", f"\\boxed{{{' | '.join([perturbed(answers[0]), *answers[1:]])}}}"
    )


def _letter(template: str) -> Callable[[Question], Rendering]:
    def rendered(question: Question) -> Rendering:
        letter = choice.parse_letter(question.gold)
        return Rendering(template % letter, template % ("A" if letter != "A" else "B"))

    return rendered


def _tagged(right: object, wrong: object) -> Rendering:
    return Rendering(f"<answer>{right}</answer>", f"<answer>{wrong}</answer>")


def _gym(question: Question) -> Rendering:
    return _tagged(question.gold, "nothing of the kind")


def _ordering(question: Question) -> Rendering:
    names = list(ordering.parse_order(question.gold))
    wrong = [*names[1:], names[0]] if len(set(names)) > 1 else [*names, "another"]
    return _tagged(names, wrong)


def _graph(question: Question) -> Rendering:
    word = graph.parse_path(question.gold)
    return _tagged(word, f"{word}x")


def _arc(question: Question) -> Rendering:
    rows = [list(row) for row in arc.parse_grid(question.gold)]
    wrong = [[(rows[0][0] + 1) % 10, *rows[0][1:]], *rows[1:]]
    return _tagged(rows, wrong)


def _zebra(question: Question) -> Rendering:
    table = zebra.parse_table(question.gold)
    wrong = [[*table.rows[0][:-1], "nothing"], *table.rows[1:]]
    return _tagged(
        json.dumps({"header": table.header, "rows": table.rows}), json.dumps({"header": table.header, "rows": wrong})
    )


def _codeio(question: Question) -> Rendering:
    gold = codeio.parse_prediction(question.gold)
    text = question.gold.strip()
    braced = text if text.startswith("{") else f"{{{text}}}"
    return Rendering(f"```json\n{braced}\n```", f'```json\n{{"{gold.key}": {{"perturbed": true}}}}\n```')


def _execution(question: Question) -> tuple[cruxeval.Execution, str]:
    execution = cruxeval.parse_execution(
        question.gold, question.get("reference"), question.get("original_prompt"), question.get("input")
    )
    if execution.expected_text is None:
        raise NoRendering("the row does not say what the function returns (extra_info.reference)")
    return execution, execution.expected_text


def _crux_output(question: Question) -> Rendering:
    execution, expected = _execution(question)
    call = f"assert {execution.name}({execution.input_text}) == " if execution.input_text is not None else ""
    return Rendering(f"```python\n{call}{expected}\n```", f"```python\n{call}['perturbed', {expected}]\n```")


def _crux_input(question: Question) -> Rendering:
    execution, expected = _execution(question)
    if execution.input_text is None:
        raise NoRendering("the row holds no input that gives the output (extra_info.input)")
    right = f"assert {execution.name}({execution.input_text}) == {expected}"
    wrong = f"assert {execution.name}({execution.input_text}) == ['perturbed', {expected}]"
    return Rendering(f"```python\n{right}\n```", f"```python\n{wrong}\n```")


def _code(solution: str) -> Rendering:
    if not solution.strip():
        raise NoRendering(f"the row holds no reference solution (extra_info.{', '.join(SOLUTION_FIELDS)})")
    code = solution if "```" not in solution else solution.partition("```")[2].partition("\n")[2].rpartition("```")[0]
    try:
        tree = python_tree(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NoRendering(f"the reference solution is not Python: {error}") from error
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    broken = [f"def {name}(*args, **kwargs):\n    return 'perturbed'" for name in names] or ["print('perturbed')"]
    if "Solution" in names:
        broken = ["class Solution:\n    def __getattr__(self, name):\n        return lambda *args: 'perturbed'"]
    return Rendering(f"```python\n{code}\n```", "```python\n" + "\n".join(broken) + "\n```")


_RENDERERS: dict[str, Callable[[Question], Rendering]] = {
    "math": _boxed,
    "integer": _boxed,
    "lookup": _boxed,
    "stem": _boxed,
    "gsm8k": _gsm8k,
    "table": _table,
    "choice": _letter("\\boxed{%s}"),
    "stated choice": _letter("Answer: %s"),
    "reasoning gym": _gym,
    "ordering": _ordering,
    "graph": _graph,
    "arc": _arc,
    "zebra": _zebra,
    "codeio": _codeio,
    "cruxeval-o": _crux_output,
    "cruxeval-i": _crux_input,
}
