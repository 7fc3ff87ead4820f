"""Where the training processes of a run on one node meet."""

import multiprocessing
import os
import queue
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch.distributed

from sweeper.training import queue_sockets, rendezvous

OF_VERL = {"WG_PREFIX": "actor:pool", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


def join(rank: int, variables: dict[str, str], named: str | None, told: "multiprocessing.Queue[Any]") -> None:
    """As verl's worker of one rank does it; tells the sum over all and where it listens."""
    os.environ.update(variables)
    rendezvous.meet_in_folder()
    torch.distributed.init_process_group(backend="gloo", rank=rank, world_size=2, init_method=named)
    value = torch.tensor([rank + 1.0])
    torch.distributed.all_reduce(value)
    listens = [one.laddr.ip for one in psutil.Process().net_connections("inet") if one.status == psutil.CONN_LISTEN]
    told.put((value.item(), sorted(set(listens))))
    torch.distributed.barrier()


def group(variables: dict[str, str], named: str | None = None) -> list[Any]:
    context = multiprocessing.get_context("fork")
    told = context.Queue()
    ranks = [context.Process(target=join, args=(rank, variables, named, told)) for rank in range(2)]
    for rank in ranks:
        rank.start()
    try:
        return [told.get(timeout=60) for _ in ranks]
    except queue.Empty:
        return []
    finally:
        for rank in ranks:
            rank.join(10)
            rank.kill()


def test_the_processes_of_a_group_meet_in_the_runs_folder_and_listen_on_the_node_alone(tmp_path: Path) -> None:
    found = group(OF_VERL | rendezvous.ON_ONE_NODE | {queue_sockets.FOLDER: str(tmp_path)})
    assert [total for total, _ in found] == [3.0, 3.0]
    assert {ip for _, listens in found for ip in listens} <= {"127.0.0.1", "::1"}


def test_a_place_that_is_named_is_kept(tmp_path: Path) -> None:
    found = group(OF_VERL | {queue_sockets.FOLDER: str(tmp_path / "none")}, named=f"file://{tmp_path}/named")
    assert [total for total, _ in found] == [3.0, 3.0]


@pytest.mark.parametrize("variables", [{}, {queue_sockets.FOLDER: "/x", queue_sockets.SECRET: "00"}])
def test_without_a_folder_or_over_several_nodes_torch_meets_as_it_does(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    before = torch.distributed.init_process_group
    rendezvous.meet_in_folder()
    assert torch.distributed.init_process_group is before
