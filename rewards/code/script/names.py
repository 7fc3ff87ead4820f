"""Variables, functions and folded literals of a test script."""

import ast
import marshal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal of the script, kept compact; lists and dictionaries are made anew whenever it is evaluated."""

    frozen: bytes

    def thaw(self) -> object:
        """The value."""
        return marshal.loads(self.frozen)

    def __repr__(self) -> str:
        """The literal, for `ast.unparse`."""
        return repr(self.thaw())


class FoldLiterals(ast.NodeTransformer):
    """Replaces displays and arithmetic signs made of constants alone by one constant node each."""

    def visit(self, node: ast.AST) -> ast.AST:
        """The node, or the constant that stands for it."""
        if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict) and _is_load(node):
            try:
                value = ast.literal_eval(node)
                frozen = marshal.dumps(value)
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                return self.generic_visit(node)
            return ast.copy_location(ast.Constant(value=Literal(frozen)), node)  # type: ignore[arg-type]
        return self.generic_visit(node)


def _is_load(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


@dataclass(frozen=True, slots=True)
class Cell:
    """A variable's value, which may be None."""

    value: object


@dataclass(slots=True)
class Frame:
    """The variables of one function call, or of the script."""

    variables: dict[str, object] = field(default_factory=dict)
    outer: "Frame | None" = None


class Scope:
    """Where names are looked up now."""

    def __init__(self) -> None:
        """Starts with an empty script."""
        self.frame = Frame()

    def get(self, name: str) -> Cell | None:
        """The innermost variable of that name."""
        frame: Frame | None = self.frame
        while frame is not None:
            if name in frame.variables:
                return Cell(frame.variables[name])
            frame = frame.outer
        return None

    def set(self, name: str, value: object) -> None:
        """Assigns in the current frame."""
        self.frame.variables[name] = value

    @contextmanager
    def inside(self, outer: Frame) -> Iterator[None]:
        """A new frame within `outer`, for the length of a call or a comprehension."""
        before = self.frame
        self.frame = Frame(outer=outer)
        try:
            yield
        finally:
            self.frame = before


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function or lambda of the script; callable, so that built-ins such as `sorted` can be given it."""

    node: ast.FunctionDef | ast.Lambda
    frame: Frame
    run: Callable[..., object]
    source: str | None = None

    def __call__(self, *arguments: object, **options: object) -> object:
        """Runs it."""
        return self.run(self, arguments, options)


def free_names(node: ast.AST) -> set[str]:
    """Names that `node` reads and does not itself assign or take as parameters."""
    read: set[str] = set()
    own: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            (read if isinstance(inner.ctx, ast.Load) else own).add(inner.id)
        elif isinstance(inner, ast.arg):
            own.add(inner.arg)
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(inner.name)
        elif isinstance(inner, ast.Import | ast.ImportFrom):
            own |= {(alias.asname or alias.name).partition(".")[0] for alias in inner.names}
        elif isinstance(inner, ast.ExceptHandler) and inner.name:
            own.add(inner.name)
    return read - own
