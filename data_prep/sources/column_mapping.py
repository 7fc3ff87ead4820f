"""A declared mapping from a file's own columns to verl's, so that any data file can be a source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_prep.sources.record_file import Record
from data_prep.spec import DataError
from rewards.bounded_file import MIB, read_text

FILE_NAME = "columns.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """Which columns of a file mean what.

    Attributes:
        prompt: Column of the problem, text or a list of messages.
        ground_truth: Column of the gold answer.
        data_source: The source's name, which decides the scorer; or
        data_source_column: the column that has it.
        template: Text around a textual problem, with `{prompt}` where it goes.
        ground_truth_after: The gold answer is what follows the last occurrence of this text, e.g. `####`.
        solution: Column of a reference solution.
        problem_id: Column of the source's own name of the problem.
        pass_rates: Pass-rate column in our naming to the file's column.
        evaluation: Whether the problems are for evaluation, never for training; None: as the file's name says.
    """

    prompt: str
    ground_truth: str
    data_source: str | None = None
    data_source_column: str | None = None
    template: str = "{prompt}"
    ground_truth_after: str | None = None
    solution: str | None = None
    problem_id: str | None = None
    pass_rates: Mapping[str, str] = field(default_factory=dict)
    evaluation: bool | None = None

    def __post_init__(self) -> None:
        """Refuses a mapping that cannot be applied.

        Raises:
            DataError: No or two data_sources, a template without the problem.
        """
        if (self.data_source is None) == (self.data_source_column is None):
            raise DataError("set exactly one of data_source and data_source_column.")
        if "{prompt}" not in self.template:
            raise DataError(f"template {self.template!r} must contain {{prompt}}.")

    def apply(self, record: Record, where: str) -> Record:
        """The record in verl's columns; columns without a meaning are kept as further columns.

        Raises:
            DataError: A declared column is missing, or the gold marker does not occur.
        """
        declared = [self.prompt, self.ground_truth, self.data_source_column, self.solution, self.problem_id]
        used = {name for name in (*declared, *self.pass_rates.values()) if name is not None}
        missing = sorted(used - set(record))
        if missing:
            raise DataError(f"{where}: no column {missing}, which {FILE_NAME} names; there are {sorted(record)}.")
        extra: dict[str, object] = {}
        if self.solution is not None:
            extra["solution"] = record[self.solution]
        if self.problem_id is not None:
            extra["source_id"] = record[self.problem_id]
        rates = {name: _number(record[column]) for name, column in self.pass_rates.items()}
        source = self.data_source if self.data_source_column is None else record[self.data_source_column]
        kept_whole = {self.ground_truth} if self.ground_truth_after is not None else set()
        rest = {name: value for name, value in record.items() if name not in used - (kept_whole - {self.solution})}
        return rest | {
            "data_source": source,
            "prompt": self._messages(record[self.prompt]),
            "reward_model": {"style": "rule", "ground_truth": self._gold(record[self.ground_truth], where)},
            "extra_info": extra,
            **rates,
        }

    def _messages(self, prompt: object) -> object:
        if not isinstance(prompt, str):
            return prompt
        return [{"role": "user", "content": self.template.replace("{prompt}", prompt)}]

    def _gold(self, gold: object, where: str) -> object:
        if self.ground_truth_after is None:
            # Scorers read text; a number is its own text.
            return str(gold) if isinstance(gold, int | float) and not isinstance(gold, bool) else gold
        if not isinstance(gold, str) or self.ground_truth_after not in gold:
            raise DataError(f"{where}: the gold answer has no {self.ground_truth_after!r} ({FILE_NAME}).")
        return gold.rpartition(self.ground_truth_after)[2].strip()


def _number(value: object) -> object:
    """A number that is written as text, as every cell of a CSV file is."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


@dataclass(frozen=True, slots=True)
class Declared:
    """What `columns.yaml` says of a file: its columns, None where they are verl's, and what it is for."""

    mapping: ColumnMapping | None
    evaluation: bool | None


def read_mappings(root: Path) -> dict[str, Declared]:
    """What `columns.yaml` of a folder declares: by file pattern, in their order; {} without one.

    Raises:
        DataError: Not YAML, or a mapping with unknown, missing or ill-typed entries.
    """
    path = root / FILE_NAME
    try:
        return mappings_of(read_text(path, MIB), path) if path.is_file() else {}
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path}: not YAML: {error}") from error


def mappings_of(text: str, path: Path) -> dict[str, Declared]:
    """What a text declares that is, or would be, the `columns.yaml` at `path`.

    Raises:
        DataError: As `read_mappings` says.
    """
    import yaml

    try:
        declared = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f"{path}: not YAML: {error}") from error
    except RecursionError:
        raise DataError(f"{path}: nested too deep.") from None
    if not isinstance(declared, dict):
        raise DataError(f"{path}: must map file patterns such as '*.jsonl' to their columns.")
    return {str(pattern): _declared(path, str(pattern), values) for pattern, values in declared.items()}


def _declared(path: Path, pattern: str, values: Any) -> Declared:
    if not isinstance(values, dict):
        raise DataError(f"{path}: {pattern} must map verl's columns to the file's.")
    if set(values) == {"evaluation"}:
        if not isinstance(values["evaluation"], bool):
            raise DataError(f"{path}: {pattern}: evaluation must be true or false, not {values['evaluation']!r}.")
        return Declared(None, values["evaluation"])
    mapping = _mapping(path, pattern, values)
    return Declared(mapping, mapping.evaluation)


def _mapping(path: Path, pattern: str, values: dict[Any, Any]) -> ColumnMapping:
    from pydantic import TypeAdapter, ValidationError

    unknown = sorted(map(str, set(values) - set(ColumnMapping.__dataclass_fields__)))
    if unknown:
        known = ", ".join(ColumnMapping.__dataclass_fields__)
        raise DataError(f"{path}: {pattern} has unknown entries {unknown}. Known: {known}.")
    try:
        return TypeAdapter(ColumnMapping).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ": ".join([str(path), pattern, *([".".join(map(str, first["loc"]))] if first["loc"] else [])])
        raise DataError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from error
