"""What we and verl use of vLLM exists in the vLLM that the GPU stack pins: its wheel, unpacked and never imported."""

import ast
import importlib.util
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import httpx
import pytest
import yaml

from sweeper.generation import Sampling
from sweeper.generation.vllm import engine_arguments, sampling_arguments
from tests.gpu_stack.names import fields, flags, keywords, llm_engine, names_of, pin, pinned, recorded
from tests.gpu_stack.package import Package
from tests.gpu_stack.uses import Calls, function, imports, keys_of, missing_imports

pytestmark = pytest.mark.nightly

OURS = Path(__file__).parents[2] / "sweeper" / "generation" / "vllm.py"
ENGINE = engine_arguments(Path("model"), tensor_parallel=1, longest=1, seed=0)
SAMPLING = sampling_arguments(Sampling(max_tokens=1))
# verl's own for other hardware (utils/distributed.py's group is hccl's), and for what no setting of ours turns on:
# quantised rollouts and training, and weights handed over by its checkpoint engines.
ELSEWHERE = re.compile(
    r"npu|rocm|hccl|utils/distributed|mooncake|modelopt|/qat/|quant|fp8|fp4|delta_weight_transfer|megatron|sglang"
)


def verl() -> Path:
    spec = importlib.util.find_spec("verl")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


VERL = verl()
SERVER = VERL / "workers" / "rollout" / "vllm_rollout" / "vllm_async_server.py"
LOOP = VERL / "experimental" / "agent_loop" / "agent_loop.py"


@pytest.fixture(scope="module")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Package:
    try:
        return pinned(tmp_path_factory.mktemp("pins"))
    except (RuntimeError, httpx.HTTPError) as error:
        pytest.fail(f"not reached, so nothing was checked: {pin()}: {error}")


def files() -> list[Path]:
    """Ours, and verl's that use vLLM on the way that our runs go."""
    theirs = [path for path in sorted(VERL.rglob("*.py")) if not ELSEWHERE.search(str(path.relative_to(VERL)))]
    return [OURS, *(path for path in theirs if imports(ast.parse(path.read_text()), "vllm"))]


def refused_flags(launch: ast.AST, known: Collection[str]) -> list[str]:
    return [f"vllm serve has no --{key}" for key in keys_of(launch, "args") if key not in known]


def refused(name: str, given: Mapping[str, object], known: Collection[str]) -> list[str]:
    """Of keywords that we give to something of vLLM's, those that it does not take."""
    return [f"{name} has no {key}" for key in given if key not in known]


def called(text: str) -> set[str]:
    """Methods of vLLM's engine that ours calls."""
    return set(re.findall(r"self\._engine\.(\w+)\(", text))


def absent_methods(text: str, vllm: Package) -> list[str]:
    return [name for name in sorted(called(text)) if vllm.method(llm_engine(vllm), name) is None]


def words(vllm: Package, module: str, name: str) -> set[object]:
    """The constants of a `name = Literal[...]` of a module."""
    tree = vllm.module(module)
    assert tree is not None, module
    (found,) = [item for item in tree.body if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == name]
    return {node.value for node in ast.walk(found.value) if isinstance(node, ast.Constant)}


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_every_import_of_vllm_exists(path: Path, vllm: Package) -> None:
    assert missing_imports(ast.parse(path.read_text()), vllm, "vllm") == []


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_every_call_of_vllm_passes_what_it_takes(path: Path, vllm: Package) -> None:
    assert list(Calls(ast.parse(path.read_text()), vllm, "vllm").wrong()) == []


def test_the_calls_that_matter_are_among_those_that_were_looked_at(vllm: Package) -> None:
    theirs = {said for _, said, _ in Calls(ast.parse(SERVER.read_text()), vllm, "vllm").known()}
    methods = ("generate", "sleep", "wake_up", "reset_prefix_cache", "collective_rpc", "pause_generation")
    assert theirs >= {"SamplingParams", "TokensPrompt", "LoRARequest", "build_app", "AsyncLLM.from_vllm_config"}
    assert theirs >= {f"AsyncLLM.{name}" for name in methods}


def test_vllm_takes_what_our_engine_gives_it(vllm: Package) -> None:
    assert refused("LLM", ENGINE, keywords(vllm, "LLM")) == []
    assert refused("SamplingParams", SAMPLING, keywords(vllm, "SamplingParams")) == []
    assert ENGINE["compilation_config"].keys() <= fields(vllm, "vllm.config.compilation", "CompilationConfig")


