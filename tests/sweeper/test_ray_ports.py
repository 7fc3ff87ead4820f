"""The ports of a run's Ray over several nodes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sweeper.training import ray_nodes
from sweeper.training.ray_nodes import Node, Share

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray's own code, on import
SHARE = Share(cpus=1, gpus=0)
HEAD, OTHER = Node(rank=0, count=2, job="7-0"), Node(rank=1, count=2, job="7-0")


class StartedError(Exception):
    """In the place of a start of Ray."""


def begin_a_head(folder: Path) -> None:
    with ray_nodes.cluster(HEAD, folder, SHARE, variables={}, scratch=folder, log=folder / "log"):
        pass


def begin_another(folder: Path) -> None:
    told = {"address": "192.0.2.1:40000", "variables": {}}
    OTHER.meeting(folder).write_text(json.dumps(told))
    ray_nodes.serve(OTHER, folder, SHARE, between=lambda: None, log=folder / "log")


def ports_of(start: Callable[[Path], None], folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Of every option of `ray start` that names ports, what Ray's own program understands."""
    from ray.scripts.scripts import start as ray_start

    commands = []

    def started(command: list[str], **_: object) -> None:
        commands.append(command)
        raise StartedError

    monkeypatch.setattr(ray_nodes, "start_child", started)
    with pytest.raises(StartedError):
        start(folder)
    [command] = commands
    found = ray_start.make_context("start", command[command.index("start") + 1 :]).params
    return {name: value for name, value in found.items() if "port" in name.split("_")}


@pytest.mark.parametrize("start", [begin_a_head, begin_another])
def test_no_port_of_a_runs_ray_is_one_that_another_runs_has(
    start: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (ports_of(start, tmp_path, monkeypatch) for _ in range(2))
    unused = {"dashboard_port"}  # no dashboard is started; nor is what makes another a head
    unused |= {"port", "ray_client_server_port"} if start is begin_another else set()
    assert len(first) > 8
    chosen = {name for name in first if first[name] not in (0, None)} - unused
    assert chosen == ({"port", "ray_client_server_port"} if start is begin_a_head else set())
    assert len({ports[name] for ports in (first, second) for name in chosen}) == 2 * len(chosen)
