"""A server that can be killed and started again with its files, and a primary with a replica that can be held behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.engine import tested_engine
from tests.faults.proxy import Proxy
from tests.faults.trial import Trial
from tests.places import LOOPBACK, Place
from tests.topologies.servers import SERVER, Server, _dashed, _folder, _started, free_ports, until


@contextmanager
def one_server(folder: Path | None = None, place: Place = LOOPBACK, /, **settings: str) -> Iterator[Server]:
    """A server that keeps an append-only file. `folder`: where its files are, a temporary one by default."""
    with _folder() as own, ExitStack() as running:
        (port,) = free_ports(1)
        options = SERVER | {"appendonly": "yes"} | _dashed(settings)
        yield _started(running, tested_engine(), folder or own, port, options, place=place)


class Pair:
    """Two servers; nodes come by way of `front`, which leads to one of them. The second follows the first over `link`."""

    def __init__(self, first: Server, second: Server, front: Proxy, link: Proxy) -> None:
        self.first = first
        self.second = second
        self.front = front
        self.link = link

    @property
    def url(self) -> str:
        """The store, as nodes are told of it."""
        return f"redis://{self.front.address}"

    async def promote(self, new: Server) -> None:
        """The other one leads from now on; what the link held back is lost. Connections to the front end."""
        self.link.cut(refuse=True)
        await asyncio.to_thread(new.ask, "REPLICAOF", "NO", "ONE")
        self.lead_to(new)

    def lead_to(self, server: Server) -> None:
        """Nodes reach this server from now on."""
        self.front.target = server.address
        self.front.cut()

    async def follow(self, replica: Server, primary: Server) -> None:
        """Makes a server the replica of another, directly, and waits until it has all."""
        host, port = primary.address.split(":")
        await asyncio.to_thread(replica.ask, "REPLICAOF", host, port)
        await until_following(replica)


async def until_following(replica: Server) -> None:
    """Waits until a replica has what its primary has."""
    up = lambda: replica.client.info("replication").get("master_link_status") == "up"  # noqa: E731
    await asyncio.to_thread(until, up, "the replica does not follow")


async def pair(trial: Trial, **settings: str) -> Pair:
    """Starts them as the trial's store."""
    first, second = (trial.stand_on(one_server(None, **settings)) for _ in range(2))
    front, link = await trial.proxied(first.address), await trial.proxied(first.address)
    made = Pair(first, second, front, link)
    host, port = link.address.split(":")
    await asyncio.to_thread(second.ask, "REPLICAOF", host, port)
    await until_following(second)
    trial.store, trial.watched = made.url, f"redis://{first.address}"
    return made
