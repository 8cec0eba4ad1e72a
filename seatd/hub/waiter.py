"""A request that waits in the queue for a seat."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from seatd.store.values import Queued, Waiting, Want
from seatd_protocol.messages import Hello

if TYPE_CHECKING:
    from seatd.hub.session import Session


class Waiter:
    """A hello that waits (it is given), or an acquire (its `ref` is). `products` is what was asked for,
    `need` and `want` how.

    `unplaced` counts how often in a row the store has not named it among those who wait; `leaving` is held while the store is
    asked to end its wait.
    """

    def __init__(
        self,
        session: Session,
        place: Queued,
        products: frozenset[str],
        *,
        hello: Hello | None = None,
        ref: int | None = None,
        need: tuple[Want, ...] = (),
        want: tuple[Want, ...] = (),
    ) -> None:
        self.session = session
        self.place = place
        self.products = products
        self.hello = hello
        self.ref = ref
        self.need = need
        self.want = want
        self.since_s = time.monotonic()
        self.unplaced = 0
        self.leaving = asyncio.Lock()
        self.timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> Waiting:
        """The place as the store keeps it."""
        return Waiting(
            member=self.place.member,
            need=self.need,
            want=self.want,
            product=self.place.product,
            priority=9 - int(self.place.member[0]),
            ref=self.ref,
        )

    @property
    def customer(self) -> str:
        """Whose queue it is."""
        return self.session.identity.customer
