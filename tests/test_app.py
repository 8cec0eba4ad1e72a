"""A node as a process: how it says that it is ready, why it does not start, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios.websocket import WebSocket, upgrade
from tests.servers import READY_S, Server, Servers


def is_running(pid: int) -> bool:
    """Whether the process has not ended; a zombie that nobody collects has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def eventually(condition: Callable[[], object]) -> None:
    """Waits until the condition holds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def servers() -> Iterator[Servers]:
    with Servers() as own:
        yield own


# -- what keeps it from starting ------------------------------------------------------------------

REFUSALS = {
    "folder in use": r"the data folder \S+ is in use by process \d+",
    "clients' port in use": r"\('127\.0\.0\.1', \d+\).*address already in use",
    "admins' port in use": r"\('127\.0\.0\.1', \d+\).*address already in use",
    "no such trust file": r"No such file or directory.*nobody\.pem",
    "trust file without a key": r"garbage\.pem",
    "no store there": r"unix.*store\.sock",
    "store with other partitions": r"64 partitions.*set to 32.*partitions = 64",
    "data folder is a file": r"garbage\.pem",
    "bad admin token": r"admin\.token does not hold an API token",
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """Nodes that cannot start, all of them launched at once beside one that runs."""
    folder = tmp_path_factory.mktemp("app")
    garbage = folder / "garbage.pem"
    garbage.write_text("this is no key\n")
    (folder / "data").mkdir()
    (folder / "data" / "admin.token").write_text("two words\n")
    with Servers() as servers:
        runs = servers.start("runs")
        yield {
            "folder in use": servers.launch("1", folder=runs.folder),
            "clients' port in use": servers.launch("2", CLIENTS_LISTEN=runs.clients),
            "admins' port in use": servers.launch("3", store=runs.store, ADMIN_LISTEN=runs.admin),
            "no such trust file": servers.launch("4", LICENSES_TRUST=str(folder / "nobody.pem")),
            "trust file without a key": servers.launch("5", LICENSES_TRUST=str(garbage)),
            "no store there": servers.launch("6", store="unix:///nowhere/store.sock"),
            "store with other partitions": servers.launch("7", store=runs.store, STORE_PARTITIONS="32"),
            "data folder is a file": servers.launch("8", folder=garbage),
            "bad admin token": servers.launch("9", store=runs.store, folder=folder / "data"),
        }


@pytest.mark.parametrize("why", REFUSALS)
def test_why_it_does_not_start(refused: dict[str, Server], why: str) -> None:
    node = refused[why]
    assert node.process.wait(READY_S) == 1
    told = [line for line in node.said.splitlines() if not line.startswith("{")]
    assert len(told) == 1, node.said
    assert re.match(f"seatd: .*{REFUSALS[why]}", told[0])
    if why != "folder in use":
        assert not (node.folder / "seatd.json").exists()
        assert not (node.folder / "store.sock").exists()


def test_whoever_did_not_start_does_no_harm_to_the_one_that_runs(refused: dict[str, Server]) -> None:
    runs = refused["folder in use"]
    state = json.loads((runs.folder / "seatd.json").read_text())
    os.kill(state["pid"], 0)


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
