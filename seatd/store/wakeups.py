"""Wake-ups: the fast path of orders. Losing one costs a beat, never an order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from seatd.store.keys import QUEUE_CHANNEL, wake_channel
from seatd.store.pipeline import AWAY

RETRY_S = 0.5


class Wakeups:
    """Listens on a node's channel; `deaf` is True while there is no subscription."""

    def __init__(self, client: Redis, node: str) -> None:
        self.deaf = True
        self._client = client
        self._channel = wake_channel(node)

    async def announced(self) -> AsyncIterator[int | str]:
        """What is announced: the partition in which orders wait for this node, or the customer whose queue has moved.

        Subscribes anew whenever the store comes back.
        """
        while True:
            try:
                async with self._client.pubsub(ignore_subscribe_messages=False) as channel:
                    await channel.subscribe(self._channel, QUEUE_CHANNEL)
                    async for message in channel.listen():
                        self.deaf = False
                        if message["type"] == "message":
                            data = message["data"].decode()
                            yield data if message["channel"] == QUEUE_CHANNEL.encode() else int(data)
            except AWAY:
                self.deaf = True
                await asyncio.sleep(RETRY_S)

    async def close(self) -> None:
        """Ends the connection."""
        await self._client.aclose()
