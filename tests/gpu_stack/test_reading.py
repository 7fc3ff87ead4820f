"""What is read of a package and of its uses, on a package of a few lines: a wrong name, key or place is found."""

import ast
from pathlib import Path

import pytest

from tests.gpu_stack.package import Package
from tests.gpu_stack.uses import Calls, function, imports, keys_of, missing_imports

ENGINE = {
    "__init__.py": """
import typing
MODULE_ATTRS = {"Engine": ".engine:Engine", "Params": ".params:Params", "Client": ".engine:Client"}
if typing.TYPE_CHECKING:
    from here.engine import Engine
else:
    def __getattr__(name): ...
""",
    "params.py": """
import struct
class Params(struct.Struct):
    temperature: float = 1.0
    seed: int | None = None
""",
    "arguments.py": """
class Base:
    model: str
class Arguments(Base):
    size: int = 1
""",
    "engine.py": """
from .arguments import Arguments
class Mixin:
    def stop(self, *, hard=False): ...
class Engine(Mixin):
    def __init__(self, model, *, seed=0, **others):
        self.arguments = Arguments(model=model, **others)
    @classmethod
    def from_arguments(cls, arguments, *, quiet=False): ...
    def generate(self, prompts, parameters=None): ...
class Client:
    def __init__(self, size):
        self.engine = Engine.from_arguments(size)
""",
}


@pytest.fixture
def package(tmp_path: Path) -> Package:
    for name, text in ENGINE.items():
        tmp_path.joinpath("here", name).parent.mkdir(exist_ok=True)
        tmp_path.joinpath("here", name).write_text(text)
    return Package(tmp_path)


def wrong(package: Package, text: str) -> list[str]:
    return list(Calls(ast.parse(text), package, "here").wrong())


RIGHT = """
from here import Engine, Params
engine = Engine("m", seed=1, size=2)
engine.generate(["a"], [Params(temperature=0.5) for _ in range(2)])
engine.stop(hard=True)
other = Engine.from_arguments(1, quiet=True)
other.generate(prompts=[])
"""


def test_calls_with_what_is_taken_are_right(package: Package) -> None:
    assert wrong(package, RIGHT) == []
    assert len(list(Calls(ast.parse(RIGHT), package, "here").known())) == 6


@pytest.mark.parametrize(
    ("right", "planted", "found"),
    [
        ("seed=1", "seeds=1", "line 3: Engine has no seeds"),
        ("size=2", "sizes=2", "line 3: Engine has no sizes"),
        ("temperature", "temprature", "line 4: Params has no temprature"),
        ('(["a"], ', '(["a"], 1, ', "line 4: Engine.generate takes 2 by place, not 3"),
        ("engine.stop", "engine.halt", "line 5: Engine.halt does not exist"),
        ("hard=", "hardly=", "line 5: Engine.stop has no hardly"),
        ("quiet=", "silent=", "line 6: Engine.from_arguments has no silent"),
        ("prompts=[]", "", "line 7: Engine.generate needs prompts"),
        ("prompts=[]", "[], prompt=[]", "line 7: Engine.generate has no prompt"),
    ],
)
def test_a_planted_wrong_name_or_place_is_found(package: Package, right: str, planted: str, found: str) -> None:
    assert wrong(package, RIGHT.replace(right, planted)) == [found]


def test_keys_of_a_dictionary_that_a_call_spreads_are_read(package: Package) -> None:
    text = """
from here import Params
def draw(given):
    given.setdefault("seed", 1)
    given["tempo"] = 2
    extra = {"top": 3}
    given.update(extra)
    return Params(**given)
"""
    assert wrong(package, text) == ["line 8: Params has no tempo", "line 8: Params has no top"]


def test_an_engine_that_is_passed_into_a_class_of_the_file_is_followed(package: Package) -> None:
    text = """
from here import Client, Params
class Ours:
    def __init__(self, engine, parameters, *, seed):
        self._engine, self._parameters = engine, parameters
    @classmethod
    def load(cls):
        client = Client(1)
        return cls(client.engine, Params, seed=0)
    def ask(self):
        self._engine.generates([], self._parameters(temper=1))
"""
    assert sorted(wrong(package, text)) == [
        "line 11: Engine.generates does not exist",
        "line 11: self._parameters has no temper",
    ]


def test_an_import_that_fails_is_found_but_for_one_that_the_file_foresees(package: Package) -> None:
    text = """
import here.engine
from here import Engines
try:
    from here.{tried} import Arguments
except ImportError:
    from here.{instead} import Arguments
"""
    wrong_one = "line 3: here has no Engines"
    for tried, instead, found in (
        ("arguments", "old", [wrong_one]),
        ("old", "arguments", [wrong_one]),
        ("old", "older", [wrong_one, "line 7: here.older has no Arguments"]),
    ):
        assert missing_imports(ast.parse(text.format(tried=tried, instead=instead)), package, "here") == found
    assert [
        (item.module, item.name, item.line) for item in imports(ast.parse(text.format(tried="a", instead="b")), "here")
    ][:2] == [
        ("here.engine", None, 2),
        ("here", "Engines", 3),
    ]


def test_a_method_that_a_class_may_have_from_elsewhere_is_not_called_wrong(package: Package) -> None:
    text = "from here import Params\nparams = Params(seed=1)\nparams.copy()\n"
    assert wrong(package, text) == []


def test_names_are_found_where_they_are_defined_imported_or_lazily_looked_up(package: Package) -> None:
    for module, name in (("here", "Engine"), ("here", "Params"), ("here", "engine"), ("here.engine", "Arguments")):
        assert package.find(module, name) is not None, (module, name)
    for module, name in (("here", "Gone"), ("here.gone", "Engine"), ("here.engine", "Params")):
        assert package.find(module, name) is None, (module, name)


def test_keys_of_dictionaries_are_read_through_those_that_are_put_into_them(tmp_path: Path) -> None:
    file = tmp_path / "server.py"
    file.write_text("""
def launch(self):
    more = {"seed": 0}
    more["late"] = 1
    args = {"dtype": "auto", **more}
    if self.lora:
        lora = dict(rank=8)
        args.update(lora)
    args.update({"nodes": 1})
""")
    assert set(keys_of(function(file, "launch"), "args")) == {"dtype", "seed", "late", "rank", "nodes"}
    with pytest.raises(LookupError, match="no function start"):
        function(file, "start")
