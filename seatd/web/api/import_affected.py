"""Whom an import would affect: holders above a lowered limit, users of domains not covered any more, assignments lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from seatd.licensing.keys import LicenseClaim, LicenseKey
from seatd.store.redis import Store
from seatd.store.registry_values import HolderRow, LicenseRow

NAMED = 100
"""So many are named; all are counted."""
PAGE = 200


class AffectedUsers(msgspec.Struct, frozen=True, kw_only=True):
    """How many users, and the names of the first hundred; no names for who may see no people."""

    number: int
    users: tuple[str, ...]


class AffectedLicense(msgspec.Struct, frozen=True, kw_only=True):
    """Who of a license's users would lose by the key. `above_limit`: in the order in which they go, the newest first;
    `not_covered`: those online whose domain or product the license no longer has; `assignments_lost`: assigned users who
    could no longer use it."""

    license: str
    above_limit: AffectedUsers
    not_covered: AffectedUsers
    domains_lost: tuple[str, ...]
    assignments_lost: AffectedUsers

    @property
    def is_any(self) -> bool:
        """Whether anybody or anything is affected."""
        groups = (self.above_limit, self.not_covered, self.assignments_lost)
        return bool(self.domains_lost) or any(group.number for group in groups)


async def affected_by(
    store: Store, key: LicenseKey, before: dict[str, LicenseRow]
) -> tuple[AffectedLicense, ...]:
    """Per license that the key would replace, if somebody is affected by it."""
    found = []
    for claim in key.licenses:
        row = before.get(claim.id)
        if row is not None and row.jti != key.jti:
            found.append(_affected(row, claim, key.domains, await _all_users(store, row)))
    return tuple(affected for affected in found if affected.is_any)


def without_names(affected: AffectedLicense) -> AffectedLicense:
    """How many there are, not who."""
    groups = ("above_limit", "not_covered", "assignments_lost")
    return replace(affected, **{group: replace(getattr(affected, group), users=()) for group in groups})


def _affected(
    row: LicenseRow, claim: LicenseClaim, domains: Sequence[str], users: Sequence[HolderRow]
) -> AffectedLicense:
    lost = tuple(domain for domain in row.domains if domain not in domains)
    another = claim.product != row.product
    foreign = [user for user in users if another or user.domain in lost]
    staying = sorted(
        (user for user in users if user.online and user not in foreign),
        key=lambda user: -(user.since_ms or 0),
    )
    room = claim.limit + claim.overdraft
    assigned = [user for user in users if user.assigned]
    unassigned = foreign if claim.kind == "nominal" else assigned
    return AffectedLicense(
        license=row.id,
        above_limit=_named(staying[: max(0, len(staying) - room)]),
        not_covered=_named(user for user in foreign if user.online),
        domains_lost=lost,
        assignments_lost=_named(user for user in unassigned if user.assigned),
    )


def _named(users: Iterable[HolderRow]) -> AffectedUsers:
    names = [user.user for user in users]
    return AffectedUsers(number=len(names), users=tuple(dict.fromkeys(names))[:NAMED])


async def _all_users(store: Store, row: LicenseRow) -> list[HolderRow]:
    """The license's users, a page at a time: no script keeps others waiting."""
    users: list[HolderRow] = []
    while page := await store.license_users(row.customer, row.id, offset=len(users), size=PAGE):
        users += page.items
        if not page.items or len(users) >= page.total:
            break
    return users
