"""What administrators ask of the store, and what it answers: licenses, their holders, sessions, and what a node remembers."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

import msgspec

from seatd.store.values import Queued, Value, node_name
from seatd_protocol.messages import Device, Seat

Item = TypeVar("Item")


class Registration(Value, frozen=True, kw_only=True):
    """What the registry has of a customer: records of licenses by id, texts of their keys by jti, the profile, who is
    assigned (license NUL user), the account, and the resources that are on. A node only keeps it, so the records are as the
    store has them."""

    licenses: dict[str, dict[str, object]]
    license_keys: dict[str, str]
    profile: dict[str, str] | None = None
    assignments: tuple[str, ...] = ()
    account: dict[str, str] = msgspec.field(default_factory=dict)
    resources: dict[str, str] = msgspec.field(default_factory=dict)

    def domains(self) -> set[str]:
        """The domains that the licenses name."""
        return {
            name
            for record in self.licenses.values()
            for name in msgspec.convert(record["domains"], list[str])
        }


class Reregistered(Value, frozen=True, kw_only=True):
    """License ids that were put back, and those that had been withdrawn and are gone again."""

    added: tuple[str, ...]
    dropped: tuple[str, ...]


class Imported(Value, frozen=True, kw_only=True):
    """What an import did, or would do (`dry_run`). `faulty`: ids of the licenses (`domain_taken`: the domains) in its way;
    `deleted`: the customer is just being deleted."""

    status: Literal["imported", "already_imported", "older_key", "other_customer", "domain_taken", "deleted"]
    added: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    faulty: tuple[str, ...] = ()


class Assigned(Value, frozen=True, kw_only=True):
    """The outcome of giving a nominal license to a user."""

    status: Literal["assigned", "already", "full", "unknown_license", "not_nominal", "wrong_domain"]
    limit: int = 0
    used: int = 0


class LicenseRow(Value, frozen=True, kw_only=True):
    """A license with its use at one moment. `used`: holders (competitive) or assigned users (nominal);
    `online`: holders with a live session; `resources`: those of its product that are switched on in its domains."""

    id: str
    customer: str
    customer_name: str
    agency: str
    external_id: str
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
    used: int
    online: int
    resources: int = 0

    @property
    def above_limit(self) -> int:
        """Seats in use above the limit: in the overdraft, or because the limit has been lowered."""
        return max(0, self.online - self.limit)


class HolderRow(Value, frozen=True, kw_only=True):
    """A user of a license: assigned to it, or holding a seat of it."""

    user: str
    domain: str
    online: bool
    sessions: int
    since_ms: int | None
    assigned: bool


class SessionRow(Value, frozen=True, kw_only=True):
    """A live session as the administrator sees it. `until_ms`: when a parked or draining one ends."""

    session: str
    customer: str
    user: str
    domain: str
    device: Device
    node: str
    state: Literal["attached", "parked", "draining", "waiting"]
    since_ms: int
    until_ms: int | None
    seats: tuple[Seat, ...]
    busy: bool = False


class WaitingRow(Value, frozen=True, kw_only=True):
    """A session that waits for a seat of `product`, as the administrator sees it. `position` counts those who want the same,
    from 1; `ahead_ms`: about how long that takes, when it is known; `since_ms`: since when the session is there."""

    session: str
    customer: str
    user: str
    domain: str
    device: Device
    node: str
    product: str
    position: int
    ahead_ms: int | None
    since_ms: int


def waiting_row(customer: str, place: Queued, record: dict[str, Any]) -> WaitingRow:
    """The row of a place in the queue and the session's record."""
    facts = {name: record[name] for name in ("user", "domain", "device", "since_ms")}
    return msgspec.convert(
        {
            **facts,
            "session": place.session,
            "customer": customer,
            "node": node_name(record["node"]),
            "product": place.product,
            "position": place.position,
            "ahead_ms": place.ahead_ms,
        },
        WaitingRow,
    )


class Page(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """A slice of a longer list; `total` counts the whole."""

    items: tuple[Item, ...]
    total: int
