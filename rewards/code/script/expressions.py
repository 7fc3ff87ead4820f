"""Evaluates the expressions of a test script without `eval`, from a closed list of built-ins, methods and modules."""

import ast
import builtins
import operator
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rewards.code.script.builtins import BUILTINS, CONSTANTS, OPERATORS, TYPES, CheckFailed, Unsupported, modules, truth
from rewards.code.script.comparison import holds
from rewards.code.script.linked_values import CONSTRUCTORS
from rewards.code.script.names import Literal, Scope
from rewards.code.script.remote_calls import OPAQUE, Recording, Remote, Results, Unknown, is_unknown

_MAX_STEPS = 2_000_000
_MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Module:
    """An imported module of the closed list."""

    members: dict[str, object]


class Expressions:
    """One run of a script: its scope, its step budget, and either a recording or the results."""

    def __init__(
        self, remote: Recording | Results, forced: frozenset[str], last_read: dict[str, tuple[int, int]]
    ) -> None:
        """`forced` names belong to the program even where a built-in has the same name.

        `last_read` gives each name's last place in the script, by line and column.
        """
        self.last_read = last_read
        self.remote = remote
        self.recording = remote if isinstance(remote, Recording) else None
        self.forced = forced
        self.program_names: set[str] = set()
        self.scope = Scope()
        self.uses_nodes = False
        self.checks = 0
        self.modules = modules()
        self._steps = 0
        self.depth = 0
        self._tracked = 0

    # -- running -------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Counts one step.

        Raises:
            Unsupported: The budget is spent.
        """
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise Unsupported("the tests compute too long")

    def value(self, node: ast.expr) -> object:
        """The value of an expression that is about to be used; what belongs to the program is read now."""
        if self.recording is None and isinstance(self.remote, Results) and self.remote.knows(("use", id(node))):
            return self.remote.take(("use", id(node)))
        found = self.any(node)
        if isinstance(found, Remote):
            return self._fetch(("use", id(node)), found)
        return found

    def tested(self, node: ast.expr) -> object:
        """The value of an expression of which only the truth matters.

        The truth of an object that cannot be represented, such as a match of a regular expression, is told by the
        program: it might as well have returned that truth.
        """
        value = self.value(node)
        key = ("truth", id(node))
        if self.recording is not None:
            if isinstance(value, Unknown) and value.call is not None:
                self.recording.add(key, f"not not {self.recording.text_of(value)}")
        elif value is OPAQUE and isinstance(self.remote, Results) and self.remote.knows(key):
            return self.remote.take(key)
        return value

    def any(self, node: ast.expr) -> object:
        """The value of an expression, or a `Remote` that stands for something of the program."""
        self.step()
        method: Callable[[ast.expr], object] | None = getattr(self, f"_on_{type(node).__name__}", None)
        if method is None:
            raise Unsupported(type(node).__name__)
        return method(node)

    def _fetch(self, key: tuple[str, int], what: Remote | None) -> object:
        if self.recording is not None:
            if what is None:
                raise Unsupported("no text")
            return self.recording.add(key, what.source)
        assert isinstance(self.remote, Results)
        return self.remote.take(key)

    # -- names and constants -------------------------------------------------------------------------------------

    def _on_Constant(self, node: ast.Constant) -> object:
        value: object = node.value  # `FoldLiterals` puts its own kind there
        return value.thaw() if isinstance(value, Literal) else value

    def _on_Name(self, node: ast.Name) -> object:
        return self.look_up(node.id)

    def look_up(self, name: str) -> object:
        """What a name means: a variable of the script, a built-in of the closed list, or the program's."""
        found = self.scope.get(name)
        if found is not None:
            return found.value
        if name not in self.forced:
            for table in (BUILTINS, TYPES, CONSTANTS, CONSTRUCTORS):
                if name in table:
                    return table[name]
            if hasattr(builtins, name):
                raise Unsupported(name)
        self.program_names.add(name)
        return Remote(name)

    # -- displays ------------------------------------------------------------------------------------------------

    def _items(self, nodes: Iterable[ast.expr]) -> list[object]:
        items: list[object] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                items += self._iterable(self.value(node.value))
            else:
                items.append(self.any(node))
        return items

    def _on_List(self, node: ast.List) -> object:
        return self._items(node.elts)

    def _on_Tuple(self, node: ast.Tuple) -> object:
        return tuple(self._items(node.elts))

    def _on_Set(self, node: ast.Set) -> object:
        return set(self._items(node.elts))

    def _on_Dict(self, node: ast.Dict) -> object:
        result: dict[object, object] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise Unsupported("** in a display")
            result[self.any(key)] = self.any(value)
        return result

    def _iterable(self, value: object) -> list[object]:
        if is_unknown(value) and not isinstance(value, list | tuple):
            raise Unsupported("iteration over a result")
        if isinstance(value, range) and len(value) > _MAX_STEPS:
            raise Unsupported("range too long")
        if not isinstance(value, Iterable):
            raise CheckFailed("not iterable")
        return list(value)

    def _on_JoinedStr(self, node: ast.JoinedStr) -> object:
        parts: list[str] = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                parts.append(str(part.value))
            elif isinstance(part, ast.FormattedValue) and part.format_spec is None and part.conversion == -1:
                value = self.value(part.value)
                if is_unknown(value):
                    return Unknown()
                parts.append(str(value))
            else:
                raise Unsupported("format specification")
        return "".join(parts)

    # -- operators -----------------------------------------------------------------------------------------------

    def _on_BinOp(self, node: ast.BinOp) -> object:
        left, right = self.value(node.left), self.value(node.right)
        return self._apply(OPERATORS[type(node.op)], left, right) if type(node.op) in OPERATORS else self._refuse(node)

    def _refuse(self, node: ast.AST) -> object:
        raise Unsupported(type(node).__name__)

    def _on_UnaryOp(self, node: ast.UnaryOp) -> object:
        operand = self.tested(node.operand) if isinstance(node.op, ast.Not) else self.value(node.operand)
        return self._apply(OPERATORS[type(node.op)], operand)

    def _apply(self, function: Callable[..., object], *values: object) -> object:
        if self.recording is not None and any(is_unknown(value) for value in values):
            return Unknown()
        return function(*values)

    def _on_BoolOp(self, node: ast.BoolOp) -> object:
        result: object = None
        unknown = False
        for operand in node.values:
            result = self.tested(operand)
            if is_unknown(result):
                unknown = True  # later operands may be needed, so their calls are recorded too
            elif truth(result) is isinstance(node.op, ast.Or) and not unknown:
                return result
        return Unknown() if unknown else result

    def _on_IfExp(self, node: ast.IfExp) -> object:
        test = self.value(node.test)
        if is_unknown(test):
            self.any(node.body)
            self.any(node.orelse)
            return Unknown()
        return self.any(node.body if truth(test) else node.orelse)

    def _on_Compare(self, node: ast.Compare) -> object:
        left = self.value(node.left)
        for operation, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            if self.recording is not None and (is_unknown(left) or is_unknown(right)):
                for rest in node.comparators[node.comparators.index(right_node) + 1 :]:
                    self.value(rest)
                return Unknown()
            if not holds(operation, left, right):
                return False
            left = right
        return True

    # -- access --------------------------------------------------------------------------------------------------

    def owner(self, node: ast.expr) -> object:
        """What stands before a dot: there, the name of a module is one even where the tests forgot to import it."""
        if isinstance(node, ast.Name) and self.scope.get(node.id) is None and node.id not in self.forced:
            if node.id in self.modules:
                return Module(self.modules[node.id])
            if node.id in sys.stdlib_module_names:
                raise Unsupported(f"module {node.id}")
        return self.any(node)

    def _on_Attribute(self, node: ast.Attribute) -> object:
        base = self.owner(node.value)
        if isinstance(base, Module):
            if node.attr in base.members:
                return base.members[node.attr]
            raise Unsupported(f"attribute {node.attr}")
        return self._member(base, node.attr)

    def _member(self, base: object, name: str) -> Remote:
        """An attribute of something that the program has; results themselves are not looked into here."""
        if isinstance(base, Remote):
            return Remote(f"{base.source}.{name}")
        if self.recording is not None:
            if not isinstance(base, Unknown) or base.call is None:
                raise Unsupported(f"attribute {name}")
            return Remote(f"{self.recording.text_of(base)}.{name}")
        return Remote("?")

    def _on_Subscript(self, node: ast.Subscript) -> object:
        base = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            parts = [
                None if p is None else self.value(p) for p in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            return self._apply(lambda b, *p: b[slice(*p)], base, *parts)
        return self._apply(operator.getitem, base, self.value(node.slice))

    def bind(self, target: ast.expr, value: object) -> None:
        """Assigns to a name, a subscript of the script's own, or a pattern of names."""
        if isinstance(target, ast.Name):
            self.scope.set(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, Unknown):
                values: list[object] = [Unknown() for _ in target.elts]
            else:
                values = self._iterable(value)
            if len(values) != len(target.elts):
                raise CheckFailed("unpacking")
            for part, item in zip(target.elts, values, strict=True):
                self.bind(part, item)
        elif isinstance(target, ast.Subscript):
            container, key = self.value(target.value), self.value(target.slice)
            if not isinstance(container, dict | list):
                raise Unsupported("assignment into a result")
            container[key] = value  # type: ignore[call-overload]
        elif isinstance(target, ast.Attribute):
            base = self.any(target.value)
            if isinstance(base, Module) or (not is_unknown(base) and self.recording is not None):
                raise Unsupported("assignment to an attribute")
            if self.recording is not None:
                texts = self.recording.text_of(base), self.recording.text_of(value)
                self.recording.add(("assign", id(target)), f"{texts[0]}.__setattr__({target.attr!r}, {texts[1]})")
        else:
            raise Unsupported(type(target).__name__)
