"""A customer at one moment, as the store's `snapshot` sees it."""

from __future__ import annotations

from typing import Any

import msgpack
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


def overview_of(customer: str, body: dict[str, Any]) -> Overview:
    """The overview from the body of a snapshot."""
    facts = {name.encode(): text.encode() for name, text in (body["account"] or {}).items()}
    account = account_of(customer, facts, msgpack.packb(body["profile"]) if body.get("profile") else None)
    owner = {
        "customer": customer,
        "customer_name": account.name,
        "agency": account.agency,
        "external_id": account.external_id,
    }
    rows = (msgspec.convert(record | owner, LicenseRow) for record in body["licenses"])
    return Overview(
        account=account,
        licenses=tuple(sorted(rows, key=lambda row: row.id)),
        sessions=body["sessions"],
        resources=body["resources"] or {},
    )
