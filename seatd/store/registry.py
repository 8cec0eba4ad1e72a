"""The verbs of the registry: licenses, assignments, and who holds what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Sequence
from functools import partial
from typing import Any

import msgpack
import msgspec

from seatd.licensing.keys import LicenseKey
from seatd.store.access_values import TokenRecord
from seatd.store.ahead import one_ahead
from seatd.store.audit import Decide
from seatd.store.audit_values import Change, Deed
from seatd.store.domains import DomainVerbs
from seatd.store.keys import customer_key, deployment_key, partition_key
from seatd.store.overviews import Overview, overview_of, snapshot_of
from seatd.store.registry_values import (
    Assigned,
    HolderRow,
    Imported,
    LicenseRow,
    Page,
    SessionRow,
    WaitingRow,
    waiting_row,
)
from seatd.store.resources import ResourceVerbs
from seatd.store.values import Places, node_name
from seatd.store.verbs import Answer

DONE = ("imported", "already_imported")
"""What an import answers when the customer has the licenses now."""
CUSTOMERS_AT_ONCE = 6
"""Looked at together: the store runs a pipeline as a whole, and so does a turn of the loop what comes back."""
MEMBERS_AT_ONCE = 1000
"""Names read in one command."""
SCAN = 200
"""Rows asked for at a time where all must be looked at."""


class RegistryVerbs(ResourceVerbs, DomainVerbs):
    """What administrators ask of the store. What changes the registry is on disk before it is answered, and goes into the
    audit trail with its `deed` and, where the script cannot know them, its `changes`."""

    async def put_license(
        self,
        key: LicenseKey,
        *,
        dry_run: bool = False,
        claims: bool = False,
        deed: Deed | None = None,
        changes: Sequence[Change] = (),
    ) -> Imported:
        """Imports a verified license key, all of it or nothing; with `dry_run` only says what would change. `claims`: it makes
        the domains the customer's, too, or is refused."""
        customer = key.customer.id
        if foreign := await self._held_elsewhere(key):
            return Imported(status="other_customer", faulty=tuple(foreign))
        call = partial(
            self.call,
            "put_license",
            customer,
            jti=key.jti,
            iat=key.iat,
            text=key.text,
            profile=msgspec.to_builtins(key.customer),
            records=[msgspec.to_builtins(entry) | {"domains": list(key.domains)} for entry in key.licenses],
            dry_run=dry_run,
        )

        async def act(audit: dict[str, Any] | None) -> Answer:
            if dry_run or not claims:
                return await call(audit=audit)
            return await self.claiming(customer, key.domains, lambda: call(audit=audit), DONE)

        answer = await self.audited(customer, deed, act, changes)
        if not dry_run:
            await self._changed(key.customer.id)
        return answer.to(Imported, status=answer.word)

    async def drop_license(
        self, customer: str, license: str, *, deed: Deed | None = None, changes: Sequence[Change] = ()
    ) -> bool:
        """Withdraws a license: no new seats on it; its policy says what becomes of those held. False: there is none such."""
        call = partial(self.call, "drop_license", customer, license=license)
        answer = await self.audited(customer, deed, lambda audit: call(audit=audit), changes)
        await self._changed(customer)
        return answer.word == "dropped"

    async def assign(
        self,
        customer: str,
        license: str,
        user: str,
        *,
        domain: str,
        combine: str = "sum",
        deed: Deed | None = None,
    ) -> Assigned:
        """Gives a nominal license to a user, within its limit."""
        call = partial(
            self.call, "assign", customer, license=license, user=user, domain=domain, combine=combine
        )
        change = Change(place="assignments", field=f"{license} {user}", after=True)
        answer = await self.audited(customer, deed, lambda audit: call(audit=audit), [change])
        await self._changed(customer)
        return answer.to(Assigned, status=answer.word)

    async def unassign(self, customer: str, license: str, user: str, *, deed: Deed | None = None) -> bool:
        """Takes a nominal license back. False: the user did not have it."""
        call = partial(self.call, "unassign", customer, license=license, user=user)
        change = Change(place="assignments", field=f"{license} {user}", before=True)
        answer = await self.audited(customer, deed, lambda audit: call(audit=audit), [change])
        await self._announce(customer)
        await self.make_durable(self.partition(customer))
        return answer.word == "unassigned"

    async def change_account(
        self, customer: str, deed: Deed, decide: Decide, *, creates: bool = False
    ) -> tuple[Change, ...]:
        """Amends a customer, and lets nodes and those who wait know: it may have been suspended, say."""
        changes = await self.amend(customer, deed, decide, creates=creates)
        if changes:
            await self._changed(customer)
        return changes

    async def forget_customer(self, customer: str) -> bool:
        """The last step of a customer's deletion. False: it has sessions still, or is not to be deleted any more."""
        answer = await self.call("forget_customer", customer)
        await self._announce(customer)
        await self.make_durable(self.partition(customer))
        return answer.word == "forgotten"

    async def registry(self, customers: Sequence[str] | None = None) -> list[LicenseRow]:
        """All licenses (of these customers) with their use, by customer and id: one consistent view per customer."""
        if customers is None:
            customers = await self.customers()
        return [row async for overview in self.overviews(customers) for row in overview.licenses]

    async def overviews(self, customers: Sequence[str]) -> AsyncIterator[Overview]:
        """The overviews of these customers, in their order. A few are asked for together, while those before are looked at."""
        async for group in one_ahead(
            partial(self._overviews, customers[start : start + CUSTOMERS_AT_ONCE])
            for start in range(0, len(customers), CUSTOMERS_AT_ONCE)
        ):
            for overview in group:
                yield overview

    async def _overviews(self, customers: Sequence[str]) -> list[Overview]:
        return await asyncio.gather(*map(self.overview, customers))

    async def overview(self, customer: str) -> Overview:
        """A customer at one moment: account, licenses with their use, sessions, resources."""
        return overview_of(customer, await self.look("snapshot", customer, snapshot_of))

    async def owner_of_license(self, license: str) -> str | None:
        """The customer that has this license; None: nobody."""
        names = await self.customers()
        found = await self.pipeline.commands(
            [("HEXISTS", customer_key("licenses", self.partition(name), name), license) for name in names]
        )
        return next((name for name, there in zip(names, found, strict=True) if there), None)

    async def license_key(self, customer: str, license: str) -> str | None:
        """The text of the key that a license came with."""
        partition = self.partition(customer)
        (packed,) = await self.pipeline.commands(
            [("HGET", customer_key("licenses", partition, customer), license)]
        )
        if packed is None:
            return None
        jti = msgpack.unpackb(packed)["jti"]
        (text,) = await self.pipeline.commands(
            [("HGET", customer_key("license_keys", partition, customer), jti)]
        )
        return text.decode() if text is not None else None

    async def license_users(
        self,
        customer: str,
        license: str,
        *,
        offset: int = 0,
        size: int = 50,
        search: str = "",
        domains: Container[str] | None = None,
    ) -> Page[HolderRow] | None:
        """A license's users in order of name, those whose name contains `search` (of these domains). None: no such license."""
        if not search and domains is None:
            return await self._holders(customer, license, offset, size)
        found = await self._members(customer, license, search.casefold(), domains)
        if found is None:
            return None
        page = await self._holders(customer, license, 0, size, found[offset : offset + size])
        return page and Page(items=page.items, total=len(found))

    async def _members(
        self, customer: str, license: str, sought: str, domains: Container[str] | None
    ) -> list[bytes] | None:
        """A license's users that are sought, as they stand in its index. None: no such license."""
        packed = await self.pipeline.command("HGET", self._of("licenses", customer), license)
        if packed is None:
            return None
        is_nominal = msgpack.unpackb(packed)["kind"] == "nominal"
        key = self._of("assignments" if is_nominal else "seats", customer)
        after, end = f"[{license}\0".encode(), f"({license}\1"
        found: list[bytes] = []
        while members := await self.pipeline.command(
            "ZRANGEBYLEX", key, after, end, "LIMIT", 0, MEMBERS_AT_ONCE
        ):
            users = map(_user_of, members)
            found += [
                member
                for member, user in zip(members, users, strict=True)
                if sought in user.casefold() and (domains is None or user.rpartition("@")[2] in domains)
            ]
            after = b"(" + members[-1]
        return found

    async def sessions(
        self,
        *,
        customer: str | None = None,
        customers: Sequence[str] | None = None,
        user: str = "",
        domains: Container[str] | None = None,
        where: Callable[[SessionRow], bool] | None = None,
        offset: int = 0,
        size: int = 50,
    ) -> Page[SessionRow]:
        """Live sessions by customer and user; of one customer, of some, of one user or of some domains only, when given, and
        those that `where` means. (For the last two all of them are looked at.)"""
        if domains is not None or where is not None:
            found = [
                row
                async for row in self._all_sessions(customer=customer, customers=customers, user=user)
                if (domains is None or row.domain in domains) and (where is None or where(row))
            ]
            return Page(items=tuple(found[offset : offset + size]), total=len(found))
        names = [customer] if customer is not None else customers
        if names is None:
            names = await self.customers()
        rows: list[SessionRow] = []
        total = 0
        for name in names:
            start = max(0, offset - total)
            room = size - len(rows)
            body = (await self.call("sessions", name, user=user or None, offset=start, size=room)).body
            rows += [_session_row(name, item) for item in body["items"]]
            total += body["total"]
        return Page(items=tuple(rows), total=total)

    async def _all_sessions(self, **whose: Any) -> AsyncIterator[SessionRow]:
        start = 0
        while (page := await self.sessions(offset=start, size=SCAN, **whose)).items:
            for row in page.items:
                yield row
            start += SCAN

    async def session(self, session: str) -> SessionRow | None:
        """One live session, whoever's it is."""
        customers = await self.customers()
        found = await self.pipeline.commands(
            [("HGET", customer_key("sessions", self.partition(name), name), session) for name in customers]
        )
        for customer, packed in zip(customers, found, strict=True):
            if packed is not None:
                user = msgpack.unpackb(packed)["user"]
                return await self.session_of(customer, user, session)
        return None

    async def session_of(self, customer: str, user: str, session: str) -> SessionRow | None:
        """One live session of this user."""
        page = await self.sessions(customer=customer, user=user, size=SCAN)
        return next((row for row in page.items if row.session == session), None)

    async def line(self, customers: Sequence[str]) -> list[WaitingRow]:
        """Everybody who waits for a seat of these customers, each customer's in order."""
        lengths = await self.pipeline.commands(
            [("ZCARD", customer_key("queue", self.partition(name), name)) for name in customers]
        )
        rows: list[WaitingRow] = []
        for name in (name for name, length in zip(customers, lengths, strict=True) if length):
            places = (await self.call("serve", name)).to(Places).places
            key = customer_key("sessions", self.partition(name), name)
            packed = await self.pipeline.commands([("HGET", key, place.session) for place in places])
            rows += [
                waiting_row(name, place, msgpack.unpackb(record))
                for place, record in zip(places, packed, strict=True)
                if record is not None
            ]
        return rows

    async def waiting_to_end(self) -> int:
        """How many sessions have no socket or are draining, in the whole store."""
        keys = [partition_key("deadlines", n) for n in range(self.partitions)]
        return sum(await self.pipeline.commands([("ZCARD", key) for key in keys]))

    async def register_token(self, digest: str, record: TokenRecord) -> None:
        """Makes an API token known to every node, by its hash."""
        await self.pipeline.commands(
            [("HSET", deployment_key("api_tokens"), digest, msgspec.json.encode(record))]
        )

    async def token(self, digest: str) -> TokenRecord | None:
        """What the API token with this hash may do. None: unknown."""
        (packed,) = await self.pipeline.commands([("HGET", deployment_key("api_tokens"), digest)])
        return msgspec.json.decode(packed, type=TokenRecord) if packed is not None else None

    async def _changed(self, customer: str) -> None:
        """The registry has changed: those who wait may have a seat now, others may lose theirs, and the change must last."""
        await self._announce(customer)
        await self.call("serve", customer)
        if self.on_licenses:
            self.on_licenses(self.partition(customer))
        await self.make_durable(self.partition(customer))

    async def _held_elsewhere(self, key: LicenseKey) -> list[str]:
        """License ids of the key that already belong to another customer."""
        others = [name for name in await self.customers() if name != key.customer.id]
        ids = [entry.id for entry in key.licenses]
        found = await self.pipeline.commands(
            [("HMGET", customer_key("licenses", self.partition(name), name), *ids) for name in others]
        )
        return [id_ for values in found for id_, value in zip(ids, values, strict=True) if value is not None]

    async def _holders(
        self, customer: str, license: str, offset: int, size: int, members: Sequence[bytes] | None = None
    ) -> Page[HolderRow] | None:
        answer = await self.call(
            "holders", customer, license=license, offset=offset, size=size, members=members
        )
        if answer.word == "unknown":
            return None
        rows = (
            HolderRow(
                user=item["user"],
                domain=item["user"].rpartition("@")[2],
                online=item["sessions"] > 0,
                sessions=item["sessions"],
                since_ms=item.get("since_ms"),
                assigned=item["assigned"],
            )
            for item in answer.body["items"]
        )
        return Page(items=tuple(rows), total=answer.body["total"])


def _user_of(member: bytes) -> str:
    """The user in `license NUL holder`; of a holder that is a device, its user."""
    name, _, place = member.decode().partition("\0")[2].partition("@")
    return f"{name}@{place.partition('/')[0]}"


def _session_row(customer: str, item: dict[str, Any]) -> SessionRow:
    until_ms = item["until_ms"] or None
    node = node_name(item["node"])
    more = {"customer": customer, "until_ms": until_ms, "node": node}
    return msgspec.convert(item | more, SessionRow)
