"""Whom a forced logout means: from what an administrator named to kicks, one per customer and target."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator

import msgspec

from seatd.store.redis import Store
from seatd.store.registry_values import LicenseRow, SessionRow
from seatd.store.values import KickTarget

Kick = tuple[str, KickTarget]

MANY = 1_000_000
"""All there are."""


class LogoutTargets(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be forced out. `customer` alone means everybody in it; beside others it narrows them.

    `customers` and `domains` are those that the administrator may reach (None: all).
    """

    users: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    license: str | None = None
    domain: str | None = None
    customer: str | None = None
    customers: tuple[str, ...] | None = None
    domains: frozenset[str] | None = None

    def has(self, session: SessionRow) -> bool:
        """Whether a session is within what the administrator may reach."""
        return (
            self.customer in (None, session.customer)
            and (self.customers is None or session.customer in self.customers)
            and (self.domains is None or session.domain in self.domains)
        )


async def kicks_for(store: Store, targets: LogoutTargets) -> list[Kick]:
    """The kicks to make, each with its customer."""
    kicks = [kick async for kick in _sessions(store, targets)]
    rows = await store.registry(targets.customers)
    if targets.customer is not None:
        rows = [row for row in rows if row.customer == targets.customer]
    kicks += [kick async for kick in _users(store, targets, rows)]
    kicks += _domain(targets, rows)
    kicks += [kick async for kick in _license(store, targets, rows)]
    kicks += _everybody(targets)
    return kicks


async def _sessions(store: Store, targets: LogoutTargets) -> AsyncIterator[Kick]:
    for session in targets.sessions:
        row = await store.session(session)
        if row and targets.has(row):
            yield row.customer, KickTarget(session=session)


async def _users(store: Store, targets: LogoutTargets, rows: list[LicenseRow]) -> AsyncIterator[Kick]:
    """A user is looked for where the domain is licensed, and where the user has sessions that outlived a license."""
    for user in targets.users:
        licensed = _owners(rows, user.rpartition("@")[2])
        page = await store.sessions(customers=targets.customers, user=user, size=100)
        live = {row.customer for row in page.items if targets.has(row)}
        for customer in sorted({*licensed, *live}):
            yield customer, KickTarget(user=user)


def _domain(targets: LogoutTargets, rows: list[LicenseRow]) -> Iterator[Kick]:
    if targets.domain:
        for customer in sorted(_owners(rows, targets.domain)):
            yield customer, KickTarget(domain=targets.domain)


async def _license(store: Store, targets: LogoutTargets, rows: list[LicenseRow]) -> AsyncIterator[Kick]:
    """Who may reach some domains only forces out their sessions, one by one."""
    owners = [row.customer for row in rows if row.id == targets.license]
    for customer in owners:
        if targets.domains is None:
            yield customer, KickTarget(license=targets.license)
            continue
        page = await store.sessions(customer=customer, domains=targets.domains, size=MANY)
        for row in page.items:
            if any(seat.license == targets.license for seat in row.seats):
                yield customer, KickTarget(session=row.session)


def _everybody(targets: LogoutTargets) -> Iterator[Kick]:
    named = targets.users or targets.sessions or targets.domain or targets.license
    if targets.customer is None or named:
        return
    if targets.domains is None:
        yield targets.customer, KickTarget(everyone=True)
    for domain in sorted(targets.domains or ()):
        yield targets.customer, KickTarget(domain=domain)


def _owners(rows: Iterable[LicenseRow], domain: str) -> set[str]:
    return {row.customer for row in rows if domain in row.domains}
