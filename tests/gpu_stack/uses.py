"""What source files use of a package: their imports of it, their calls, and what they call with."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.gpu_stack.package import Package, Signature, Thing


@dataclass(frozen=True, slots=True)
class Import:
    """`from module import name`, or `import module` where there is no name.

    Attributes:
        module: Whose.
        name: Of what; None: of the module itself.
        line: Where it stands.
        tried: Line of the `try` with a handler that it stands in; None: its failure is not foreseen.
        instead: Line of the `try` in whose handler it stands: it counts where what was tried is not there.
    """

    module: str
    name: str | None
    line: int
    tried: int | None
    instead: int | None


def imports(tree: ast.AST, package: str) -> list[Import]:
    """All imports of a package, wherever in the file."""
    tried: dict[int, int] = {}
    instead: dict[int, int] = {}
    for attempt in (node for node in ast.walk(tree) if isinstance(node, ast.Try) and node.handlers):
        for where, body in ((tried, attempt.body), (instead, attempt.handlers)):
            where.update({id(inner): attempt.lineno for part in body for inner in ast.walk(part)})
    found = []
    for node in ast.walk(tree):
        names: list[tuple[str, str | None]] = []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [(node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [(alias.name, None) for alias in node.names]
        for module, name in names:
            if module.split(".")[0] == package:
                found.append(Import(module, name, node.lineno, tried.get(id(node)), instead.get(id(node))))
    return sorted(found, key=lambda item: (item.line, item.name or ""))


def missing_imports(tree: ast.AST, package: Package, name: str) -> list[str]:
    """Imports of a package that fail and that nothing in the file stands in for, with their lines."""
    all_of_them = imports(tree, name)
    absent = [
        item
        for item in all_of_them
        if (package.module(item.module) if item.name is None else package.find(item.module, item.name)) is None
    ]
    failed = {item.tried for item in absent}
    return [
        f"line {item.line}: {item.module} has no {item.name or 'module'}"
        for item in absent
        if item.tried is None and (item.instead is None or item.instead in failed)
    ]


class Calls:
    """The calls that a file makes of things that it imports from a package, and of what those return."""

    def __init__(self, tree: ast.Module, package: Package, name: str) -> None:
        """`tree`: the file; `name`: the package's."""
        self._tree, self._package = tree, package
        self._things: dict[str, Thing] = {}  # by the name in the file
        for item in imports(tree, name):
            thing = package.find(item.module, item.name) if item.name else None
            if item.name and thing:
                self._things[item.name] = thing
        self._instances: dict[str, Thing] = {}  # by the expression in the file
        given = list(_given(tree))
        for _ in range(3):  # self.engine = client, and client = Class.from_config(...), in whatever order
            for target, value in given:
                made = self._made(value)
                if made is not None:
                    self._instances[target] = made
                if ast.unparse(value) in self._things:
                    self._things[target] = self._things[ast.unparse(value)]

    def _made(self, value: ast.expr) -> Thing | None:
        """The class of what an expression gives: Class(...), Class.from_...(...), or a name that had one."""
        if isinstance(value, ast.Call):
            thing = self._things.get(ast.unparse(_called(value)))
            return thing if thing and isinstance(thing.node, ast.ClassDef) else None
        if isinstance(value, ast.Attribute) and ast.unparse(value.value) in self._instances:
            return self._attribute(self._instances[ast.unparse(value.value)], value.attr)
        return self._instances.get(ast.unparse(value))

    def _attribute(self, thing: Thing, name: str) -> Thing | None:
        """The class of an attribute that a class of the package sets as Class(...) or Class.from_...(...)."""
        for base in self._package.bases(thing):
            assert base.node is not None
            for target, value in _given(base.node):
                if target == f"self.{name}" and isinstance(value, ast.Call):
                    called = _called(value)
                    found = self._package.find(base.module, called.id) if isinstance(called, ast.Name) else None
                    if found is not None and isinstance(found.node, ast.ClassDef):
                        return found
        return None

    def wrong(self) -> Iterator[str]:
        """What the calls pass that is not taken, with the line."""
        for call, said, signature in self.known():
            if signature is None:
                yield f"line {call.lineno}: {said} does not exist"
                continue
            n_places = sum(not isinstance(item, ast.Starred) for item in call.args)
            if n_places > len(signature.positional) and not signature.takes_any_place:
                yield f"line {call.lineno}: {said} takes {len(signature.positional)} by place, not {n_places}"
            is_spread = any(isinstance(item, ast.Starred) for item in call.args) or None in {
                item.arg for item in call.keywords
            }
            lacking = signature.required - {*signature.positional[:n_places], *self.keys(call)}
            if lacking and not is_spread:
                yield f"line {call.lineno}: {said} needs {', '.join(sorted(lacking))}"
            for key in self.keys(call):
                if key not in signature.keywords and not signature.is_open:
                    yield f"line {call.lineno}: {said} has no {key}"

    def known(self) -> Iterator[tuple[ast.Call, str, Signature | None]]:
        """Each call of something of the package: how the file calls it, and what it takes; None: there is none such."""
        for call in (node for node in ast.walk(self._tree) if isinstance(node, ast.Call)):
            said = ast.unparse(call.func)
            if said in self._things:
                signature = self._package.signature(self._things[said])
                if signature is not None:
                    yield call, said, signature
            elif isinstance(call.func, ast.Attribute):
                of = ast.unparse(call.func.value)
                thing = self._things.get(of) or self._instances.get(of)
                if thing is not None and isinstance(thing.node, ast.ClassDef):
                    method = self._package.method(thing, call.func.attr)
                    if method is None and not self._package.is_known_whole(thing):
                        continue
                    yield call, f"{thing.name}.{call.func.attr}", method and self._package.signature(method)

    def keys(self, call: ast.Call) -> list[str]:
        """Names that a call passes, those of `**name` too as far as its function writes them down."""
        named = [item.arg for item in call.keywords if item.arg is not None]
        spread = {ast.unparse(item.value) for item in call.keywords if item.arg is None}
        around = [
            node
            for node in ast.walk(self._tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and any(call is inner for inner in ast.walk(node))
        ]
        return [*named, *(keys_of(around[-1], *spread) if around and spread else {})]


def _called(call: ast.Call) -> ast.expr:
    """What is called, or whose `from_...` is."""
    is_maker = isinstance(call.func, ast.Attribute) and call.func.attr.startswith("from_")
    return call.func.value if is_maker else call.func


def _given(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Assignments; and what a class of the file gets for its attributes, where the file makes one and passes it in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            yield from _pairs(node.targets[0], node.value)
        elif isinstance(node, ast.ClassDef):
            made = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
            for call in (item for item in ast.walk(node) if made and isinstance(item, ast.Call)):
                if ast.unparse(call.func) in ("cls", node.name):
                    places = [item.arg for item in made[0].args.args[1:]]
                    passed = dict(zip(places, call.args, strict=False))
                    passed |= {item.arg: item.value for item in call.keywords if item.arg is not None}
                    for target, value in _given(made[0]):
                        yield target, passed.get(ast.unparse(value), value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for inner, part in zip(target.elts, value.elts, strict=True):
            yield from _pairs(inner, part)
    else:
        yield ast.unparse(target), value


def keys_of(function: ast.AST, *names: str) -> dict[str, int]:
    """Keys of the dictionaries with these names that a function writes down, each with its line.

    Read are `name = {...}`, `name = dict(...)`, `name["key"] = ...`, `name.update(...)`, `name.setdefault("key", ...)`
    and the same of the dictionaries that are put into it by name.
    """
    found: dict[str, int] = {}
    todo, seen = list(names), set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for node in ast.walk(function):
            for value in _put_into(node, name):
                match value:
                    case ast.Dict():
                        found |= {key.value: key.lineno for key in value.keys if isinstance(key, ast.Constant)}
                        inside = [part for key, part in zip(value.keys, value.values, strict=True) if key is None]
                        todo += [part.id for part in inside if isinstance(part, ast.Name)]
                    case ast.Call() if ast.unparse(value.func) == "dict":
                        found |= {item.arg: item.value.lineno for item in value.keywords if item.arg is not None}
                        todo += [item.id for item in value.args if isinstance(item, ast.Name)]
                    case ast.Constant(value=str(key)):
                        found[key] = value.lineno
                    case ast.Name():
                        todo.append(value.id)
    return found


def _put_into(node: ast.AST, name: str) -> list[ast.expr]:
    """What a statement or call puts into the dictionary with a name: dictionaries, names of them, or a key."""
    match node:
        case ast.Assign(targets=[ast.Name(id=target)], value=ast.Dict() | ast.Call() as value) if target == name:
            return [value]
        case ast.AnnAssign(target=ast.Name(id=target), value=ast.Dict() | ast.Call() as value) if target == name:
            return [value]
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=target), slice=ast.Constant() as key)]):
            return [key] if target == name else []
        case ast.Call(func=ast.Attribute(value=ast.Name(id=target), attr="update"), args=[value]) if target == name:
            return [value]
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=target), attr="setdefault"), args=[ast.Constant() as key, _]
        ):
            return [key] if target == name else []
    return []


def function(path: Path, name: str) -> ast.AST:
    """A function or method of a file by its name.

    Raises:
        LookupError: There is none, so that what was to be read of it would be read of nothing.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return node
    raise LookupError(f"{path} has no function {name}")
