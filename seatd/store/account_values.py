"""What administrators keep of a customer, as far as others must know it: state, agency, what that agency may do."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgpack
import msgspec

from seatd.store.values import Value

Status = Literal["active", "suspended", "pending_deletion", "deleted"]
Permission = Literal["see", "licenses", "people", "provisioning", "logout", "billing"]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)
PERMITTED: tuple[Permission, ...] = ("see", "licenses")
"""What an agency may do with a customer that has said nothing: it sells the licenses."""


class Contact(Value, frozen=True, kw_only=True):
    """Somebody to turn to."""

    name: str
    role: str = ""
    email: str = ""
    phone: str = ""


class NumberBlock(Value, frozen=True, kw_only=True):
    """Internal numbers from `first` to `last`, as they are dialled: both have the same number of digits, 3 to 5."""

    first: str
    last: str

    def covers(self, number: str) -> bool:
        """Whether this extension lies in the block."""
        return len(number) == len(self.first) and self.first <= number <= self.last


class Account(Value, frozen=True, kw_only=True):
    """A customer. `permissions` is what its agency may do; `delete_at_ms` when the customer goes for good (it may be suspended
    until then). Amounts are decimal texts in `currency` (ISO 4217; "": nothing was said of money)."""

    id: str
    name: str = ""
    agency: str = ""
    external_id: str = ""
    status: Status = "active"
    created_ms: int = 0
    delete_at_ms: int | None = None
    permissions: tuple[Permission, ...] = PERMITTED
    currency: str = ""
    balance: str = "0"
    debit_limit: str = "0"
    contacts: tuple[Contact, ...] = ()
    number_blocks: tuple[NumberBlock, ...] = ()


def account_of(customer: str, fields: dict[bytes, bytes], profile: bytes | None) -> Account:
    """The account from what the store keeps: administrators' facts, and where they said nothing the last license key's."""
    from_key: dict[str, Any] = msgpack.unpackb(profile) if profile else {}
    said = {name.decode(): msgspec.json.decode(value) for name, value in fields.items()}
    return msgspec.convert({**from_key, **said, "id": customer}, Account)
