"""What the store says of itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis


class Engine:
    """A connection of the bench's own."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def memory_bytes(self) -> float:
        """All that it holds."""
        return float((await self._client.info("memory"))["used_memory"])

    async def scripts(self) -> float:
        """How many it has run so far."""
        return float((await self._client.info("commandstats")).get("cmdstat_evalsha", {}).get("calls", 0))


@asynccontextmanager
async def engine(url: str) -> AsyncIterator[Engine]:
    """The store at that address."""
    async with Redis.from_url(url) as client:
        yield Engine(client)