def test_vllms_engine_has_what_ours_calls(vllm: Package) -> None:
    assert called(OURS.read_text()) == {
        "add_request",
        "get_num_unfinished_requests",
        "has_unfinished_requests",
        "step",
    }
    assert absent_methods(OURS.read_text(), vllm) == []
    adding = vllm.method(llm_engine(vllm), "add_request")
    assert adding is not None
    signature = vllm.signature(adding)
    assert signature is not None
    assert signature.positional[:3] == ("request_id", "prompt", "params")


def test_every_argument_of_verls_server_is_an_option_of_vllm_serve(vllm: Package) -> None:
    launch = function(SERVER, "launch_server")
    asked = keys_of(launch, "args")
    assert len(asked) >= 37, sorted(asked)
    assert {"max_num_seqs", "data_parallel_address", "nnodes", "max_lora_rank"} <= set(asked)
    assert refused_flags(launch, flags(vllm)) == []


def test_verls_settings_of_compilation_are_fields_of_vllms(vllm: Package) -> None:
    asked = set(keys_of(function(SERVER, "launch_server"), "compilation_config"))
    assert asked == {"cudagraph_mode", "cudagraph_capture_sizes"}
    assert asked <= fields(vllm, "vllm.config.compilation", "CompilationConfig")


@pytest.mark.parametrize(
    ("setting", "module", "choices"),
    [
        ("dtype", "vllm.config.model", "ModelDType"),
        ("logprobs_mode", "vllm.config.model", "LogprobsMode"),
        ("scheduling_policy", "vllm.config.scheduler", "SchedulerPolicy"),
        ("load_format", "vllm.model_executor.model_loader", "LoadFormats"),
    ],
)
def test_what_verls_rollout_chooses_is_among_vllms_choices(
    setting: str, module: str, choices: str, vllm: Package
) -> None:
    rollout = yaml.safe_load((VERL / "trainer" / "config" / "rollout" / "rollout.yaml").read_text())
    assert rollout[setting] in words(vllm, module, choices)


def test_the_kinds_of_cuda_graphs_that_verls_server_asks_for_are_vllms(vllm: Package) -> None:
    launch = function(SERVER, "launch_server")
    said = {node.value for node in ast.walk(launch) if isinstance(node, ast.Constant)}
    asked = {word for word in said if isinstance(word, str) and re.fullmatch(r"[A-Z_]*PIECEWISE", word)}
    assert asked == {"FULL_AND_PIECEWISE", "PIECEWISE"}
    modes = vllm.find("vllm.config.compilation", "CUDAGraphMode")
    assert modes is not None
    assert isinstance(modes.node, ast.ClassDef)
    assert asked <= {ast.unparse(item.targets[0]) for item in modes.node.body if isinstance(item, ast.Assign)}


def test_every_sampling_parameter_that_verl_sets_is_one_of_vllms(vllm: Package) -> None:
    loop = set(keys_of(function(LOOP, "generate_sequences"), "sampling_params"))
    assert loop >= {"temperature", "top_p", "logprobs"}
    assert loop <= fields(vllm, "vllm.sampling_params", "SamplingParams")


def test_the_names_that_the_gate_goes_by_are_those_of_the_wheel(vllm: Package) -> None:
    assert recorded() == (pin(), names_of(vllm))


def test_our_prompts_have_the_keys_of_vllms_own(vllm: Package) -> None:
    (keys,) = re.findall(r'asked = \{"(\w+)": "token", "(\w+)": list\(', OURS.read_text())
    assert set(keys) <= fields(vllm, "vllm.inputs.engine", "TokensInput")


def test_a_wrong_key_planted_in_our_engine_is_found(vllm: Package) -> None:
    wrong = ENGINE | {"tensor_parallel_sizes": 1}
    assert refused("LLM", wrong, keywords(vllm, "LLM")) == ["LLM has no tensor_parallel_sizes"]
    wrong = SAMPLING | {"max_new_tokens": 1}
    assert refused("SamplingParams", wrong, keywords(vllm, "SamplingParams")) == [
        "SamplingParams has no max_new_tokens"
    ]
    assert absent_methods(OURS.read_text().replace("_engine.step(", "_engine.steps("), vllm) == ["steps"]


def test_a_wrong_key_or_import_planted_in_verls_server_is_found(vllm: Package, tmp_path: Path) -> None:
    text = SERVER.read_text()
    planted = tmp_path / "server.py"
    planted.write_text(text.replace('"max_num_seqs": ', '"max_num_seq": '))
    assert refused_flags(function(planted, "launch_server"), flags(vllm)) == ["vllm serve has no --max_num_seq"]
    renamed = ast.parse(text.replace("import build_app, init_app_state", "import build_apps, init_app_state"))
    (said,) = missing_imports(renamed, vllm, "vllm")
    assert said.endswith("vllm.entrypoints.openai.api_server has no build_apps")
