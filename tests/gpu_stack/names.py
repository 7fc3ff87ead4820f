"""The names of vLLM's that we and verl give something to, and a record of them, so that the gate needs no wheel.

python -m tests.gpu_stack.names         reads them of the wheel that is pinned, and writes the record anew (network)
"""

import ast
import json
import re
from pathlib import Path

from tests.gpu_stack.package import Package, Thing
from tests.gpu_stack.wheels import resolved, sources

RECORD = Path(__file__).with_name("vllm_names.json")
LOCK = Path(__file__).parents[2] / "constraints" / "gpu-3.12.txt"
Names = dict[str, list[str]]


def pin() -> str:
    """Of vLLM, as the lock has it."""
    found = re.search(r"^vllm==\S+$", LOCK.read_text(), re.MULTILINE)
    assert found is not None
    return found[0]


def pinned(folder: Path) -> Package:
    """The wheel, unpacked; `folder` is for work.

    Raises:
        RuntimeError, httpx.HTTPError: it is not reached.
    """
    pins = folder / "vllm.txt"
    pins.write_text(pin())
    (release,) = [item for item in resolved(pins, python="3.12") if item.is_wheel]
    return Package(sources(release))


def names_of(vllm: Package) -> Names:
    """What vLLM's `LLM`, `SamplingParams`, `CompilationConfig` and `vllm serve` take, and its engine's methods."""
    engine = llm_engine(vllm).node
    assert isinstance(engine, ast.ClassDef)
    methods = {item.name for item in engine.body if isinstance(item, ast.FunctionDef) and not item.name.startswith("_")}
    found = {
        "LLM": keywords(vllm, "LLM"),
        "SamplingParams": keywords(vllm, "SamplingParams"),
        "CompilationConfig": fields(vllm, "vllm.config.compilation", "CompilationConfig"),
        "vllm serve": flags(vllm),
        "LLMEngine": methods,
    }
    return {name: sorted(values) for name, values in found.items()}


def keywords(vllm: Package, name: str) -> set[str]:
    """What a call of something of vLLM's may name."""
    thing = vllm.find("vllm", name)
    assert thing is not None
    signature = vllm.signature(thing)
    assert signature is not None
    return set(signature.keywords)


def llm_engine(vllm: Package) -> Thing:
    """The engine whose methods ours calls."""
    thing = vllm.find("vllm.v1.engine.llm_engine", "LLMEngine")
    assert isinstance(thing, Thing)
    return thing


def fields(vllm: Package, module: str, name: str) -> set[str]:
    """Of a class."""
    thing = vllm.find(module, name)
    assert thing is not None, name
    return set(vllm.fields(thing))


def flags(vllm: Package) -> set[str]:
    """Options of `vllm serve`, with underscores, as its parser takes them too."""
    found: set[str] = set()
    for module, name in (
        ("vllm.engine.arg_utils", "EngineArgs"),
        ("vllm.engine.arg_utils", "AsyncEngineArgs"),
        ("vllm.entrypoints.openai.cli_args", "FrontendArgs"),
    ):
        thing = vllm.find(module, name)
        assert thing is not None, name
        adding = vllm.method(thing, "add_cli_args")
        assert adding is not None
        assert adding.node is not None
        said = [node.value for node in ast.walk(adding.node) if isinstance(node, ast.Constant)]
        found |= {text[2:].replace("-", "_") for text in said if isinstance(text, str) and text.startswith("--")}
    return found


def recorded() -> tuple[str, Names]:
    """The pin whose names are on record, and they."""
    found = json.loads(RECORD.read_text())
    return found["pin"], found["names"]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as work:
        lines = [f"{json.dumps(name)}: {json.dumps(values)}" for name, values in names_of(pinned(Path(work))).items()]
    RECORD.write_text(f'{{"pin": {json.dumps(pin())}, "names": {{\n' + ",\n".join(lines) + "\n}}\n")
