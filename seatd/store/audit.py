"""Changes that leave a trail: each is written together with its audit entry, or not at all.

A change is decided by looking, and looking takes time. So every entry carries the hash of the one that was the last when
the decision was begun; when another change has come between, the store writes nothing, and the decision is made anew. Within a
node those who change the same take turns, so only other nodes come between.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any

import msgspec

from seatd.store.audit_values import GENESIS, Change, Deed, Recorded, chained
from seatd.store.durability import DurableVerbs
from seatd.store.keys import customer_key, deployment_key
from seatd.store.places import is_first
from seatd.store.registry_values import Page
from seatd.store.turns import Turns
from seatd.store.values import StoreUnavailable, UnknownCustomer
from seatd.store.verbs import Answer

ATTEMPTS = 20
"""So often a decision is made anew when other nodes change the same customer at the same time."""
PAUSE_S, LONGEST_PAUSE_S = 0.002, 0.25
"""Before that it waits for a moment, a random one of up to so long; twice as long each time."""
PAGE = 500

Decide = Callable[[], Awaitable[Sequence[Change]]]
"""Looks, and answers what is to be changed; nothing: then nothing is written. It may be asked more than once."""


class AuditVerbs(DurableVerbs):
    """The trail of each customer, that of the deployment, and changes that go into them. `customer` None: the deployment."""

    @cached_property
    def turns(self) -> Turns:
        """Who changes something of a customer in this node, by trail."""
        return Turns()

    async def amend(
        self, customer: str | None, deed: Deed, decide: Decide, *, creates: bool = False
    ) -> tuple[Change, ...]:
        """Makes the changes that `decide` asks for, on disk when this returns; what was changed. Only what `creates` a
        customer may be of one that is not there.

        Raises `StoreUnavailable`, `UnknownCustomer`; `ValueError` for whoever would change an invoice statement that was
        issued.
        """
        async with self.turns.of(self._trail(customer)):
            changes = await self._amended(customer, deed, decide, creates)
        if changes:
            await self.make_durable(None if customer is None else self.partition(customer))
        return changes

    async def _amended(
        self, customer: str | None, deed: Deed, decide: Decide, creates: bool
    ) -> tuple[Change, ...]:
        for attempt in range(ATTEMPTS):
            head = await self.audit_head(customer)
            changes = tuple(change for change in await decide() if change.before != change.after)
            if not changes:
                return ()
            written = self._line(head, deed, customer, changes)
            word = (await self._write(customer, changes, written, creates)).word
            if word == "unknown":
                raise UnknownCustomer(customer)
            if word == "kept":
                raise ValueError("an invoice statement that was issued is never changed")
            if word == "amended":
                return changes
            await _pause(attempt)
        raise StoreUnavailable("others keep changing the same")

    async def audited(
        self, customer: str, deed: Deed | None, act: Callable[[dict[str, Any] | None], Awaitable[Answer]],
        changes: Sequence[Change] = (),
    ) -> Answer:  # fmt: skip
        """The answer of a verb that writes the entry itself; `act` calls it with its argument `audit`.

        `deed` None: seatd itself does it, and no entry is made.
        """
        if deed is None:
            return await act(None)
        async with self.turns.of(self._trail(customer)):
            for attempt in range(ATTEMPTS):
                head = await self.audit_head(customer)
                answer = await act(self._line(head, deed, customer, tuple(changes)))
                if answer.word != "stale":
                    return answer
                await _pause(attempt)
        raise StoreUnavailable("others keep changing the same")

    async def audit_head(self, customer: str | None) -> str:
        """The hash of a trail's last entry."""
        last = await self.pipeline.command("XREVRANGE", self._trail(customer), "+", "-", "COUNT", 1)
        return _recorded(last[0]).hash if last else GENESIS

    async def audit_length(self, customer: str | None) -> int:
        """How many entries a trail has."""
        return int(await self.pipeline.command("XLEN", self._trail(customer)))

    async def audit_page(self, customer: str | None, *, before: str = "+", size: int = 50) -> Page[Recorded]:
        """A page of a trail, the newest entries first; `before` is the id of the last entry of the page before."""
        if is_first(before):
            return Page(items=(), total=await self.audit_length(customer))
        trail = self._trail(customer)
        end = before if before == "+" else f"({before}"
        rows = await self.pipeline.command("XREVRANGE", trail, end, "-", "COUNT", size)
        return Page(items=tuple(map(_recorded, rows)), total=await self.audit_length(customer))

    async def audit_trail(self, customer: str | None, after: str = "") -> AsyncIterator[Recorded]:
        """A whole trail from its beginning, or what comes after the entry with that id."""
        start = f"({after}" if after else "-"
        while rows := await self.pipeline.command("XRANGE", self._trail(customer), start, "+", "COUNT", PAGE):
            for row in rows:
                yield _recorded(row)
            start = f"({_recorded(rows[-1]).id}"

    def wall_ms(self) -> int:
        """Now, by the calendar: milliseconds since 1970."""
        return self._now_ms() if self._now_ms else time.time_ns() // 1_000_000

    def _trail(self, customer: str | None) -> str:
        if customer is None:
            return deployment_key("deployment_audit")
        return customer_key("audit", self.partition(customer), customer)

    def _line(self, head: str, deed: Deed, customer: str | None, changes: Sequence[Change]) -> dict[str, Any]:
        text = deed.entry(self.wall_ms(), customer or "", changes).written()
        return {"head": head, "entry": text, "hash": chained(head, text)}

    async def _write(
        self, customer: str | None, changes: Sequence[Change], written: dict[str, Any], creates: bool
    ) -> Answer:
        args = {"changes": [_as_field(change) for change in changes], "audit": written}
        if customer is None:
            return await self.call_deployment("amend_deployment", **args)
        return await self.call("amend", customer, creates=creates, **args)


async def _pause(attempt: int) -> None:
    longest_s = min(LONGEST_PAUSE_S, PAUSE_S * 2**attempt)
    await asyncio.sleep(random.uniform(0, longest_s))  # noqa: S311  # to spread, not to surprise


def _as_field(change: Change) -> dict[str, Any]:
    field: dict[str, Any] = {"place": change.place, "field": change.field}
    if change.after is not None:
        field["value"] = msgspec.json.encode(change.after)
    return field


def _recorded(row: tuple[bytes, Any]) -> Recorded:
    """A stream's entry as the client library gives it: a map, or a flat list."""
    id_, fields = row
    if isinstance(fields, list):
        fields = dict(zip(fields[::2], fields[1::2], strict=True))
    return Recorded(id=id_.decode(), text=fields[b"entry"], hash=fields[b"hash"].decode())
