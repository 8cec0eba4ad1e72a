"""How use has changed against the week before, remembered for a minute: lists show it in every row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from seatd.store.redis import Store
from seatd.store.registry_values import LicenseRow
from seatd.store.usage_values import GroupBy, Scope, number_of

KEPT_S = 60.0
CUSTOMERS_AT_ONCE = 5

Growths = Mapping[Scope, float | None]


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out about a customer, and until when it counts."""

    until_s: float
    growths: Growths


class Weeks:
    """The last seven whole days against the seven before, in percent; of what was not used then, nothing."""

    def __init__(self, store: Store, now_s: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._now_s = now_s
        self._known: dict[tuple[GroupBy, str], Known] = {}

    async def of_licenses(self, rows: Sequence[LicenseRow]) -> Mapping[str, float]:
        """By license id. (An id is the only one of its name in the whole store.)"""
        wanted: dict[str, list[Scope]] = {}
        for row in rows:
            wanted.setdefault(row.customer, []).append(Scope("license", license=row.id))
        found = await self._all("license", wanted)
        return {
            scope.license: change
            for growths in found.values()
            for scope, change in growths.items()
            if change is not None
        }

    async def of_customers(self, customers: Collection[str]) -> Mapping[str, float]:
        """By customer."""
        whole = Scope("customer")
        found = await self._all("customer", {name: [whole] for name in customers})
        return {name: change for name, growths in found.items() if (change := growths.get(whole)) is not None}

    async def _all(self, kind: GroupBy, wanted: Mapping[str, Sequence[Scope]]) -> Mapping[str, Growths]:
        now_s = self._now_s()
        self._known = {key: known for key, known in self._known.items() if known.until_s > now_s}
        missing = [name for name in wanted if (kind, name) not in self._known]
        found = {name: self._known[kind, name].growths for name in wanted if (kind, name) in self._known}
        today = number_of("day", await self._store.time_ms()) if missing else 0
        for start in range(0, len(missing), CUSTOMERS_AT_ONCE):
            names = missing[start : start + CUSTOMERS_AT_ONCE]
            asked = (self._store.week_growths(name, wanted[name], today) for name in names)
            for name, growths in zip(names, await asyncio.gather(*asked), strict=True):
                self._known[kind, name] = Known(now_s + KEPT_S, growths)
                found[name] = growths
        return found
