"""The connections to the store, and letting go of all of them at once."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis


class Connections:
    """`number` says how often they have been made anew; who remembers it can tell whether a connection is newer."""

    def __init__(self, client: Redis) -> None:
        self.number = 0
        self._client = client
        self._renewing = asyncio.Lock()

    async def renew(self, number: int) -> None:
        """Lets go of all connections made up to `number`, once however many ask: the next call makes new ones.

        Calls under way over them fail: their outcome is unknown.
        """
        async with self._renewing:
            if number == self.number:
                self.number += 1
                await self._client.connection_pool.disconnect()
