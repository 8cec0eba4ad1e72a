"""What was in use, as administrators ask for it: rows of closed hours, days and months, and of those that go on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgpack
import msgspec

from seatd.store.keys import customer_key
from seatd.store.usage_values import (
    GroupBy,
    Level,
    Meter,
    Scope,
    UsageRow,
    field_of,
    meter_of,
    row_of,
    row_until,
)
from seatd.store.verbs import Verbs
from seatd.turns import Turns

SCOPES_AT_ONCE = 20
"""Meters asked for in one script: it runs alone, so everybody else waits for it. Where it is to tell how long each count
lasted it is asked for one: a meter that has gone up to 25,000 in its hour has 900 of them."""
ROWS_AT_ONCE = 200
"""Rows asked for in one command. Between two of them others have their turn, here and in the store."""


class UsageVerbs(Verbs):
    """Reads meters and rows. Nothing is written."""

    async def scopes(self, customer: str, kind: GroupBy | None = None) -> list[Scope]:
        """All that has ever been metered of a customer, or only what is of one kind."""
        name = customer_key("meters", self.partition(customer), customer)
        letter = b"" if kind is None else kind[0].encode()
        fields = await self.pipeline.command("HKEYS", name)
        return [Scope.named(field.decode()) for field in fields if field.startswith(letter)]

    async def time_ms(self, customer: str = "") -> int:
        """What the store's clock says, in milliseconds since 1970; of several servers: of the one that has the customer."""
        answer = await self.call("measured", customer, scopes=[], level="hour", shares=False)
        return int(answer.body["now_ms"])

    async def meters(
        self, customer: str, scopes: Sequence[Scope], level: Level = "hour", *, shares: bool = True
    ) -> tuple[int, list[Meter | None]]:
        """The store's time (ms since 1970), and the meter of each scope, for rows of that level; None where nothing was ever
        metered.

        Without `shares` nothing is told of how long each count lasted (`by_count`): that is most of the work.
        """
        found: list[Meter | None] = []
        now_ms = 0
        at_once = 1 if shares else SCOPES_AT_ONCE
        for start in range(0, len(scopes), at_once):
            names = [scope.name for scope in scopes[start : start + at_once]]
            body = (await self.call("measured", customer, scopes=names, level=level, shares=shares)).body
            now_ms = body["now_ms"]
            found += [meter_of(meter) if meter else None for meter in body["meters"]]
            await asyncio.sleep(0)
        return now_ms, found

    async def usage(
        self,
        customer: str,
        scopes: Sequence[Scope],
        level: Level,
        numbers: Sequence[int],
        *,
        shares: bool = True,
    ) -> list[list[UsageRow]]:
        """For each scope, a row for each of these hours, days or months (by number, see `number_of`), up to now.

        The meters are read first: of what they tell, nothing is taken from the closed rows, so nothing counts twice.
        """
        now_ms, meters = await self.meters(customer, scopes, level, shares=shares)
        going_on = {
            (scope, number): row
            for scope, meter in zip(scopes, meters, strict=True)
            if meter is not None
            for number in numbers
            if (row := row_until(meter, level, number, now_ms)) is not None
        }
        known = [scope for scope, meter in zip(scopes, meters, strict=True) if meter is not None]
        wanted = [(scope, number) for scope in known for number in numbers if (scope, number) not in going_on]
        rows = {**await self._closed(customer, level, wanted, shares), **going_on}
        return [[rows.get((scope, number), UsageRow()) for number in numbers] for scope in scopes]

    async def note_denials(self, customer: str, denials: Sequence[Mapping[str, Any]]) -> None:
        """Tells what a node has refused by itself: each with code, product, domain, user and times.

        Raises `StoreUnavailable`.
        """
        await self.call("note_denials", customer, denials=list(denials))

    async def _closed(
        self, customer: str, level: Level, wanted: Sequence[tuple[Scope, int]], shares: bool
    ) -> dict[tuple[Scope, int], UsageRow]:
        name = customer_key("usage", self.partition(customer), customer)
        found, turns = {}, Turns()
        for start in range(0, len(wanted), ROWS_AT_ONCE):
            chunk = wanted[start : start + ROWS_AT_ONCE]
            fields = [field_of(level, number, scope.name) for scope, number in chunk]
            for place, packed in zip(chunk, await self.pipeline.command("HMGET", name, *fields), strict=True):
                if packed is not None:
                    found[place] = row_of(_unpacked(packed, shares))
                await turns.give_way()
        return found


class _Plain(msgspec.Struct, array_like=True, frozen=True):
    """A row as the store has it, but for what follows: how long each count lasted."""

    peak: int
    seat_ms: int
    over_ms: int
    grants: int
    healed: int
    denials: dict[str, int] | list[Any]


_plain = msgspec.msgpack.Decoder(_Plain)


def _unpacked(packed: bytes, shares: bool) -> Sequence[Any]:
    if shares:
        row: list[Any] = msgpack.unpackb(packed, strict_map_key=False)
        return row
    return *msgspec.structs.astuple(_plain.decode(packed)), {}
