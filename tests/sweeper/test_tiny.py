from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_prep.synthetic.tasks import DOMAINS, SPECIAL_STRINGS, Split, problems
from sweeper.grid.expand import group_options
from sweeper.host.errors import ConfigError
from sweeper.inputs import tiny
from tests.sweeper.conftest import SHAPE
from tests.sweeper.points import spec


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_arguments_give_the_same_bytes(tiny_model: Path, tmp_path: Path) -> None:
    tiny.build(tmp_path, SHAPE, special_strings=SPECIAL_STRINGS, seed=0)
    assert files(tmp_path) == files(tiny_model)


def test_another_seed_gives_other_weights(tiny_model: Path, tmp_path: Path) -> None:
    tiny.build(tmp_path, SHAPE, special_strings=SPECIAL_STRINGS, seed=1)
    changed = {name for name, data in files(tmp_path).items() if data != files(tiny_model)[name]}
    assert changed == {"model.safetensors"}


@pytest.mark.parametrize("name", [name for name in group_options()["model"] if name.startswith("tiny")])
def test_a_built_model_has_the_parameters_its_architecture_states(name: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    shape = spec(f"model={name}").model.architecture
    tiny.build(tmp_path, shape, special_strings=SPECIAL_STRINGS, seed=0)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert sum(p.numel() for p in model.parameters()) == shape.n_params


def test_a_vocabulary_too_small_for_the_tokenizer_is_refused(tmp_path: Path) -> None:
    import dataclasses

    with pytest.raises(ConfigError, match=r"vocab_size=256 is too small"):
        tiny.build(tmp_path, dataclasses.replace(SHAPE, vocab_size=256), special_strings=SPECIAL_STRINGS, seed=0)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("split", Split)
def test_the_tokenizer_gives_every_prompt_and_solution_back(tokenizer: Any, domain: str, split: Split) -> None:
    for problem in islice(problems(domain, split, seed=0), 200):
        for text in (problem.prompt, problem.solution, *problem.mistakes):
            assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@pytest.mark.parametrize("text", ["naïve ☃ 𝄞", "a  b\n\n\tc", "<|user|", "def f(x):return x\n```"])
def test_the_tokenizer_gives_any_text_back(tokenizer: Any, text: str) -> None:
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_each_special_string_is_one_token(tokenizer: Any) -> None:
    assert {text: len(tokenizer(text)["input_ids"]) for text in SPECIAL_STRINGS} == dict.fromkeys(SPECIAL_STRINGS, 1)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("split", Split)
def test_every_problem_fits_the_tiny_regime(tokenizer: Any, domain: str, split: Split) -> None:
    regime = yaml.safe_load(Path("conf/training/tiny.yaml").read_text())
    for problem in islice(problems(domain, split, seed=0), 300):
        message = [{"role": "user", "content": problem.prompt}]
        prompt = tokenizer.apply_chat_template(message, add_generation_prompt=True)["input_ids"]
        solution = tokenizer(problem.solution)["input_ids"]
        assert len(prompt) <= regime["max_prompt_length"], problem.prompt
        assert len(solution) + 1 <= regime["max_response_length"], problem.solution


def test_a_conversation_starts_with_its_prompt(tokenizer: Any) -> None:
    ask, answer = {"role": "user", "content": "2+2=?"}, {"role": "assistant", "content": "4"}
    prompt = tokenizer.apply_chat_template([ask], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template([ask, answer], tokenize=False)
    assert whole == f"{prompt}4{tiny.END}"
