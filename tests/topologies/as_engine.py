"""A cluster for tests that expect one engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio.cluster import RedisCluster

from seatd.store.redis import Store
from tests.engine import PrivateEngine
from tests.topologies.clusters import Cluster


class ClusterAsEngine(PrivateEngine):
    """A cluster where a test expects one engine. A test that needs the one process is skipped."""

    def __init__(self, servers: Cluster) -> None:
        self.servers = servers

    @property
    def url(self) -> str:
        """The store, as seatd is told of it."""
        return self.servers.url

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"a cluster has no {name} of its own")


@asynccontextmanager
async def watching(engine: PrivateEngine, store: Store) -> AsyncIterator[None]:
    """While inside, tests may look into the store by `store.client` on a cluster too: by redis-py's own client of it."""
    if not isinstance(engine, ClusterAsEngine):
        yield
        return
    own = store.client
    address = engine.servers.servers[0]
    async with RedisCluster(host="127.0.0.1", port=address.port) as watcher:
        store.client = watcher  # type: ignore[assignment]  # it has the methods that tests call
        try:
            yield
        finally:
            store.client = own
