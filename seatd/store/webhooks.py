"""Webhooks of customers, the deliveries that wait for them, and those that were given up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgpack
import msgspec

from seatd.store.accounts import AccountVerbs
from seatd.store.audit_values import Change, Deed, Veiled
from seatd.store.keys import customer_key, partition_key
from seatd.store.webhook_values import Claimed, Delivery, Letter, Outcome, Webhook

LINES_AT_ONCE = 200
"""Webhooks of one partition that are named at once."""
LETTERS_AT_ONCE = 500
"""Dead letters of a customer that are asked for in one command."""
PAGES = 50
"""So often more are asked for when nothing can be done now for those that were named."""


class WebhookVerbs(AccountVerbs):
    """What is sent out, and to whom. Everything here raises `StoreUnavailable`."""

    async def webhooks(self, customer: str) -> list[Webhook]:
        """The webhooks of a customer, the oldest first."""
        found = [
            msgspec.convert(record, Webhook) for record in (await self.facts(customer, "webhooks")).values()
        ]
        return sorted(found, key=lambda hook: (hook.created_ms, hook.id))

    async def webhook(self, customer: str, id: str) -> Webhook | None:
        """One of them."""
        record = await self.fact(customer, "webhooks", id)
        return None if record is None else msgspec.convert(record, Webhook)

    async def due_webhooks(
        self, until_ms: int, passed: Collection[tuple[str, str]] = ()
    ) -> list[tuple[str, str]]:
        """Customer and id of the webhooks for which something waits that is due by then, the longest due first, without those
        that are `passed` over."""
        numbers = range(self.partitions)
        first = await self.pipeline.commands(_due_by(number, until_ms, 0) for number in numbers)
        found = [
            await self._due(number, until_ms, members, passed)
            for number, members in zip(numbers, first, strict=True)
        ]
        rows = sorted((row for rows in found for row in enumerate(rows)), key=lambda row: row[0])
        return [line for _, line in rows]

    async def claim_deliveries(
        self, customer: str, webhook: str, *, claim: str, lease_ms: int, limit: int
    ) -> Claimed:
        """The next deliveries of a webhook that are due. For so long nobody else gets them."""
        args = {"webhook": webhook, "claim": claim, "lease_ms": lease_ms, "limit": limit}
        return (await self.call("claim_deliveries", customer, **args)).to(Claimed)

    async def settle_delivery(
        self, customer: str, delivery: Delivery, outcome: Outcome, *, wait_ms: int = 0, error: str = ""
    ) -> bool:
        """Says how a claimed delivery went; `again`: it is tried again in `wait_ms`. False: it is somebody else's by now."""
        args = {"id": delivery.id, "claim": delivery.claim, "outcome": outcome}
        answer = await self.call("settle_delivery", customer, **args, wait_ms=wait_ms, error=error)
        return answer.word == "settled"

    async def letters(self, customer: str, webhook: str) -> list[Letter]:
        """A webhook's deliveries that were given up, the newest first."""
        found: list[Letter] = []
        name, last = self._of("dead_letters", customer), "+"
        while rows := await self.pipeline.command("XREVRANGE", name, last, "-", "COUNT", LETTERS_AT_ONCE):
            letters = [_letter(id, fields) for id, fields in rows]
            found += [letter for letter in letters if letter.delivery.webhook == webhook]
            last = f"({letters[-1].id}"
        return found

    async def take_letters(
        self, customer: str, letters: Sequence[str], *, again: bool, deed: Deed | None
    ) -> int:
        """Takes these out of the list, to be sent `again` or never; how many were there."""

        async def act(audit: dict[str, Any] | None) -> Any:
            return await self.call("take_letters", customer, letters=list(letters), again=again, audit=audit)

        return int((await self.audited(customer, deed, act)).body["number"])

    async def waiting_deliveries(self) -> int:
        """How many deliveries wait, in the whole store."""
        names = [partition_key("deliveries", number) for number in range(self.partitions)]
        lines = await self.pipeline.commands(("ZRANGE", name, 0, -1) for name in names)
        customers = {member.decode().split("\0")[0] for line in lines for member in line}
        times = [customer_key("delivery_times", self.partition(one), one) for one in customers]
        return sum(await self.pipeline.commands(("ZCARD", name) for name in times))

    async def _due(
        self, number: int, until_ms: int, members: list[bytes], passed: Collection[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """Those of a partition, of which the first page is known. What cannot be done now must not hide what can."""
        found: list[tuple[str, str]] = []
        for page in range(1, PAGES + 1):
            lines = [_line(member) for member in members]
            found += [line for line in lines if line not in passed]
            if len(members) < LINES_AT_ONCE or len(found) >= LINES_AT_ONCE or page == PAGES:
                break
            members = await self.pipeline.command(*_due_by(number, until_ms, page))
        return found


def _due_by(number: int, until_ms: int, page: int) -> tuple[Any, ...]:
    limit = ("LIMIT", page * LINES_AT_ONCE, LINES_AT_ONCE)
    return ("ZRANGEBYSCORE", partition_key("deliveries", number), "-inf", until_ms, *limit)


def _line(member: bytes) -> tuple[str, str]:
    customer, _, webhook = member.decode().partition("\0")
    return customer, webhook


def webhook_change(id: str, before: Webhook | None, after: Webhook | None) -> Change:
    """The change that makes one of the other."""
    return Veiled(
        place="webhooks",
        field=id,
        before=None if before is None else msgspec.to_builtins(before),
        after=None if after is None else msgspec.to_builtins(after),
        secrets=("secret",),
    )


def _letter(id: bytes, fields: Any) -> Letter:
    packed = fields[b"d"] if isinstance(fields, dict) else fields[1]
    return Letter(id=id.decode(), delivery=msgspec.convert(msgpack.unpackb(packed), Delivery))
