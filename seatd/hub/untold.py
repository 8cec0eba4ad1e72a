"""Denials that this node gives by itself: added up, and told to the store once a second, which counts all others."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import NamedTuple

from seatd.metrics import Metrics
from seatd.store.redis import Store
from seatd.store.values import Denied, StoreUnavailable

TELL_S = 1.0
AT_ONCE = 200
"""Of one customer, in one script."""
KEPT = 1000
"""Different ones, while the store is away. What is more is dropped, and that is counted."""
OF_NOBODY = frozenset({"unavailable", "recovering", "overloaded"})
"""Codes that say nothing about a user: of these only the number is told."""


class Kind(NamedTuple):
    """What is added up."""

    code: str
    product: str | None
    domain: str
    user: str | None


class Untold:
    """The denials of which the store does not know yet."""

    def __init__(self, store: Store, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._waiting: dict[str, Counter[Kind]] = {}

    def note(self, customer: str, domain: str, user: str, denial: Denied) -> None:
        """One more."""
        told_user = None if denial.code in OF_NOBODY else user
        self._add(customer, Kind(denial.code, denial.product, domain, told_user), 1)

    async def tell(self) -> None:
        """Tells the store, for ever."""
        while True:
            await asyncio.sleep(TELL_S)
            await self.flush()

    async def flush(self) -> None:
        """Tells what there is. What the store did not confirm waits for the next time (so it may count twice)."""
        away = False
        for customer in tuple(self._waiting):
            untold = list(self._waiting.pop(customer).items())
            try:
                while untold and not away:
                    away = not await self._tell(customer, untold[:AT_ONCE])
                    untold = untold if away else untold[AT_ONCE:]
            finally:
                for kind, times in untold:
                    self._add(customer, kind, times)

    async def _tell(self, customer: str, named: list[tuple[Kind, int]]) -> bool:
        try:
            await self._store.note_denials(
                customer, [{**kind._asdict(), "times": times} for kind, times in named]
            )
        except StoreUnavailable:
            return False
        return True

    def _add(self, customer: str, kind: Kind, times: int) -> None:
        kinds = self._waiting.get(customer, Counter())
        if kind not in kinds and sum(map(len, self._waiting.values())) >= KEPT:
            self._metrics.denials_untold_total.inc(times)
            return
        kinds[kind] += times
        self._waiting[customer] = kinds
