"""A client's outgoing frames: in order, bounded, and never waited for."""

from __future__ import annotations

import asyncio

import pytest

from seatd.hub.outbox import Outbox


class Pipe:
    """A transport that takes frames while it flows."""

    def __init__(self) -> None:
        self.sent: list[bytes | str] = []
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.broken = False

    @property
    def lost(self) -> bool:
        return self.broken

    async def send(self, frame: bytes | str) -> None:
        await self.flowing.wait()
        if self.broken:
            raise ConnectionResetError
        self.sent.append(frame)

    async def close(self, number: int, reason: str) -> None:
        raise AssertionError("the outbox never closes")

    def abort(self) -> None:
        raise AssertionError("the outbox never aborts")


@pytest.fixture
async def pipe() -> Pipe:
    return Pipe()


async def test_frames_go_out_in_the_order_they_came(pipe: Pipe) -> None:
    outbox = Outbox(pipe, 1000)
    frames = [f"{number}" for number in range(50)]
    for frame in frames[:20]:
        outbox.put(frame)
    await asyncio.sleep(0)
    for frame in frames[20:]:
        outbox.put(frame)
    assert await outbox.finish(10)
    assert pipe.sent == frames


async def test_a_slow_reader_is_reported_once_and_gets_nothing_more(pipe: Pipe) -> None:
    outbox = Outbox(pipe, 100)
    pipe.flowing.clear()
    assert all(outbox.put(b"x" * 10) for _ in range(10))
    assert [outbox.put(b"y"), outbox.put(b"z")] == [False, True]
    pipe.flowing.set()
    assert await outbox.finish(10)
    assert pipe.sent == [b"x" * 10] * 10


async def test_what_was_sent_makes_room(pipe: Pipe) -> None:
    outbox = Outbox(pipe, 100)
    for _ in range(50):
        assert outbox.put(b"x" * 100)
        while outbox._sender:
            await asyncio.sleep(0)
    assert len(pipe.sent) == 50


async def test_the_end_waits_for_what_is_queued(pipe: Pipe) -> None:
    outbox = Outbox(pipe, 100)
    pipe.flowing.clear()
    outbox.put(b"last words")
    finishing = asyncio.create_task(outbox.finish(10))
    await asyncio.sleep(0)
    outbox.put(b"too late")
    pipe.flowing.set()
    assert await finishing
    assert pipe.sent == [b"last words"]


async def test_the_end_does_not_wait_for_ever(pipe: Pipe) -> None:
    before = asyncio.all_tasks()
    outbox = Outbox(pipe, 100)
    pipe.flowing.clear()
    outbox.put(b"x")
    assert not await outbox.finish(0.01)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_the_end_of_an_idle_outbox(pipe: Pipe) -> None:
    assert await Outbox(pipe, 100).finish(0)


async def test_after_a_broken_connection_nothing_is_kept(pipe: Pipe) -> None:
    outbox = Outbox(pipe, 100)
    pipe.broken = True
    for _ in range(3):
        outbox.put(b"x")
    assert await outbox.finish(10)
    assert all(outbox.put(b"x" * 10) for _ in range(1000))
    assert (pipe.sent, outbox._sender) == ([], None)
