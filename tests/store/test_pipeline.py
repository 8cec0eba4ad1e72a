"""Calls travel together, are made once, and say plainly when their outcome is unknown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from redis import exceptions
from redis.asyncio import Redis

from seatd.store.connect import ConnectOptions, connect
from seatd.store.pipeline import MAX_BATCH, Pipeline
from seatd.store.scripts import Script, build
from seatd.store.values import StoreUnavailable
from tests.engine import PrivateEngine, private_engine
from tests.faults.proxy import Proxy

COUNT = build("count", "return redis.call('INCR', KEYS[1])", checked=False)
WRITE = build("write", "return redis.call('SET', KEYS[1], 'x')", checked=False)
BROKEN = build("broken", "return redis.call('LPUSH', KEYS[1], 'x')", checked=False)
EMPTY = b"\x80"  # an empty map, packed


@pytest.fixture
def pipeline(spare_client: Redis) -> Pipeline:
    """A pipeline to the spare engine."""
    return Pipeline(spare_client)


async def call(pipeline: Pipeline, script: Script = COUNT, key: str = "n") -> Any:
    return await pipeline.run(script, [key], EMPTY)


async def commands_of(client: Redis, name: str) -> int:
    """How often the engine has run a command."""
    return int((await client.info("commandstats")).get(f"cmdstat_{name}", {}).get("calls", 0))


@asynccontextmanager
async def configured(client: Redis, name: str, value: str) -> AsyncIterator[None]:
    before = (await client.config_get(name))[name] or ""
    await client.config_set(name, value)
    try:
        yield
    finally:
        await client.config_set(name, before)


async def test_script_that_the_engine_forgot_is_loaded_again(pipeline: Pipeline, spare_client: Redis) -> None:
    assert await call(pipeline) == 1
    await spare_client.script_flush()
    assert await asyncio.gather(*(call(pipeline) for _ in range(3))) == [2, 3, 4]


async def test_script_that_is_forgotten_at_once_again_is_refused_not_waited_for(
    pipeline: Pipeline, spare_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spare_client.script_flush()

    load = pipeline._load

    async def load_and_forget(texts: Mapping[str, bytes]) -> None:
        await load(texts)
        await spare_client.script_flush()

    monkeypatch.setattr(pipeline, "_load", load_and_forget)
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(call(pipeline), 5)


async def test_calls_of_one_turn_travel_together(pipeline: Pipeline, spare_client: Redis) -> None:
    await call(pipeline)
    await spare_client.config_resetstat()
    before = int((await spare_client.info("stats"))["total_reads_processed"])
    assert await asyncio.gather(*(call(pipeline) for _ in range(100))) == list(range(2, 102))
    reads = int((await spare_client.info("stats"))["total_reads_processed"]) - before
    assert await commands_of(spare_client, "evalsha") == 100
    assert reads < 10


async def test_a_large_turn_is_sent_in_batches(pipeline: Pipeline) -> None:
    answers = await asyncio.gather(*(call(pipeline) for _ in range(2 * MAX_BATCH + 1)))
    assert sorted(answers) == list(range(1, 2 * MAX_BATCH + 2))


async def test_call_whose_caller_gave_up_harms_no_other(pipeline: Pipeline) -> None:
    given_up, other = (asyncio.create_task(call(pipeline)) for _ in range(2))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await other == 2
    assert given_up.cancelled()


async def test_engine_that_stalls_runs_each_call_once(
    pipeline: Pipeline, spare_engine: PrivateEngine, spare_client: Redis
) -> None:
    await call(pipeline)
    with spare_engine.paused():
        answers = await asyncio.gather(*(call(pipeline) for _ in range(10)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert not pipeline.healthy
    # What was sent before the client gave up runs when the engine wakes; nothing was sent a second time.
    assert await call(pipeline) == 12
    assert pipeline.healthy


async def test_engine_that_is_gone_is_unavailable_until_it_is_back() -> None:
    with private_engine() as engine:
        client = connect(engine.url, ConnectOptions(timeout_s=0.2, connect_timeout_s=0.2))
        pipeline = Pipeline(client)
        await call(pipeline)
        engine.kill()
        with pytest.raises(StoreUnavailable):
            await call(pipeline)
        assert not pipeline.healthy
        await client.aclose()


async def test_full_engine_is_unavailable(pipeline: Pipeline, spare_client: Redis) -> None:
    async with configured(spare_client, "maxmemory", "1"):
        with pytest.raises(StoreUnavailable, match="OOM"):
            await call(pipeline)
    assert await call(pipeline) == 1


async def test_replica_is_unavailable(pipeline: Pipeline, spare_client: Redis) -> None:
    await spare_client.slaveof("127.0.0.1", 1)
    try:
        with pytest.raises(StoreUnavailable, match="READONLY"):
            await call(pipeline)
    finally:
        await spare_client.slaveof()


async def test_connections_to_a_replica_are_not_used_again(pipeline: Pipeline, spare_client: Redis) -> None:
    """It was the primary once: whoever is it now is found with a new connection."""
    asked = [pipeline.together(("CLIENT", "ID")) for _ in range(3)]
    before = {answer for (answer,) in await asyncio.gather(*asked)}
    await spare_client.slaveof("127.0.0.1", 1)
    try:
        with pytest.raises(StoreUnavailable, match="READONLY"):
            await call(pipeline)
        asked = [pipeline.together(("CLIENT", "ID")) for _ in range(3)]
        assert not before & {answer for (answer,) in await asyncio.gather(*asked)}
    finally:
        await spare_client.slaveof()


async def test_plain_commands_travel_with_scripts(pipeline: Pipeline, spare_client: Redis) -> None:
    await spare_client.set("text", "x")
    calls = call(pipeline), pipeline.command("GET", "text"), pipeline.command("LLEN", "text"), call(pipeline)
    first, text, wrong, second = await asyncio.gather(*calls, return_exceptions=True)
    assert (first, text, second) == (1, b"x", 2)
    assert isinstance(wrong, exceptions.ResponseError)


async def test_commands_together_are_answered_in_order_or_not_at_all(pipeline: Pipeline) -> None:
    assert await pipeline.together(("SET", "a", "1"), ("INCR", "a"), ("GET", "a")) == [True, 2, b"2"]
    with pytest.raises(exceptions.ResponseError):
        await pipeline.together(("LLEN", "a"), ("GET", "a"))


async def test_primary_without_its_replicas_is_unavailable(pipeline: Pipeline, spare_client: Redis) -> None:
    async with configured(spare_client, "min-replicas-to-write", "1"):
        with pytest.raises(StoreUnavailable, match="NOREPLICAS"):
            await call(pipeline)


async def test_busy_engine_is_unavailable(
    pipeline: Pipeline, spare_engine: PrivateEngine, spare_client: Redis
) -> None:
    await call(pipeline)
    async with (
        configured(spare_client, "busy-reply-threshold", "1"),
        Redis.from_url(spare_engine.url) as other,
    ):
        endless: asyncio.Future[Any] = asyncio.ensure_future(other.eval("while true do end", 0))
        while not isinstance(await _error(spare_client.ping()), exceptions.ResponseError):
            pass
        with pytest.raises(StoreUnavailable, match="BUSY"):
            await call(pipeline)
        await spare_client.script_kill()
        with pytest.raises(exceptions.ResponseError):
            await endless
    assert await call(pipeline) == 2


@pytest.mark.parametrize("code", ["TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "LOADING", "MISCONF"])
async def test_refusals_of_engines_in_trouble_are_unavailable(pipeline: Pipeline, code: str) -> None:
    refusing = build("refusing", f"return redis.error_reply('{code} not now')")
    with pytest.raises(StoreUnavailable, match=code):
        await call(pipeline, refusing)


async def test_broken_script_is_an_error_of_its_own(pipeline: Pipeline) -> None:
    await call(pipeline, WRITE, "text")
    calls = call(pipeline, BROKEN, "text"), call(pipeline)
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(answers[0], exceptions.ResponseError)
    assert answers[1] == 1
    assert pipeline.healthy


def test_a_connection_that_the_network_has_reset_is_unavailable() -> None:
    """On the loop that a node runs on: uvloop has an error of its own for it."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, private_engine() as engine:
        told = runner.run(_told_of_resets(engine))
    assert {type(one) for one in told} == {int, StoreUnavailable}


async def _told_of_resets(engine: PrivateEngine) -> list[Any]:
    told: list[Any] = []
    async with Proxy(engine.url) as proxy, connect(f"redis://{proxy.address}", ConnectOptions()) as client:
        pipeline = Pipeline(client)
        for turn in range(100):
            under_way = [asyncio.create_task(call(pipeline)) for _ in range(3)]
            await asyncio.sleep(0.0003 * (turn % 4))
            proxy.cut(refuse=turn % 2 == 0)
            told += await asyncio.gather(*under_way, call(pipeline), return_exceptions=True)
            proxy.restore()
            told += await asyncio.gather(call(pipeline), return_exceptions=True)
        await pipeline.close()
    return told


async def _error(doing: Awaitable[object]) -> Exception | None:
    try:
        await doing
    except exceptions.RedisError as error:
        return error
    return None
