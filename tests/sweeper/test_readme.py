"""The snippets of the README's part "Your own" are typed here, in the project that the first of them makes."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from sweeper.cli.main import main

PAGE = (Path(__file__).parents[2] / "README.md").read_text().partition("## Your own")[2].partition("\n## ")[0]
BLOCKS = dict(re.findall(r"^```\w+\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
FIRST, *COMMANDS = (re.sub(r" +#.*| &&.*", "", line) for line in re.findall(r"^    sweeper (.+)$", PAGE, re.MULTILINE))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """FOLDER is a data set, my-model a model."""
    root = tmp_path_factory.mktemp("readme")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert main(shlex.split(FIRST)) == 0
    folder = root / "myproject"
    shutil.copytree(tiny_model, folder / "my-model")
    (folder / "FOLDER").mkdir()
    rows = [{"question": f"What is {n} + 1?", "answer": f"One more is {n + 1}.\n#### {n + 1}"} for n in range(60)]
    (folder / "FOLDER" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, text in BLOCKS.items():
        (folder / name).write_text(text)
    return folder


def test_there_is_a_snippet_for_data_reward_model_and_learning_rate() -> None:
    assert set(BLOCKS) == {"FOLDER/columns.yaml", "short_answer.py"}
    assert len(COMMANDS) == 4


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_works(
    command: str, project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    code = main(shlex.split(command))
    said = capfd.readouterr()
    assert code == 0, said.out + said.err
    assert "refused" not in said.out


def test_the_reward_pays_a_short_right_answer_alone(project: Path) -> None:
    own = {}
    exec((project / "short_answer.py").read_text(), own)
    assert [own["score"]("x", text, "4") for text in ("2 + 2 = 4", "5", "so " * 100 + "4")] == [1, 0, 0]
