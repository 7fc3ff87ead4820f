"""What we and verl give to vLLM is among its names on record, read of the wheel that is pinned: no wheel is needed."""

import ast
from collections.abc import Mapping

from tests.gpu_stack.names import Names, pin, recorded
from tests.gpu_stack.test_vllm import ENGINE, OURS, SAMPLING, SERVER, called, refused, refused_flags
from tests.gpu_stack.uses import function

PIN, NAMES = recorded()


def wrong(ours: str, server: ast.AST, names: Names, engine: Mapping[str, object] = ENGINE) -> list[str]:
    """Of all that is given or called, what vLLM does not have."""
    return [
        *refused("LLM", engine, names["LLM"]),
        *refused("SamplingParams", SAMPLING, names["SamplingParams"]),
        *refused("CompilationConfig", ENGINE["compilation_config"], names["CompilationConfig"]),
        *refused("LLMEngine", dict.fromkeys(sorted(called(ours))), names["LLMEngine"]),
        *refused_flags(server, names["vllm serve"]),
    ]


def test_the_names_on_record_are_of_the_vllm_that_is_pinned() -> None:
    assert pin() == PIN


def test_all_that_we_and_verl_give_to_vllm_is_on_record() -> None:
    assert wrong(OURS.read_text(), function(SERVER, "launch_server"), NAMES) == []


def test_wrong_names_that_are_planted_are_found() -> None:
    ours = OURS.read_text().replace("_engine.step(", "_engine.steps(")
    server = ast.parse(SERVER.read_text().replace('"max_num_seqs": ', '"max_num_seq": '))
    assert wrong(ours, server, NAMES, ENGINE | {"tensor_parallel_sizes": 1}) == [
        "LLM has no tensor_parallel_sizes",
        "LLMEngine has no steps",
        "vllm serve has no --max_num_seq",
    ]
