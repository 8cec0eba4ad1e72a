"""A connection of the store's: answers belong to their calls, and a connection that ends leaves nobody waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis import exceptions
from redis.asyncio import Redis

from seatd.store.wire import Wire
from tests.engine import PrivateEngine

TIMEOUT_S = 0.3
BUSY = "local n = 0 for i = 1, 1000000 do n = n + i end"
"""A script that takes a few milliseconds."""


@pytest.fixture
async def wire(spare_client: Redis) -> AsyncIterator[Wire]:
    """A connection to the spare engine."""
    wire = await Wire.open(spare_client.connection_pool, TIMEOUT_S)
    yield wire
    wire.retire()
    await wire.ended()


async def test_answers_come_to_who_asked(wire: Wire) -> None:
    """Those of several sizes, and larger than what the network delivers at a time."""

    async def ask(number: int) -> None:
        text = f"{number}-" * (number * 997 % 40_000)
        commands = [("ECHO", text), ("SET", f"k{number}", number), ("GET", f"k{number}")]
        assert await wire.send(commands) == [text.encode(), b"OK", str(number).encode()]

    await asyncio.gather(*map(ask, range(60)))


async def test_an_error_is_the_answer_of_its_command_only(wire: Wire) -> None:
    good, bad, unknown = await wire.send([("SET", "k", 1), ("LPUSH", "k", 1), ("EVALSHA", "0" * 40, 0)])
    assert good == b"OK"
    assert isinstance(bad, exceptions.ResponseError)
    assert str(bad).startswith("WRONGTYPE")
    assert isinstance(unknown, exceptions.NoScriptError)
    assert wire.is_good


async def test_what_cannot_be_sent_is_not_waited_for(wire: Wire) -> None:
    with pytest.raises(TypeError):
        wire.send([("PING",), ("ECHO", object())])
    assert await wire.send([("ECHO", "next")]) == [b"next"]


async def test_silence_ends_it(wire: Wire, spare_engine: PrivateEngine) -> None:
    with spare_engine.paused():
        answers = await asyncio.gather(*(wire.send([("PING",)]) for _ in range(5)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {TimeoutError}
    assert not wire.is_good


async def test_the_engine_may_end_it(wire: Wire, spare_client: Redis) -> None:
    (own,) = await wire.send([("CLIENT", "ID")])
    asked = wire.send([("EVAL", BUSY, 0), ("CLIENT", "KILL", "ID", own, "SKIPME", "no"), ("PING",)])
    with pytest.raises(ConnectionError):
        await asked
    await wire.ended()
    with pytest.raises(ConnectionError):
        wire.send([("PING",)])


async def test_one_that_ends_as_it_is_taken_over(spare_client: Redis) -> None:
    """Its end was told to who had it before."""
    connection = await spare_client.connection_pool.get_connection()
    connection._writer.transport.abort()
    await asyncio.sleep(0.01)
    wire = Wire(spare_client.connection_pool, connection, TIMEOUT_S)
    assert not wire.is_good
    with pytest.raises(ConnectionError):
        wire.send([("PING",)])
    wire.retire()
    await asyncio.wait_for(wire.ended(), 5)
    assert await spare_client.ping()


async def test_retired_it_still_answers(wire: Wire) -> None:
    asked = wire.send([("EVAL", BUSY, 0), ("ECHO", "late")])
    wire.retire()
    assert not wire.is_good
    assert (await asked)[1] == b"late"
    await wire.ended()


async def test_the_pool_may_use_its_connection_again(spare_client: Redis) -> None:
    pool = spare_client.connection_pool
    before = await _connected(spare_client)
    for _ in range(5):
        wire = await Wire.open(pool, TIMEOUT_S)
        await wire.send([("PING",)])
        wire.retire()
        await wire.ended()
        assert await spare_client.ping()
    assert await _connected(spare_client) <= before + 1


async def test_a_caller_that_has_given_up_harms_nobody(wire: Wire) -> None:
    first = wire.send([("EVAL", BUSY, 0)])
    second = wire.send([("ECHO", "second")])
    first.cancel()
    assert await second == [b"second"]


async def _connected(client: Redis) -> int:
    told: dict[str, Any] = await client.info("clients")
    return int(told["connected_clients"])
