"""No customer has more than its share of a node's work at once: the requests of others need not wait behind all of its own.

Only so many requests of a customer are under way; its further ones wait, and with them the sockets that they came from, which
are not read meanwhile. A customer that has a node for itself has more of it: nobody else waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from seatd.store import together

PATIENCE_S = 1.0
"""Nobody waits longer for his turn: a store that hangs would otherwise be waited for by one after another."""

ALONE = together.MOST
"""Requests under way of a customer that is alone on a node: as many as go to the store in one script. Of 4, 8, 16, 32 and 64
it had the most from the node so: 2,140, 2,940, 3,510, 3,820 and 3,570 answers a second (the bench's `acquire`, two cores)."""


@dataclass(slots=True)
class Share:
    """One customer's requests: how many are `present`, how many of these under way, and the turns of those that wait, in their
    order. (One that no longer waits is in neither, until it is told.)"""

    present: int = 0
    under_way: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Shares:
    """The shares of those customers that ask for something now: so many requests `at_once` for each, unless it `is_alone`."""

    def __init__(self, at_once: int, is_alone: Callable[[], bool] = lambda: False) -> None:
        self._at_once = at_once
        self._is_alone = is_alone
        self._shares: dict[str, Share] = {}

    @asynccontextmanager
    async def of(self, customer: str) -> AsyncIterator[None]:
        """While inside, a request of this customer is under way; waits until there is room for it, within its patience."""
        share = self._shares.get(customer)
        if share is None:
            share = self._shares[customer] = Share()
        share.present += 1
        try:
            if share.waiting or share.under_way >= self._most():
                await self._turn(share)
            else:
                share.under_way += 1
            try:
                yield
            finally:
                share.under_way -= 1
                self._let_in(share)
        finally:
            share.present -= 1
            if not share.present:
                del self._shares[customer]

    def _most(self) -> int:
        return max(ALONE, self._at_once) if self._is_alone() else self._at_once

    async def _turn(self, share: Share) -> None:
        """Returns when it is this one's turn or its patience is over; then its request counts as under way."""
        turn = asyncio.get_running_loop().create_future()
        share.waiting.append(turn)
        self._let_in(share)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await turn
        except TimeoutError:
            if turn.cancelled():
                share.under_way += 1
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was its turn just then
                share.under_way -= 1
            self._let_in(share)
            raise

    def _let_in(self, share: Share) -> None:
        """Those whose turn it is; and out of the line go those who no longer wait."""
        most = self._most()
        while share.waiting and (share.under_way < most or share.waiting[0].done()):
            turn = share.waiting.popleft()
            if not turn.done():
                share.under_way += 1
                turn.set_result(None)
