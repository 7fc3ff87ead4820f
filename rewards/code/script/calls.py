"""Calls in a test script: of the program, of the script's own functions, of built-ins and of methods."""

import ast

from rewards.code.script.builtins import (
    BUILTINS,
    ITERATING,
    METHOD_TYPES,
    METHODS,
    REFUSED_OF_OBJECTS,
    TYPES,
    CheckFailed,
    Unsupported,
    truth,
)
from rewards.code.script.expressions import Expressions, Module
from rewards.code.script.linked_values import COMPARISONS, BinaryTree, LinkedList
from rewards.code.script.names import Function, free_names
from rewards.code.script.plain_values import values_agree
from rewards.code.script.remote_calls import OPAQUE, Diverged, Remote, Results, Unknown, is_unknown

_MAX_DEPTH = 60


class Calls(Expressions):
    """Expressions with calls."""

    def _on_Call(self, node: ast.Call) -> object:
        if isinstance(node.func, ast.Name) and self.scope.get(node.func.id) is None:
            name = node.func.id
            if name in COMPARISONS and len(node.args) == 2 and not node.keywords:
                return self._same_nodes(COMPARISONS[name], *node.args)
            if name in ITERATING and name not in self.forced and len(node.args) == 1 and not node.keywords:
                return self._iterate(name, node.args[0])
        if isinstance(node.func, ast.Attribute):
            base = self.owner(node.func.value)
            if not isinstance(base, Module):
                return self._method(node, base, node.func.attr)
            function = base.members.get(node.func.attr)
        else:
            function = self.any(node.func)
        arguments, options = self._arguments(node)
        if isinstance(function, Remote | Unknown):
            return self._remote(node, function, arguments, options)
        if isinstance(function, Function):
            return function(*arguments, **options)
        if callable(function):
            if any(isinstance(option, Remote) for option in options.values()):
                raise Unsupported("the program's own function as an option")
            places = [a for a in node.args if not isinstance(a, ast.Starred)]
            if len(places) == len(arguments):
                arguments = [self._settle(place, argument) for place, argument in zip(places, arguments, strict=True)]
            if self.recording is not None and any(is_unknown(v) for v in (*arguments, *options.values())):
                return Unknown()
            if any(argument is OPAQUE for argument in arguments) and function is not isinstance:
                raise CheckFailed("a built-in function of an opaque object")
            return function(*arguments, **options)
        raise Unsupported("call of a value")

    def _settle(self, place: ast.expr, argument: object) -> object:
        """An argument of a built-in function, read now if the program holds it."""
        if isinstance(argument, Remote):
            if isinstance(place, ast.Name) and argument.source == place.id:
                raise Unsupported(f"a built-in function of {place.id}, which is the program's own")
            return self._fetch(("use", id(place)), argument)
        return argument

    def _arguments(self, node: ast.Call) -> tuple[list[object], dict[str, object]]:
        arguments = self._items(node.args)
        options: dict[str, object] = {}
        for keyword in node.keywords:
            value = self.any(keyword.value)
            if keyword.arg is None:
                if not isinstance(value, dict):
                    raise Unsupported("** of a result")
                options |= {str(key): item for key, item in value.items()}
            else:
                options[keyword.arg] = value
        return arguments, options

    def _remote(self, node: ast.Call, function: object, arguments: list[object], options: dict[str, object]) -> object:
        key = ("call", id(node))
        for index, argument in enumerate(node.args[: len(arguments)]):
            # The program may change an argument that the script looks at again.
            if isinstance(argument, ast.Name) and self._is_changeable(argument, arguments[index]):
                name = f"_argument_{self._tracked}"
                self._tracked += 1
                if self.recording is not None:
                    arguments[index] = Remote(f"({name} := {self.recording.text_of(arguments[index])})")
                self.scope.set(argument.id, Remote(name))
        if self.recording is None:
            return self._fetch(key, None)
        parts = [self.recording.text_of(argument) for argument in arguments]
        parts += [f"{name}={self.recording.text_of(value)}" for name, value in options.items()]
        return self.recording.add(key, f"{self.recording.text_of(function)}({', '.join(parts)})")

    def _is_changeable(self, argument: ast.Name, value: object) -> bool:
        return isinstance(value, list | dict | set | LinkedList | BinaryTree) and (
            (argument.lineno, argument.col_offset) < self.last_read.get(argument.id, (0, 0))
        )

    def _method(self, node: ast.Call, base: object, name: str) -> object:
        arguments, options = self._arguments(node)
        if isinstance(base, Remote):
            return self._remote(node, Remote(f"{base.source}.{name}"), arguments, options)
        if isinstance(base, Unknown) and self.recording is not None:
            if base.call is None:
                return Unknown() if name in METHODS else self._refuse(node)
            if name in METHODS and any(isinstance(a, Unknown) and a.call is None for a in arguments):
                return Unknown()
            return self._remote(node, Remote(f"{self.recording.text_of(base)}.{name}"), arguments, options)
        if isinstance(base, METHOD_TYPES) and name in METHODS and hasattr(base, name):
            return (
                self._apply(getattr(base, name), *arguments, **options)
                if not options
                else getattr(base, name)(*arguments, **options)
            )
        if name in REFUSED_OF_OBJECTS:
            raise CheckFailed(f"{name} of an opaque object")
        if isinstance(self.remote, Results) and self.remote.knows(("call", id(node))):
            return self.remote.take(("call", id(node)))
        raise Unsupported(f"method {name}")

    def _iterate(self, name: str, node: ast.expr) -> object:
        """`list(f(x))` and the like: a generator of the program is read out there, by syntax, not by its names."""
        key = ("iterate", id(node))
        function = BUILTINS.get(name) or TYPES[name]
        assert callable(function)
        if self.recording is None and isinstance(self.remote, Results):
            if self.remote.knows(key):
                self.any(node)
                return function(self.remote.take(key))
            return function(self.value(node))
        if isinstance(node, ast.GeneratorExp):
            return self._apply(function, self.any(node))
        found = self.any(node)
        if self.recording is not None and isinstance(found, Remote | Unknown):
            if isinstance(found, Unknown) and found.call is None:
                return Unknown()
            self.recording.add(key, f"[*{self.recording.text_of(found)}]")
            return Unknown()
        return self._apply(function, found)

    def _same_nodes(self, reader: str, left: ast.expr, right: ast.expr) -> object:
        self.uses_nodes = True
        one, other = self._nodes(reader, left), self._nodes(reader, right)
        return self._apply(lambda a, b: values_agree(a, b), one, other)

    def _nodes(self, reader: str, node: ast.expr) -> object:
        key = (reader, id(node))
        if isinstance(self.remote, Results) and self.remote.knows(key):
            self.any(node)
            return self.remote.take(key)
        found = self.any(node)
        if isinstance(found, LinkedList | BinaryTree):
            return found.plain()
        if found is None:
            return []
        if self.recording is not None:
            return self.recording.add(key, f"{reader}({self.recording.text_of(found)})")
        raise Diverged

    def _on_Lambda(self, node: ast.Lambda) -> object:
        own = any(self.scope.get(name) is not None for name in free_names(node))
        return Function(node, self.scope.frame, self.run_function, None if own else f"({ast.unparse(node)})")

    def run_function(self, function: Function, arguments: tuple[object, ...], options: dict[str, object]) -> object:
        """Calls a function of the script.

        While recording, one that only looks at unknown values is passed over: replaying runs it.
        """
        body = function.node
        if self.recording is not None and any(is_unknown(v) for v in (*arguments, *options.values())):
            with self.scope.inside(function.frame):
                pure = self.is_pure(body)
            if pure and not any(isinstance(v, Remote) for v in (*arguments, *options.values())):
                self.checks += any(isinstance(inner, ast.Assert) for inner in ast.walk(body))
                return Unknown()
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Unsupported("recursion in the tests")
        try:
            defaults = [self.value(default) for default in body.args.defaults]
            with self.scope.inside(function.frame):
                self._bind_parameters(body.args, defaults, arguments, options)
                return self.any(body.body) if isinstance(body, ast.Lambda) else self.run_body(body.body)
        finally:
            self.depth -= 1

    def run_body(self, body: list[ast.stmt]) -> object:
        """Runs a function's statements; defined with the statements."""
        raise NotImplementedError

    def _bind_parameters(
        self, spec: ast.arguments, defaults: list[object], arguments: tuple[object, ...], options: dict[str, object]
    ) -> None:
        names = [parameter.arg for parameter in (*spec.posonlyargs, *spec.args)]
        if spec.kwonlyargs or spec.kwarg:
            raise Unsupported("keyword-only parameters")
        bound = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        bound |= dict(zip(names, arguments, strict=False)) | options
        if spec.vararg:
            bound[spec.vararg.arg] = arguments[len(names) :]
        elif len(arguments) > len(names):
            raise Unsupported("too many arguments")
        if set(names) - bound.keys():
            raise Unsupported("missing arguments")
        self.scope.frame.variables.update(bound)

    def _comprehend(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> object:
        results: list[object] = []
        with self.scope.inside(self.scope.frame):
            first = self.value(node.generators[0].iter)
            if is_unknown(first) and not isinstance(first, list | tuple | dict):
                if self.is_pure(node):
                    return Unknown()
                raise Unsupported("iteration over a result")
            self._generate(node, 0, first, results)
        if isinstance(node, ast.DictComp):
            return dict(results)  # type: ignore[arg-type]
        return set(results) if isinstance(node, ast.SetComp) else results

    def _on_ListComp(self, node: ast.ListComp) -> object:
        return self._comprehend(node)

    def _on_SetComp(self, node: ast.SetComp) -> object:
        return self._comprehend(node)

    def _on_GeneratorExp(self, node: ast.GeneratorExp) -> object:
        return self._comprehend(node)

    def _on_DictComp(self, node: ast.DictComp) -> object:
        return self._comprehend(node)

    def _generate(self, node: ast.expr, level: int, iterable: object, results: list[object]) -> None:
        assert isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp)
        generator = node.generators[level]
        for item in self._iterable(iterable):
            self.step()
            self.bind(generator.target, item)
            tests = [self.value(test) for test in generator.ifs]
            if any(is_unknown(test) for test in tests):
                raise Unsupported("condition on a result")
            if not all(truth(test) for test in tests):
                continue
            if level + 1 < len(node.generators):
                self._generate(node, level + 1, self.value(node.generators[level + 1].iter), results)
            elif isinstance(node, ast.DictComp):
                results.append((self.any(node.key), self.any(node.value)))
            else:
                results.append(self.any(node.elt))

    def is_pure(self, node: ast.AST) -> bool:
        """Whether nothing of the program is reached from `node` except through the values it is given."""
        return self._is_pure(node, set())

    def _is_pure(self, node: ast.AST, seen: set[int]) -> bool:
        for name in free_names(node):
            found = self.look_up(name) if name not in COMPARISONS else None
            if isinstance(found, Remote):
                self.program_names.discard(name)
                return False
            if isinstance(found, Function) and id(found) not in seen:
                seen.add(id(found))
                if not self._is_pure(found.node, seen):
                    return False
        return True
