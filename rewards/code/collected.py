"""What unittest or pytest would collect of a script, and what cannot be run in a process beside the program's."""

import ast
from collections.abc import Iterator, Sequence

from rewards.problem.question import BadGroundTruth

_PYTEST_MEMBERS = frozenset({"approx", "fail", "fixture", "main", "mark", "param", "raises", "skip"})
# Other frameworks, and what changes or hears the program's own process, which the tests are not in.
_MODULES = frozenset({"freezegun", "hypothesis", "mock", "nose", "parameterized", "unittest.mock"})
_NAMES = frozenset({"IsolatedAsyncioTestCase", "redirect_stderr", "redirect_stdout", "assertLogs", "assertWarns"})


def plain_functions(tree: ast.Module) -> list[str]:
    """Names of the test functions without arguments or decorators, which a call runs as well as pytest would."""
    called = _spoken(tree)
    return [
        node.name
        for node in _functions(tree.body)
        if node.name not in called and not node.decorator_list and not _arguments(node)
    ]


def needs_runner(tree: ast.Module) -> bool:
    """Whether the script has test classes, or test functions that take fixtures or parameters."""
    return any(_classes(tree)) or any(
        (node.decorator_list or _arguments(node)) and node.name not in _spoken(tree) for node in _functions(tree.body)
    )


def refuse_what_cannot_run(tree: ast.Module) -> None:
    """Refuses tests that would fail whatever the program does.

    Raises:
        BadGroundTruth: With what it is.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found = {alias.name for alias in names} & _MODULES
            case ast.ImportFrom(module=module, names=names):
                found = {str(module), *(f"{module}.{alias.name}" for alias in names)} & _MODULES
            case ast.Attribute(value=ast.Name(id="pytest"), attr=name) if name not in _PYTEST_MEMBERS:
                found = {f"pytest.{name}"}
            case ast.Attribute(attr=name) | ast.Name(id=name):
                found = {name} & _NAMES
            case ast.AsyncFunctionDef(name=name) if name.startswith("test"):
                found = {f"async def {name}"}
            case _:
                continue
        if found:
            raise BadGroundTruth(
                f"the tests use {', '.join(sorted(found))}, which cannot be run in a process beside the "
                "program's; leave the row out, or score it with a function of your own"
            )
    _refuse_unknown_fixtures(tree)


def _refuse_unknown_fixtures(tree: ast.Module) -> None:
    bodies: list[Sequence[ast.stmt]] = [tree.body, *(cls.body for cls in _classes(tree))]
    known = {"request", "self"} | {name for body in bodies for name in _fixture_names(body)}
    called = _spoken(tree)
    for body in bodies:
        for node in _functions(body):
            marks = {text for one in node.decorator_list for text in _texts(one)}
            unknown = [name for name in _arguments(node) if name not in known | marks and node.name not in called]
            if unknown and not (body is not tree.body and _is_case(tree, body)):
                raise BadGroundTruth(
                    f"the test {node.name} wants {', '.join(unknown)}, a fixture that the script does not have; "
                    "leave the row out, or score it with a function of your own"
                )


def _functions(body: Sequence[ast.stmt]) -> Iterator[ast.FunctionDef]:
    return (node for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test"))


def _classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """The classes with tests of either kind."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(_functions(node.body)):
            named = node.name.startswith("Test")
            if named or node.bases:
                yield node


def _is_case(tree: ast.Module, body: Sequence[ast.stmt]) -> bool:
    return any(cls.body is body and cls.bases for cls in _classes(tree))


def _arguments(node: ast.FunctionDef) -> list[str]:
    """The arguments that something has to give."""
    every = [*node.args.posonlyargs, *node.args.args]
    needed = every[: len(every) - len(node.args.defaults)]
    needed += [one for one, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if default is None]
    return [one.arg for one in needed]


def _fixture_names(body: Sequence[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and any("fixture" in ast.unparse(one) for one in node.decorator_list):
            yield node.name
            for one in node.decorator_list:
                yield from _texts(one)


def _texts(node: ast.expr) -> Iterator[str]:
    """Names in the texts of a decorator: those of parameters, in `"a, b"` or `["a", "b"]`."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and len(inner.value) < 1000:
            yield from (part.strip() for part in inner.value.split(","))


def _spoken(tree: ast.Module) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
