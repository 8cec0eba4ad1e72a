"""Listening in a cluster: every server passes on what any of them is told, so one that lives is enough."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import Connection, ConnectionPool

from seatd.store.cluster_map import QUESTION, ClusterMap
from seatd.store.url import Address, SeveralHosts


class RoamingConnection(Connection):
    """A connection to the first of `members`, a list that all of a pool share. Every attempt goes to another one: whoever
    was tried comes last, and who is there is asked anew each time.
    """

    def __init__(self, *, members: list[Address], **settings: Any) -> None:
        super().__init__(**settings)
        self._members = members

    async def _connect(self) -> None:
        address = self._members.pop(0)
        self._members.append(address)
        self.host, self.port = address
        await super()._connect()  # type: ignore[no-untyped-call]  # redis-py's

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        """Says hello, and asks for the others."""
        await super().on_connect_check_health(check_health)
        await self.send_command(*QUESTION, check_health=False)
        own = self.host, self.port
        members = set(ClusterMap.read(await self.read_response(), own).members) - {own}
        self._members[:] = [*random.sample(sorted(members), len(members)), own]


def anywhere(place: SeveralHosts, settings: Mapping[str, Any]) -> Redis:
    """A client of any one server of a cluster."""
    seeds = random.sample(place.hosts, len(place.hosts))
    pool = ConnectionPool(
        connection_class=RoamingConnection,
        members=seeds,
        username=place.user,
        password=place.password,
        **settings,
    )
    return Redis.from_pool(pool)
