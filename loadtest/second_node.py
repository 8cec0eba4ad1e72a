"""A node that has no listeners: it only beats, so that the sessions filled in live on."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable
from seatd.store.verbs import StoreOptions

BEAT_S = 2.5


class SecondNode:
    """A store of its own, and its leases in all partitions of it."""

    def __init__(self, url: str) -> None:
        self.name = f"bench~{secrets.token_hex(4)}"
        self.store = Store(connect(url, ConnectOptions()), StoreOptions())
        self.store.owns_engine = True  # it is the bench's own, and to write at once makes filling it shorter
        self._done: dict[int, int] = {}

    async def beat(self, *, joined: bool) -> None:
        """Renews all leases."""
        await asyncio.gather(*(self._beat(number, joined) for number in range(self.store.partitions)))

    async def _beat(self, partition: int, joined: bool) -> None:
        beat = await self.store.beat(partition, self.name, done=self._done.get(partition, 0), joined=joined)
        if beat.orders:
            self._done[partition] = beat.orders[-1].number

    async def beat_on(self) -> None:
        """Renews them for ever."""
        while True:
            await asyncio.sleep(BEAT_S)
            with suppress(StoreUnavailable):
                await self.beat(joined=True)


@asynccontextmanager
async def second_node(url: str) -> AsyncIterator[SecondNode]:
    """One that beats while it is wanted."""
    node = SecondNode(url)
    await node.store.join()
    await node.beat(joined=False)
    beating = asyncio.create_task(node.beat_on())
    try:
        yield node
    finally:
        beating.cancel()
        await node.store.close_client()
