"""What Tab proposes. zsh's and fish's scripts were tried by hand in zsh 5.9 and fish 3.6; bash's is tried here."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sweeper.cli.completion import SCRIPTS, proposals
from sweeper.cli.main import main, parsers
from sweeper.grid.expand import group_options

REPOSITORY = Path(__file__).parents[2]


def test_the_first_word_is_a_verb_or_a_setting() -> None:
    found = proposals([""])
    assert {*parsers()[1], "report", "ask", "data", "rewards"} < set(found)
    assert {"model=", "+grid=", "seed=", "results_dir="} < set(found)
    assert proposals(["st"]) == ["status"]


@pytest.mark.parametrize("words", [[], ["plan"], ["plan", "+grid=model_scale"]], ids=" ".join)
def test_every_group_is_proposed_with_every_option_it_has(words: list[str]) -> None:
    for group, options in group_options().items():
        name = "+grid" if group == "grid" else group
        assert f"{name}=" in proposals([*words, ""])
        assert proposals([*words, f"{name}="]) == [f"{name}={option}" for option in sorted(options)]


def test_a_list_goes_on_with_the_options_that_it_lacks() -> None:
    others = sorted(set(group_options()["algorithm"]) - {"ppo"})
    assert proposals(["algorithm=ppo,"]) == [f"algorithm=ppo,{other}" for other in others]
    assert proposals(["algorithm=ppo,gr"]) == ["algorithm=ppo,grpo"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["results", "--p"], ["--parquet"]),
        (["--ca"], ["--canary"]),
        (["suggest", "--law", ""], ["power", "power_nd", "chinchilla"]),
        (["completion", "z"], ["zsh"]),
        (["status", "--results", ""], []),  # the shell's own: files
        (["status", "mod"], []),  # takes no settings
        (["no-such=", "x=/etc/", "model=none"], []),
    ],
    ids=lambda words: " ".join(words),
)
def test_a_verb_proposes_its_own_flags_and_choices(words: list[str], found: list[str]) -> None:
    assert proposals(words) == found


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("sweeper sta", ["status"]),
        ("sweeper plan +gr", ["+grid="]),
        ("sweeper plan +grid=model_s", ["model_scale"]),  # bash puts it behind the `=` that is there
        ("sweeper algorithm=ppo,gr", ["ppo,grpo"]),
        ("sweeper suggest --law ", ["power", "power_nd", "chinchilla"]),
        ("sweeper nothing-like-it", []),
    ],
)
def test_bash_gets_what_it_can_insert(line: str, reply: list[str], tmp_path: Path) -> None:
    program = tmp_path / "sweeper"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sweeper "$@"\n')
    program.chmod(0o755)
    press = f"COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)}; _sweeper sweeper 2>/dev/null"
    code = f'eval "$(sweeper completion bash)"\n{press}\nprintf "%s\\n" "${{COMPREPLY[@]}}"'
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", code], cwd=REPOSITORY, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == reply, done.stderr


@pytest.mark.parametrize("shell", SCRIPTS)
def test_every_script_asks_the_program_for_its_words(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "completion words" in script
    assert "sweeper" in script
