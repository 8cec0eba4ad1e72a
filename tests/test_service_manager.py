"""systemd hears over a real datagram socket what it would hear."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatd.service_manager import keep_alive, notify, patience_s
from tests.servers import READY_S, Servers


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What the service manager listens at, as the environment names it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(tmp_path / "notify"))
        notices.settimeout(READY_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield notices


@pytest.mark.parametrize(
    ("environ", "patience"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_how_long_it_waits(environ: dict[str, str], patience: float | None) -> None:
    assert patience_s(environ) == patience


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("READY=1")


async def test_it_is_not_bothered_where_it_does_not_watch(systemd: socket.socket) -> None:
    await keep_alive(None)
    systemd.setblocking(False)
    with pytest.raises(BlockingIOError):
        systemd.recv(100)


async def test_a_loop_that_hangs_says_nothing(systemd: socket.socket) -> None:
    alive = asyncio.create_task(keep_alive(0.03))
    heard = 0
    while heard < 3:
        await asyncio.sleep(0)
        systemd.setblocking(False)
        try:
            assert systemd.recv(100) == b"WATCHDOG=1"
            heard += 1
        except BlockingIOError:
            continue
    systemd.settimeout(0.1)  # this blocks the loop, so nobody can say anything
    with pytest.raises(TimeoutError):
        systemd.recv(100)
    alive.cancel()


def test_a_server_says_so_while_it_runs_and_while_it_ends(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "150000")
    with Servers() as servers:
        node = servers.start("watched")
        assert systemd.recv(100) == b"READY=1"
        assert [systemd.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        node.process.send_signal(signal.SIGSTOP)
        systemd.settimeout(0.3)
        with pytest.raises(TimeoutError):
            while systemd.recv(100):  # what was said before it stopped
                pass
        node.process.send_signal(signal.SIGCONT)
        systemd.settimeout(READY_S)
        assert systemd.recv(100) == b"WATCHDOG=1"
        assert node.stop() == 0
        while (said := systemd.recv(100)) == b"WATCHDOG=1":
            pass
        assert said == b"STOPPING=1"
