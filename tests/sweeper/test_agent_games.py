"""Text games of an optional package: refused without it, and played for real in an environment that has it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweeper.agent.environments import text_game
from sweeper.host.errors import ConfigError

REPOSITORY = Path(__file__).parents[2]
# A lake has one way without a hole at least; a search finds it, and the game says whether it was one.
PLAY = """
import json, sys
from collections import deque
from sweeper.agent.environments.registry import environment
from sweeper.agent.environments.text_game import GAMES
from sweeper.agent.environments.textarena_game import Game
from sweeper.spec.agent import Agent, ToolLimits

said = {}
for name in GAMES:
    made = environment(f"text_game:{name}", Agent(name="t", environment=f"text_game:{name}"))
    played = []
    for seed in (7, 7):
        episode = made(ToolLimits(wall_s=60.0))
        seen = [episode.reset({}, seed)]
        for action in ("[1 1]", "[left] [5]", "[up]"):
            step = episode.step(action)
            seen.append([step.observation, step.done, step.correct])
            if step.done:
                break
        played.append(seen)
    said[name] = played
def wins(path):
    game = Game("FrozenLake-v0")
    game.reset({}, 3)
    for action in path:
        step = game.step(f"[{action}]")
        if step["done"]:
            return step["correct"]
    return None
paths, won = deque([()]), None
while paths and won is None:
    path = paths.popleft()
    for action in ("right", "down"):
        end = wins((*path, action))
        if end:
            won = (*path, action)
        elif end is None and len(path) < 8:
            paths.append((*path, action))
json.dump({"games": said, "won": won}, sys.stderr)
"""


def test_a_game_without_its_package_is_refused_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_game, "_PACKAGE", "textarena-that-nobody-has")
    with pytest.raises(ConfigError, match=r"0\.7\.4, and none is installed: pip install"):
        text_game.game_version("text_game:Sokoban-v0")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("text_game:Sokobann-v0", "did you mean text_game:Sokoban-v0"),
        ("text_game", "there are 2048-v0"),
        ("text_game:Hangman-v0", "there is no game 'Hangman-v0'"),
    ],
)
def test_a_game_that_is_not_there_is_refused(name: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        text_game.game_version(name)


@pytest.mark.nightly  # installs the package, from the index that pip knows
def test_every_game_is_played_twice_alike_without_network_and_one_is_won(tmp_path: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-warn-conflicts", "--target", str(tmp_path)]
    subprocess.run([*install, "textarena==0.7.4"], check=True, capture_output=True, timeout=300)
    nowhere = {f"{kind}_proxy": "http://127.0.0.1:9" for kind in ("http", "https")}
    environment = os.environ | nowhere | {"PYTHONPATH": f"{REPOSITORY}{os.pathsep}{tmp_path}"}
    environment |= {"PYTHONSAFEPATH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PLAY], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stderr.splitlines()[-1])
    assert set(said["games"]) == set(text_game.GAMES)
    for first, second in said["games"].values():
        assert first == second
        assert len(first[0]) > 100
        assert not any(step[2] for step in first[1:])
    assert said["won"] is not None
