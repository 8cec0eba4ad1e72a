"""Where a test expects one engine that lets it do everything, and gets another: a cluster, or one with rights."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from seatd.store.redis import Store
from tests.engine import PrivateEngine
from tests.topologies.clusters import Cluster
from tests.topologies.under_acl import EngineUnderAcl


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
    """While inside, tests may look into the store by `store.client` and do with it what they want: on a cluster by redis-py's
    own client of it, under an ACL as the operator. What the store itself asks goes the way that it was given."""
    match engine:
        case ClusterAsEngine():
            watcher: Any = RedisCluster(host="127.0.0.1", port=engine.servers.servers[0].port)
        case EngineUnderAcl():
            watcher = Redis.from_url(engine.url_of("operator"))
        case _:
            yield
            return
    own = store.client
    async with watcher:
        store.client = watcher
        try:
            yield
        finally:
            store.client = own
