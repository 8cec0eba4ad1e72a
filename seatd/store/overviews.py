"""A customer at one moment, as the store's `snapshot` sees it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from seatd.store.account_values import Account, account_of
from seatd.store.registry_values import LicenseRow
from seatd.store.values import Value


class Overview(Value, frozen=True, kw_only=True):
    """A customer with its licenses by id, its live sessions counted, and per product the resources that are switched on."""

    account: Account
    licenses: tuple[LicenseRow, ...]
    sessions: int
    resources: dict[str, int]

    @property
    def seats(self) -> int:
        """Seats that somebody holds now."""
        return sum(row.online for row in self.licenses)


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A license as the store keeps it; what is only for its scripts is left out."""

    product: str
    kind: Literal["competitive", "nominal"]
    limit: int
    overdraft: int
    valid_from_ms: int
    valid_till_ms: int
    domains: tuple[str, ...]
    name: str
    tier: str
    jti: str
    iat: int
    created_ms: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What `snapshot` answers. (Lua does not tell an empty map from an empty list.)"""

    account: list[str]
    profile: msgspec.Raw
    licenses: list[tuple[str, Record, int, int]]
    sessions: int
    resources: dict[str, dict[str, int]] | list[Any]


snapshot_of = msgspec.msgpack.Decoder(tuple[str, int, Snapshot]).decode
"""The whole answer, decoded."""
_NIL = b"\xc0"


def overview_of(customer: str, seen: Snapshot) -> Overview:
    """The overview that a snapshot gives."""
    facts = [word.encode() for word in seen.account]
    profile = bytes(seen.profile)
    account = account_of(
        customer, dict(zip(facts[::2], facts[1::2], strict=True)), None if profile == _NIL else profile
    )
    resources = seen.resources if isinstance(seen.resources, dict) else {}
    rows = [_row(account, resources, *license) for license in seen.licenses]
    return Overview(
        account=account,
        licenses=tuple(sorted(rows, key=lambda row: row.id)),
        sessions=seen.sessions,
        resources={product: sum(by_domain.values()) for product, by_domain in resources.items()},
    )


def _row(
    account: Account,
    resources: dict[str, dict[str, int]],
    id_: str,
    record: Record,
    online: int,
    assigned: int,
) -> LicenseRow:
    switched_on = resources.get(record.product)
    return LicenseRow(
        id=id_,
        customer=account.id,
        customer_name=account.name,
        agency=account.agency,
        external_id=account.external_id,
        product=record.product,
        kind=record.kind,
        limit=record.limit,
        overdraft=record.overdraft,
        valid_from_ms=record.valid_from_ms,
        valid_till_ms=record.valid_till_ms,
        domains=record.domains,
        name=record.name,
        tier=record.tier,
        jti=record.jti,
        iat=record.iat,
        created_ms=record.created_ms,
        used=assigned if record.kind == "nominal" else online,
        online=online,
        resources=sum(switched_on.get(domain, 0) for domain in record.domains) if switched_on else 0,
    )
