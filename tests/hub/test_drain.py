"""Draining: everybody is moved, in steps, within the time there is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from seatd.hub import drain
from seatd_protocol import codes
from seatd_protocol.codes import CloseCode
from seatd_protocol.messages import Moving


class Client:
    """Stands where a session is moved, and notes what it is told."""

    def __init__(self, *, beats: bool = True) -> None:
        self.beats = beats
        self.told: list[Any] = []

    def send(self, message: Moving) -> None:
        self.told.append(message)

    def close(self, code: CloseCode) -> None:
        self.told.append(code)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each pause between two steps was to be."""
    taken: list[float] = []

    async def nap(seconds: float) -> None:
        taken.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", nap)
    return taken


async def move(clients: list[Client], drain_s: float) -> None:
    await drain.move_all(clients, drain_s)  # type: ignore[arg-type]  # all that a session is asked for here


async def test_a_client_is_told_to_move_and_its_socket_closed(naps: list[float]) -> None:
    client = Client()
    await move([client], 10)
    moving, code = client.told
    assert 0 <= moving.after_ms < drain.AFTER_MS
    assert code is codes.MOVING
    assert naps == []


async def test_one_without_beats_is_only_closed(naps: list[float]) -> None:
    client = Client(beats=False)
    await move([client], 10)
    assert client.told == [codes.MOVING]


@pytest.mark.parametrize(("count", "drain_s"), [(100, 10), (1_000, 10), (15_000, 10), (15_000, 60)])
async def test_all_are_moved_at_a_steady_rate_within_the_time(
    count: int, drain_s: float, naps: list[float]
) -> None:
    clients = [Client() for _ in range(count)]
    await move(clients, drain_s)
    assert all(len(client.told) == 2 for client in clients)
    assert sum(naps) <= drain_s * drain.SPREAD_SHARE
    if count > drain.MOVES_PER_S:
        assert count / sum(naps) >= drain.MOVES_PER_S
    assert len(set(naps)) <= 1
