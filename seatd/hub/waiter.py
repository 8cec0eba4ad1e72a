"""A request that waits in the queue for a seat."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from seatd.store.values import Queued
from seatd_protocol.messages import Hello

if TYPE_CHECKING:
    from seatd.hub.session import Session


class Waiter:
    """A hello that waits (it is given), or an acquire (its `ref` is). `products` is what was asked for.

    `unplaced` counts how often in a row the store has not named it among those who wait.
    """

    def __init__(
        self,
        session: Session,
        place: Queued,
        products: frozenset[str],
        *,
        hello: Hello | None = None,
        ref: int | None = None,
    ) -> None:
        self.session = session
        self.place = place
        self.products = products
        self.hello = hello
        self.ref = ref
        self.since_s = time.monotonic()
        self.unplaced = 0
        self.timer: asyncio.TimerHandle | None = None

    @property
    def customer(self) -> str:
        """Whose queue it is."""
        return self.session.identity.customer
