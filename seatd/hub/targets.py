"""Whom a forced logout means: from what an administrator named to kicks, one per customer and target."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator

import msgspec

from seatd.store.redis import Store
from seatd.store.registry_values import LicenseRow
from seatd.store.values import KickTarget

Kick = tuple[str, KickTarget]


class LogoutTargets(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be forced out. `customer` alone means everybody in it; beside others it narrows them."""

    users: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    license: str | None = None
    domain: str | None = None
    customer: str | None = None


async def kicks_for(store: Store, targets: LogoutTargets) -> list[Kick]:
    """The kicks to make, each with its customer."""
    kicks = [kick async for kick in _sessions(store, targets)]
    rows = await store.registry()
    if targets.customer is not None:
        rows = [row for row in rows if row.customer == targets.customer]
    kicks += [kick async for kick in _users(store, targets, rows)]
    kicks += _domain_and_license(targets, rows)
    named = targets.users or targets.sessions or targets.domain or targets.license
    if targets.customer is not None and not named:
        kicks.append((targets.customer, KickTarget(everyone=True)))
    return kicks


async def _sessions(store: Store, targets: LogoutTargets) -> AsyncIterator[Kick]:
    for session in targets.sessions:
        row = await store.session(session)
        if row and targets.customer in (None, row.customer):
            yield row.customer, KickTarget(session=session)


async def _users(store: Store, targets: LogoutTargets, rows: list[LicenseRow]) -> AsyncIterator[Kick]:
    """A user is looked for where the domain is licensed, and where the user has sessions that outlived a license."""
    for user in targets.users:
        licensed = _owners(rows, user.rpartition("@")[2])
        page = await store.sessions(customer=targets.customer, user=user, size=100)
        for customer in sorted({*licensed, *(row.customer for row in page.items)}):
            yield customer, KickTarget(user=user)


def _domain_and_license(targets: LogoutTargets, rows: list[LicenseRow]) -> Iterator[Kick]:
    if targets.domain:
        for customer in sorted(_owners(rows, targets.domain)):
            yield customer, KickTarget(domain=targets.domain)
    for row in rows:
        if row.id == targets.license:
            yield row.customer, KickTarget(license=row.id)


def _owners(rows: Iterable[LicenseRow], domain: str) -> set[str]:
    return {row.customer for row in rows if domain in row.domains}
