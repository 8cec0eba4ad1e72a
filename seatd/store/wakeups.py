"""Wake-ups: the fast path of orders. Losing one costs a beat, never an order.

A subscription can go deaf without a word: a connection that is gone in one direction, a proxy that forgot it, a server that
has been cut off. So the node also wakes itself: it publishes on its own channel, over the connections that everything else
takes, and must hear the echo here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ResponseError

from seatd.store.keys import QUEUE_CHANNEL, REGISTRY_CHANNEL, wake_channel
from seatd.store.pipeline import AWAY

RETRY_S = 0.5
ECHO = "echo "

log = structlog.get_logger(__name__)

Publish = Callable[[str, str], Awaitable[object]]
"""Sends a message to a channel, as `Store.publish` does."""


class RegistryChanged(NamedTuple):
    """The licenses or assignments of a customer have changed."""

    customer: str


Announced = int | str | RegistryChanged


class Wakeups:
    """Listens for a node. `trouble` says why nothing is heard, and is empty while everything is.

    With `publish` the node's own echo must come within two intervals of `every_s` seconds; `on_echo` is told how long each one
    took, in seconds. Without it a subscription is believed for as long as its connection lives.
    """

    def __init__(
        self,
        client: Redis,
        node: str,
        *,
        publish: Publish | None = None,
        every_s: float = 2.5,
        on_echo: Callable[[float], object] | None = None,
    ) -> None:
        self.trouble = "not subscribed to wake-ups yet"
        self._client = client
        self._channel = wake_channel(node)
        self._publish = publish
        self._every_s = every_s
        self._on_echo = on_echo
        self._warned = False
        self._unsent = ""
        self._due_s: float | None = None

    @property
    def deaf(self) -> bool:
        """Whether nothing is heard now."""
        return bool(self.trouble)

    async def announced(self) -> AsyncIterator[Announced]:
        """What is announced: the number of a partition in which orders wait for this node, the name of a customer whose
        queue has moved, or whose registry has changed. Subscribes anew whenever it has gone deaf.
        """
        while True:
            try:
                async with self._subscription() as subscription, self._echoing() as echoing:
                    while True:
                        async with asyncio.timeout_at(self._due_s):
                            message = await subscription.get_message(timeout=None)
                        if message is None:
                            continue
                        if message["type"] == "subscribe":
                            self._subscribed(echoing)
                        elif (told := self._told(message)) is not None:
                            yield told
            except (*AWAY, ResponseError) as error:  # away, or refuses for now (BUSY, say)
                self._went_deaf(error)
                await asyncio.sleep(RETRY_S)

    async def close(self) -> None:
        """Ends the connection."""
        await self._client.aclose()

    @asynccontextmanager
    async def _subscription(self) -> AsyncIterator[PubSub]:
        self._due_s = self._echo_due_s()
        async with self._client.pubsub(ignore_subscribe_messages=False) as subscription:
            async with asyncio.timeout_at(self._due_s):
                await subscription.subscribe(self._channel, QUEUE_CHANNEL, REGISTRY_CHANNEL)
            yield subscription

    @asynccontextmanager
    async def _echoing(self) -> AsyncIterator[asyncio.Event]:
        """While inside, this node wakes itself, from when the event is set."""
        subscribed = asyncio.Event()
        if self._publish is None:
            yield subscribed
            return
        calling = asyncio.create_task(self._call(self._publish, subscribed))
        try:
            yield subscribed
        finally:
            calling.cancel()
            await asyncio.wait([calling])

    async def _call(self, publish: Publish, subscribed: asyncio.Event) -> None:
        await subscribed.wait()
        while True:
            try:
                await publish(self._channel, f"{ECHO}{time.perf_counter()}")
                self._unsent = ""
            except Exception as error:  # whatever it is: no echo will come, and then this is why
                self._unsent = str(error)
            await asyncio.sleep(self._every_s)

    def _subscribed(self, echoing: asyncio.Event) -> None:
        echoing.set()
        if self._publish is None:
            self._hears()

    def _told(self, message: dict[str, Any]) -> Announced | None:
        """What a message says to others; None when it is the echo, or nothing that we know."""
        text = message["data"].decode(errors="replace")
        if message["channel"] == QUEUE_CHANNEL.encode():
            return str(text)
        if message["channel"] == REGISTRY_CHANNEL.encode():
            return RegistryChanged(text)
        if text.startswith(ECHO):
            self._echoed(text.removeprefix(ECHO))
        return int(text) if text.isascii() and text.isdigit() else None

    def _echoed(self, sent_s: str) -> None:
        self._hears()
        self._due_s = self._echo_due_s()
        if self._on_echo:
            self._on_echo(time.perf_counter() - float(sent_s))

    def _echo_due_s(self) -> float | None:
        """When the next echo must have come, by the loop's clock."""
        return asyncio.get_running_loop().time() + 2 * self._every_s if self._publish else None

    def _hears(self) -> None:
        self.trouble = ""
        if self._warned:
            log.info("wake-ups are heard again")
        self._warned = False

    def _went_deaf(self, error: BaseException) -> None:
        self.trouble = f"deaf to wake-ups: {self._reason(error)}"
        if not self._warned:
            log.warning("deaf to wake-ups: orders come with the beat", reason=self._reason(error))
        self._warned = True

    def _reason(self, error: BaseException) -> str:
        if isinstance(error, TimeoutError) and self._unsent:
            return f"this node's own could not be sent ({self._unsent})"
        if isinstance(error, TimeoutError):
            return f"this node's own was not heard within {2 * self._every_s:g} s"
        return str(error) or type(error).__name__
