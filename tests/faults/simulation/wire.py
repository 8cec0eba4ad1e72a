"""A connection between a client and a node of the simulation: in order, delayed, until somebody closes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.simulation.node import Node
    from tests.faults.simulation.world import World


class Wire:
    """What the node tells arrives in `inbox` as (what, fields); what the client says arrives at `Node.heard`."""

    def __init__(self, world: World, node: Node) -> None:
        self.world = world
        self.node = node
        self.closed = False
        self.inbox: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._free = [0.0, 0.0]
        self._session = ""

    def session_id(self, new: Callable[[], str]) -> str:
        """One id for all tries of a sign-in."""
        self._session = self._session or new()
        return self._session

    def tell(self, what: str, **fields: Any) -> None:
        """The node sends a message."""
        self.world.spawn(self._deliver(0, lambda: self.inbox.put_nowait((what, fields))))

    def say(self, what: str, n: int = 0) -> None:
        """The client sends a message."""
        self.world.spawn(self._deliver(1, lambda: self.node.spawn(self.node.heard(self, what, n))))

    def drop(self, notice_s: float) -> None:
        """The client's end is gone; the node notices after a while."""
        self.closed = True
        self.world.spawn(self._gone(notice_s))

    async def _gone(self, notice_s: float) -> None:
        await asyncio.sleep(notice_s)
        self.node.spawn(self.node.heard(self, "gone"))

    async def _deliver(self, way: int, arrive: Callable[[], Any]) -> None:
        self._free[way] = due = max(self._free[way], self.world.now + self.world.delay())
        await asyncio.sleep(due - self.world.now)
        if not self.closed or way:
            arrive()
