"""A Python package read without importing it: which names its modules have, and what a call of one may pass."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_EMPTY = ("ABC", "object", "Protocol")  # classes of elsewhere that bring no method of use


@dataclass(frozen=True, slots=True)
class Signature:
    """What a call may pass.

    Attributes:
        positional: Names of the parameters that take a place, in their order, without `self`.
        keywords: All names that may be given.
        required: Those of them without which a call fails.
        is_open: Whether any other name is taken too, and where it goes cannot be told.
        takes_any_place: Whether there is `*args`.
    """

    positional: tuple[str, ...]
    keywords: frozenset[str]
    required: frozenset[str] = frozenset()
    is_open: bool = False
    takes_any_place: bool = False


@dataclass(frozen=True, slots=True)
class Thing:
    """A class or a function, and the module that defines it; with neither node, a module or a value."""

    module: str
    name: str
    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | None = None


class Package:
    """The sources of a package below a folder."""

    def __init__(self, root: Path) -> None:
        """`root`: the folder that holds the package's folder."""
        self.root = root

    @cache  # noqa: B019  # as long as the checks
    def module(self, name: str) -> ast.Module | None:
        """A module's source, parsed; None: there is no such module."""
        base = self.root.joinpath(*name.split("."))
        for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            if path.exists():
                return ast.parse(path.read_text(), str(path))
        return None

    def find(self, module: str, name: str) -> Thing | None:
        """What `from module import name` gives; None: it fails."""
        tree = self.module(module)
        if tree is None:
            return None
        for node in _top_level(tree.body):
            match node:
                case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() if node.name == name:
                    return Thing(module, name, node)
                case ast.Assign() | ast.AnnAssign() if name in _assigned(node):
                    return Thing(module, name)
                case ast.ImportFrom():
                    for alias in node.names:
                        if (alias.asname or alias.name) == name:
                            source = self._source(module, node)
                            return (source and self.find(source, alias.name)) or Thing(module, name)
                case ast.Import() if any((item.asname or item.name.split(".")[0]) == name for item in node.names):
                    return Thing(module, name)
        lazy = _lazy(tree).get(name)
        if lazy is not None:
            path, _, inner = lazy.partition(":")
            return self.find(f"{module}{path}", inner or name)
        return Thing(f"{module}.{name}", name) if self.module(f"{module}.{name}") else None

    def _source(self, module: str, node: ast.ImportFrom) -> str | None:
        """The module that a `from ... import` in a module of this package names; None: of another package."""
        if not node.level:
            named = node.module or ""
            return named if self.module(named) else None
        is_package = self.root.joinpath(*module.split("."), "__init__.py").exists()
        parts = module.split(".")[: len(module.split(".")) - node.level + is_package]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def bases(self, thing: Thing) -> Iterator[Thing]:
        """A class and, in the order in which Python asks them, the classes of this package that it inherits from."""
        if isinstance(thing.node, ast.ClassDef):
            yield thing
            for base in thing.node.bases:
                named = base.value if isinstance(base, ast.Subscript) else base
                found = self.find(thing.module, named.id) if isinstance(named, ast.Name) else None
                if found is not None:
                    yield from self.bases(found)

    def is_known_whole(self, thing: Thing) -> bool:
        """Whether all that a class inherits is of this package, so that what it lacks it does not have."""
        for base in self.bases(thing):
            assert isinstance(base.node, ast.ClassDef)
            for named in base.node.bases:
                found = self.find(base.module, named.id) if isinstance(named, ast.Name) else None
                if ast.unparse(named) not in _EMPTY and not (found and isinstance(found.node, ast.ClassDef)):
                    return False
        return True

    def method(self, thing: Thing, name: str) -> Thing | None:
        """A class's method, its own or inherited."""
        for base in self.bases(thing):
            assert isinstance(base.node, ast.ClassDef)
            for item in base.node.body:
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name == name:
                    return Thing(base.module, f"{base.name}.{name}", item)
        return None

    def fields(self, thing: Thing) -> dict[str, bool]:
        """The annotated fields of a class (dataclass, struct, typed dictionary), inherited ones first.

        Each with whether it must be given: it has no default.
        """
        return {
            item.target.id: item.value is None
            for base in reversed(list(self.bases(thing)))
            if isinstance(base.node, ast.ClassDef)
            for item in base.node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        }

    def signature(self, thing: Thing) -> Signature | None:
        """What a call of a thing may pass; None: it is nothing whose parameters are written down."""
        if isinstance(thing.node, ast.ClassDef):
            made = self.method(thing, "__init__")
            if made is not None:
                return self.signature(made)
            fields = self.fields(thing)
            needed = frozenset(name for name, must in fields.items() if must)
            return Signature(tuple(fields), frozenset(fields), needed) if fields else None
        if thing.node is None:
            return None
        arguments = thing.node.args
        places = [item.arg for item in (*arguments.posonlyargs, *arguments.args)]
        needed = {*places[: len(places) - len(arguments.defaults)]}
        needed |= {
            item.arg
            for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if default is None
        }
        is_static = any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in thing.node.decorator_list)
        if "." in thing.name and not is_static:
            needed.discard(places.pop(0))
        keywords = {*places, *(item.arg for item in arguments.kwonlyargs)}
        passed_on = self._passed_on(thing) if arguments.kwarg else frozenset()
        return Signature(
            tuple(places),
            frozenset(keywords | (passed_on or frozenset())),
            frozenset(needed),
            is_open=passed_on is None,
            takes_any_place=arguments.vararg is not None,
        )

    def _passed_on(self, thing: Thing) -> frozenset[str] | None:
        """Names that a function takes as `**kwargs` and passes on to something of this package; None: unknown."""
        assert isinstance(thing.node, ast.FunctionDef | ast.AsyncFunctionDef)
        assert thing.node.args.kwarg is not None
        for call in (node for node in ast.walk(thing.node) if isinstance(node, ast.Call)):
            hands_on = any(
                item.arg is None and isinstance(item.value, ast.Name) and item.value.id == thing.node.args.kwarg.arg
                for item in call.keywords
            )
            if hands_on and isinstance(call.func, ast.Name):
                target = self.find(thing.module, call.func.id)
                signature = target and self.signature(target)
                return signature.keywords if signature and not signature.is_open else None
        return None


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those of its `if` and `try` too."""
    for node in body:
        yield node
        match node:
            case ast.If():
                yield from _top_level([*node.body, *node.orelse])
            case ast.Try():
                inner = [item for handler in node.handlers for item in handler.body]
                yield from _top_level([*node.body, *inner, *node.orelse, *node.finalbody])
            case ast.With():
                yield from _top_level(node.body)


def _assigned(node: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {item.id for target in targets for item in ast.walk(target) if isinstance(item, ast.Name)}


def _lazy(tree: ast.Module) -> dict[str, str]:
    """Names that a module's `__getattr__` finds elsewhere (`MODULE_ATTRS` of vllm: name -> ".module:name")."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and "MODULE_ATTRS" in _assigned(node):
            found: dict[str, str] = ast.literal_eval(node.value)
            return found
    return {}
