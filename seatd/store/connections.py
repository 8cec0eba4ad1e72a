"""The connections to the store, and letting go of all of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Connections:
    """`number` says how often they have been made anew; who remembers it can tell whether a connection is newer."""

    def __init__(self, disconnect: Callable[[], Awaitable[None]]) -> None:
        self.number = 0
        self._disconnect = disconnect
        self._renewing = asyncio.Lock()

    async def renew(self, number: int) -> None:
        """Lets go of all connections made up to `number`, once however many ask: the next call makes new ones.

        Calls that are under way over them may still be answered.
        """
        async with self._renewing:
            if number == self.number:
                self.number += 1
                await self._disconnect()
