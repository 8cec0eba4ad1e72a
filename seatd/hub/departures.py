"""What the store is told when a session leaves this node: it has ended, it may come back, or nobody knows that it came."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from seatd.hub.secret import hashed
from seatd.store.values import Held

if TYPE_CHECKING:
    from seatd.hub.hub import Hub
    from seatd.hub.session import Session


class Departures:
    """Ends and parks sessions in the store: now, or as soon as it answers (see `Endings`)."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def end(self, session: Session, *, delivered: bool, acknowledged: bool) -> None:
        """Ends a session in the store: its seats are free."""
        self._hub.memory.ended(session.identity.customer, session.ended)
        await self._end(
            session.identity.customer,
            session.key,
            session.fence,
            delivered=delivered,
            acknowledged=acknowledged,
        )

    async def end_waiter(self, session: Session) -> None:
        """Ends a session that waited for its first seats, and has none."""
        await self._end(session.identity.customer, session.key, session.fence)

    async def park(self, session: Session, held: Held) -> None:
        """Keeps a session's seats for its client to come back."""
        self._hub.memory.parked(session.identity.customer, held)
        await self._park(session, session.fence)

    async def park_unsure(self, session: Session) -> None:
        """Parks a session of which it is not known whether it was attached to this node."""
        await self._park(session, None)

    async def end_unsure(self, session: Session) -> None:
        """Ends a session of which it is not known whether it was opened."""
        await self._end(session.identity.customer, session.key, 1)

    async def acquires_are_settled(self, session: Session) -> bool:
        """Before a session asks again: whether no acquire of unknown outcome is left to be undone."""
        name = f"{session.key} products"
        undo = await self._hub.endings.withdraw(session.partition, name)
        if undo is not None:
            await self._hub.endings.settle(session.partition, name, undo)
        return not self._hub.endings.has(name)

    async def undo_acquire(self, session: Session, products: list[str], *, waits: bool) -> None:
        """An acquire's outcome is unknown: gives back what the session did not have before, and the place in the queue."""
        missing = [product for product in products if product not in session.seats]
        customer = session.identity.customer

        async def undo() -> None:
            if waits:
                await self._hub.store.leave_queue(customer, session=session.key, fence=session.fence)
            await self._hub.store.release(
                customer, session=session.key, fence=session.fence, products=missing
            )

        await self._hub.endings.settle(session.partition, f"{session.key} products", undo)

    async def _park(self, session: Session, fence: int | None) -> None:
        ending = partial(
            self._hub.store.park,
            session.identity.customer,
            self._hub.node,
            session=session.key,
            fence=fence,
            secret=hashed(session.secret),
        )
        await self._hub.endings.settle(session.partition, session.key, ending)

    async def _end(self, customer: str, key: str, fence: int, **told: bool) -> None:
        async def finish() -> None:
            gone = await self._hub.store.finish(customer, session=key, fence=fence, **told)
            if gone and gone.reason == "superseded":
                self._hub.memory.not_ended(customer, key)

        await self._hub.endings.settle(self._hub.store.partition(customer), key, finish)
