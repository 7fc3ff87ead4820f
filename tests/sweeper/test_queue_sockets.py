"""Who can speak to TransferQueue of a run over several nodes, and when it is not started at all."""

import importlib.metadata
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import zmq

from sweeper.host.errors import RunFailedError
from sweeper.training import queue_sockets, ray_token

Make = Any  # of a socket as TransferQueue makes it: context, type


def plain(ctx: "zmq.Context[Any]", socket_type: int) -> Any:
    return ctx.socket(socket_type)


def keyed(secret: str) -> Make:
    return queue_sockets._with_keys(plain, secret)


@pytest.fixture
def contexts() -> Iterator[list["zmq.Context[Any]"]]:
    """Of the controller and of a client: they are two processes."""
    made: list[zmq.Context[Any]] = [zmq.Context(), zmq.Context()]
    yield made
    for context in made:
        context.destroy(linger=0)


SECRET = secrets.token_hex(32)


def received(contexts: list["zmq.Context[Any]"], client: Any, *, seconds: float) -> bytes | None:
    """What a controller of the run is given when the client sends."""
    server = keyed(SECRET)(contexts[0], zmq.ROUTER)
    client.linger = 0  # nobody waits for what is never taken
    client.connect(f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}")
    client.send(b"put")
    got: bytes | None = server.recv_multipart()[1] if server.poll(int(seconds * 1000)) else None
    return got


def test_a_process_with_the_runs_secret_is_heard(contexts: list["zmq.Context[Any]"]) -> None:
    assert received(contexts, keyed(SECRET)(contexts[1], zmq.DEALER), seconds=10) == b"put"


def test_a_stranger_without_keys_is_not_heard(contexts: list["zmq.Context[Any]"]) -> None:
    assert received(contexts, plain(contexts[1], zmq.DEALER), seconds=0.4) is None


def test_a_stranger_with_another_secret_is_not_heard(contexts: list["zmq.Context[Any]"]) -> None:
    assert received(contexts, keyed(secrets.token_hex(32))(contexts[1], zmq.DEALER), seconds=0.4) is None


def test_a_stranger_who_knows_the_servers_public_key_is_not_heard(contexts: list["zmq.Context[Any]"]) -> None:
    client = plain(contexts[1], zmq.DEALER)
    client.curve_serverkey = queue_sockets._pair(SECRET, b"server")[0]
    client.curve_publickey, client.curve_secretkey = zmq.curve_keypair()
    assert received(contexts, client, seconds=0.4) is None


def test_two_sockets_of_one_context_are_closed_alike_and_the_context_ends(contexts: list["zmq.Context[Any]"]) -> None:
    first, second = (keyed(SECRET)(contexts[0], zmq.ROUTER) for _ in range(2))
    for server in (first, second):
        client = keyed(SECRET)(contexts[1], zmq.DEALER)
        client.connect(f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}")
        client.send(b"put")
        assert server.poll(10_000)
        server.close(linger=0)
    contexts[0].term()  # as TransferQueue ends it: waits for every socket of the context


def test_on_one_node_what_was_a_port_is_a_file_in_the_runs_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv(queue_sockets.FOLDER, str(tmp_path))
    monkeypatch.delenv(queue_sockets.SECRET, raising=False)
    module, user = ModuleType("zmq_utils"), ModuleType("transfer_queue.user")
    for one in (module, user):  # as when verl's import has loaded both before the plugin
        one.__dict__.update(get_free_port=len, format_zmq_address=max)
    monkeypatch.setitem(sys.modules, "transfer_queue.user", user)
    queue_sockets._close(module)
    for one in (module, user):
        assert len({one.get_free_port("192.0.2.1") for _ in range(100)}) == 100
        assert one.format_zmq_address("192.0.2.1", 7) == f"ipc://{tmp_path}/queue-7"


def test_a_folder_that_others_may_enter_is_no_place_for_sockets(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(RunFailedError, match="must be its owner's alone"):
        queue_sockets._in_folder(tmp_path)


def installed(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    monkeypatch.setattr(importlib.metadata, "version", versions.__getitem__)


def test_a_transferqueue_that_nobody_looked_at_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, TransferQueue="0.2.0")
    with pytest.raises(RunFailedError, match=r"TransferQueue 0\.2\.0 .* closed to strangers only in 0\.1\.11"):
        queue_sockets._close(ModuleType("zmq_utils"))


def test_a_ray_that_asks_nobody_for_a_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ray="2.51.1")
    with pytest.raises(RunFailedError, match=r"ray 2\.51\.1 .* install ray>=2\.52"):
        ray_token.new()


def test_no_two_runs_have_a_token_or_a_secret_in_common() -> None:
    for new in (ray_token.new, queue_sockets.new_secret):
        first, second = new(), new()
        assert first.keys() == second.keys()
        [name] = [name for name in first if name != "RAY_AUTH_MODE"]
        assert first[name] != second[name]
        assert len(bytes.fromhex(first[name])) == 32
    assert ray_token.new()["RAY_AUTH_MODE"] == "token"


def test_a_libzmq_without_curve_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zmq, "has", SimpleNamespace(curve=False).__dict__.get)
    with pytest.raises(RunFailedError, match="without CURVE"):
        keyed(SECRET)
