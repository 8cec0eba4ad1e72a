"""What administrators keep of a customer, as far as others must know it: state, agency, what that agency may do."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgpack
import msgspec

from seatd.licensing.extensions import Block
from seatd.store.values import Value

Status = Literal["active", "suspended", "pending_deletion", "deleted"]
Permission = Literal["see", "licenses", "people", "provisioning", "logout", "billing"]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)
PERMITTED: tuple[Permission, ...] = ("see", "licenses")
"""What an agency may do with a customer that has said nothing: it sells the licenses."""


class Account(Value, frozen=True, kw_only=True):
    """A customer. `permissions` is what its agency may do; `delete_at_ms` when a customer that is pending deletion goes;
    `blocks` are the extensions that may be provisioned."""

    id: str
    name: str = ""
    agency: str = ""
    external_id: str = ""
    status: Status = "active"
    created_ms: int = 0
    delete_at_ms: int | None = None
    permissions: tuple[Permission, ...] = PERMITTED
    blocks: tuple[Block, ...] = ()


def account_of(customer: str, fields: dict[bytes, bytes], profile: bytes | None) -> Account:
    """The account from what the store keeps: administrators' facts, and where they said nothing the last license key's."""
    from_key: dict[str, Any] = msgpack.unpackb(profile) if profile else {}
    said = {name.decode(): msgspec.json.decode(value) for name, value in fields.items()}
    return msgspec.convert({**from_key, **said, "id": customer}, Account)
