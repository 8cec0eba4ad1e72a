"""Wake-ups are heard, or it is known that they are not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from seatd.store.connect import ConnectOptions, subscriber
from seatd.store.keys import QUEUE_CHANNEL, wake_channel
from seatd.store.redis import Store
from seatd.store.values import Granted, StoreUnavailable
from seatd.store.wakeups import Announced, Wakeups
from tests.engine import PrivateEngine
from tests.licenses import Licensed
from tests.store.forwarder import Forwarder
from tests.store.office import Office

EVERY_S = 0.2
NODE = "n1"


class Listening:
    """While inside, a node's wake-ups are heard; call it for the next one. `echoes`: how long its own ones took."""

    def __init__(self, url: str, **how: Any) -> None:
        self.echoes: list[float] = []
        self.wakeups = Wakeups(
            subscriber(url, ConnectOptions()), NODE, every_s=EVERY_S, on_echo=self.echoes.append, **how
        )
        self._heard: asyncio.Queue[Announced] = asyncio.Queue()

    async def __aenter__(self) -> Listening:
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await self.wakeups.close()

    async def __call__(self) -> Announced:
        return await asyncio.wait_for(self._heard.get(), 10)

    async def until_deaf(self, deaf: bool) -> None:
        async with asyncio.timeout(10):
            while self.wakeups.deaf is not deaf:
                await asyncio.sleep(0.01)

    async def _listen(self) -> None:
        async for told in self.wakeups.announced():
            self._heard.put_nowait(told)


async def seated(office: Office, licensed: Licensed) -> Granted:
    await licensed("CALL_CENTER", 5)
    return await office.open("alice", "CALL_CENTER")


async def test_an_order_wakes_its_node(office: Office, engine: PrivateEngine, licensed: Licensed) -> None:
    session = await seated(office, licensed)
    async with Listening(engine.url) as heard:
        await heard.until_deaf(False)
        await office.kick(session=session.session)
        assert await heard() == office.partition
    assert heard.echoes == []


async def test_a_queue_that_moved_is_told_by_its_customer(store: Store, engine: PrivateEngine) -> None:
    async with Listening(engine.url, publish=store.publish) as heard:
        await heard.until_deaf(False)
        await store.publish(QUEUE_CHANNEL, "12 müller")
        assert await heard() == "12 müller"


async def test_what_nobody_understands_is_passed_over(store: Store, engine: PrivateEngine) -> None:
    async with Listening(engine.url) as heard:
        await heard.until_deaf(False)
        for message in ("", "seven", "-1", "\N{SUPERSCRIPT TWO}", "3"):
            await store.publish(wake_channel(NODE), message)
        assert await heard() == 3


async def test_the_nodes_own_comes_back_again_and_again(store: Store, engine: PrivateEngine) -> None:
    async with Listening(engine.url, publish=store.publish) as heard:
        await asyncio.wait_for(_until(lambda: len(heard.echoes) == 3), 10)
    assert min(heard.echoes) > 0


async def test_a_lost_connection_is_made_anew(
    office: Office, store: Store, engine: PrivateEngine, licensed: Licensed, one_server: None
) -> None:
    session = await seated(office, licensed)
    async with Listening(engine.url, publish=store.publish) as heard:
        await heard.until_deaf(False)
        await store.client.client_kill_filter(_type="pubsub")
        await heard.until_deaf(True)
        await heard.until_deaf(False)
        await office.kick(session=session.session)
        assert await heard() == office.partition


async def test_a_connection_that_is_dead_without_a_word(
    office: Office, store: Store, engine: PrivateEngine, licensed: Licensed
) -> None:
    session = await seated(office, licensed)
    with capture_logs() as events:
        async with (
            Forwarder(engine.socket) as way,
            Listening(way.url.replace("//", f"//{engine.login}"), publish=store.publish) as heard,
        ):
            await heard.until_deaf(False)
            way.freeze()
            await heard.until_deaf(True)
            assert heard.wakeups.trouble == "deaf to wake-ups: this node's own was not heard within 0.4 s"
            await asyncio.sleep(4 * EVERY_S)  # more attempts, all in vain
            way.thaw()
            await heard.until_deaf(False)
            await office.kick(session=session.session)
            assert await heard() == office.partition
    assert [event["log_level"] for event in events] == ["warning", "info"]


async def test_messages_of_others_do_not_stand_in_for_the_echo(store: Store, engine: PrivateEngine) -> None:
    async def lose(channel: str, message: str) -> None:
        await store.publish(channel, "1")

    async with Listening(engine.url, publish=lose) as heard:
        assert await heard() == 1
        assert heard.wakeups.deaf
        await asyncio.wait_for(_until(lambda: "not heard" in heard.wakeups.trouble), 10)


async def test_what_could_not_be_sent_is_the_reason(engine: PrivateEngine) -> None:
    async def refuse(channel: str, message: str) -> None:
        raise StoreUnavailable("READONLY")

    async with Listening(engine.url, publish=refuse) as heard:
        await asyncio.wait_for(_until(lambda: "could not be sent (READONLY)" in heard.wakeups.trouble), 10)


@pytest.mark.parametrize("url", ["unix:///nowhere/store.sock", "redis://127.0.0.1:1"])
async def test_a_store_that_is_away_is_asked_again(url: str) -> None:
    async with Listening(url) as heard:
        await asyncio.wait_for(_until(lambda: heard.wakeups.trouble.startswith("deaf")), 10)


async def test_a_store_that_refuses_to_be_listened_to_is_asked_again(
    engine: PrivateEngine, store: Store
) -> None:
    """One that is busy with a script answers so, and later on lets us listen."""
    rights = ("reset", "on", ">pw", "~*", "+@all")
    admin = store.client
    await admin.execute_command("ACL", "SETUSER", "listener", *rights, "resetchannels")
    try:
        async with Listening(f"unix://listener:pw@{engine.socket}") as heard:
            await asyncio.wait_for(_until(lambda: heard.wakeups.trouble.startswith("deaf")), 10)
            await admin.execute_command("ACL", "SETUSER", "listener", "&*")
            await heard.until_deaf(False)
    finally:
        await admin.execute_command("ACL", "DELUSER", "listener")


async def _until(holds: Any) -> None:
    while not holds():
        await asyncio.sleep(0.01)
