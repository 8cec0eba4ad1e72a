"""A node as a process: how it says that it is ready, why it does not start, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from seatd.app import FAILURES, Node
from seatd.config import load
from seatd.notation import MASK
from seatd.store.redis import Store
from tests.engine import PrivateEngine
from tests.scenarios.websocket import WebSocket, upgrade
from tests.servers import READY_S, Server, Servers, eventually

Refused = Callable[..., Awaitable[str]]


def is_running(pid: int) -> bool:
    """Whether the process has not ended; a zombie that nobody collects has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def servers() -> Iterator[Servers]:
    with Servers() as own:
        yield own


# -- what keeps it from starting ------------------------------------------------------------------


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Servers, Server]]:
    """A node that runs, and what starts others beside it."""
    with Servers() as servers:
        yield servers, servers.start("runs")


@pytest.mark.parametrize("taken", ["folder", "port"])
def test_what_another_node_has_is_told_in_one_sentence(running: tuple[Servers, Server], taken: str) -> None:
    servers, other = running
    if taken == "folder":
        node = servers.launch("second", folder=other.folder)
        why = r"the data folder \S+ is in use by process \d+: "
    else:
        node = servers.launch("third", CLIENTS_LISTEN=other.clients)
        why = rf"cannot listen on {other.clients}: Address already in use$"
    assert node.process.wait(READY_S) == 1
    told = [line for line in node.said.splitlines() if not line.startswith("{")]
    assert len(told) == 1, node.said
    assert re.match(f"seatd: {why}", told[0])
    if taken == "folder":
        state = json.loads((other.folder / "seatd.json").read_text())
        assert (state["pid"], other.process.poll()) == (other.process.pid, None)
    else:
        assert not (node.folder / "seatd.json").exists()
        assert not (node.folder / "store.sock").exists()


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """`await refused(setting="value")`: why a node with this setting does not start, in the words of `seatd serve`.
    Nothing may be left of the attempt."""

    async def attempt(**settings: str) -> str:
        given = {name.replace("__", "."): value for name, value in settings.items()}
        flags = {"clients": "127.0.0.1:0", "admin": "127.0.0.1:0", "data": str(tmp_path / "data"), **given}
        before = asyncio.all_tasks()
        with pytest.raises(FAILURES) as caught:
            await Node(load(None, {}, flags)).start()
        await eventually(lambda: asyncio.all_tasks() == before)
        assert not (tmp_path / "data" / "seatd.json").exists()
        return str(caught.value)

    return attempt


@pytest.fixture
async def empty(engine: PrivateEngine) -> PrivateEngine:
    """The engine with nothing in it."""
    async with Redis.from_url(engine.url) as client:
        await client.flushall()
    return engine


async def test_a_trust_file_that_is_not_there(refused: Refused, tmp_path: Path) -> None:
    assert "nobody.pem" in await refused(trust=str(tmp_path / "nobody.pem"))


async def test_a_trust_file_without_a_key(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "garbage.pem").write_text("this is no key\n")
    assert "garbage.pem" in await refused(trust=str(tmp_path / "garbage.pem"))


async def test_a_data_folder_that_is_a_file(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in await refused(data=str(tmp_path / "file"))


async def test_an_admin_token_that_is_none(refused: Refused, tmp_path: Path, empty: PrivateEngine) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "admin.token").write_text("two words\n")
    assert "does not hold an API token" in await refused(store=empty.url)


async def test_a_store_that_is_not_there(refused: Refused) -> None:
    told = await refused(store="unix:///nowhere/store.sock")
    assert told.startswith("the store at unix:///nowhere/store.sock does not answer: ")


async def test_a_stores_password_is_not_told(refused: Refused) -> None:
    told = await refused(store="redis://seatd:hunter2@127.0.0.1:1")
    assert "hunter2" not in told
    assert "127.0.0.1:1" in told


async def test_sentinels_that_are_not_there(refused: Refused) -> None:
    told = await refused(store="redis+sentinel://:secret@127.0.0.1:1/main")
    assert told == (
        f"the store at redis+sentinel://:{MASK}@127.0.0.1:1/main does not answer: no sentinel knows a primary main that is up"
    )


async def test_a_store_that_hangs(refused: Refused, engine: PrivateEngine) -> None:
    with engine.paused():
        told = await refused(store=engine.url, store__timeout="200ms")
    assert told.startswith(f"the store at {engine.url} does not answer")


async def test_a_store_of_other_partitions(refused: Refused, engine: PrivateEngine, store: Store) -> None:
    told = await refused(store=engine.url)
    assert told.endswith(
        "the store was made with 4 partitions, this node is set to 64: set [store] partitions = 4"
    )


async def test_an_admin_port_that_is_taken(refused: Refused, empty: PrivateEngine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        assert (
            await refused(store=empty.url, admin=place) == f"cannot listen on {place}: Address already in use"
        )


# -- ready, and the end ---------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_is_and_ends_when_told_to(
    servers: Servers, number: signal.Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        abstract = number is signal.SIGINT
        name = f"seatd-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
        notices.bind("\0" + name if abstract else name)
        notices.settimeout(READY_S)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name if abstract else name)
        node = servers.start("here")
        ready = f"seatd ready clients={node.clients} admin={node.admin} node=here"
        assert [line for line in node.said.splitlines() if line.startswith("seatd ready")] == [ready]
        assert notices.recv(100) == b"READY=1"
        state_file = node.folder / "seatd.json"
        state = json.loads(state_file.read_text())
        assert (state["node"], state["pid"]) == ("here", node.process.pid)
        assert [file.stat().st_mode & 0o777 for file in (state_file, node.folder / "admin.token")] == [
            0o600
        ] * 2
        engine = node.engine_pid()
        assert is_running(engine)

        assert node.stop(number) == 0
        assert notices.recv(100) == b"STOPPING=1"
        assert not state_file.exists()
        assert not is_running(engine)


async def test_the_second_signal_ends_it_at_once(servers: Servers) -> None:
    """The first one waits for a client that does not answer; the engine ends in any case."""
    node = servers.start()
    engine = node.engine_pid()
    stubborn = await upgrade(node.clients)
    assert isinstance(stubborn, WebSocket)
    node.process.send_signal(signal.SIGTERM)
    await eventually(lambda: "stopping" in node.said)
    assert node.process.poll() is None
    assert node.stop(signal.SIGTERM) == 1
    await eventually(lambda: not is_running(engine))
    stubborn.abort()


async def test_a_killed_node_leaves_no_engine_behind(servers: Servers) -> None:
    node = servers.start()
    engine = node.engine_pid()
    node.kill()
    await eventually(lambda: not is_running(engine))
    token = node.token
    node.launch()
    await asyncio.to_thread(node.wait_ready)
    assert node.token == token
    assert node.stop() == 0
