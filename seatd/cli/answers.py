"""The shapes of the server's answers, as far as the command line shows them; further fields are ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the shapes below."""


class Listing(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """One page of a list; `total` counts the whole."""

    items: tuple[Item, ...]
    page: int = 1
    size: int = 0
    total: int = 0


class License(Answer, frozen=True):
    """A license in the registry. `status`: whole days to the end."""

    id: str
    product: str
    kind: str
    limit: int
    used: int
    valid_from: datetime
    valid_till: datetime
    status: int = 0
    validity: str = "valid"
    overdraft: int = 0
    online: int = 0
    customer: str = ""
    domains: tuple[str, ...] = ()


class ImportedLicense(Answer, frozen=True):
    """A license of an imported key; `change`: added, replaced or unchanged."""

    id: str
    product: str
    kind: str
    limit: int
    valid_from: datetime
    valid_till: datetime
    change: str = ""


class Notice(Answer, frozen=True):
    """Something to know about one license of an accepted key."""

    license: str
    message: str


class Affected(Answer, frozen=True):
    """How many users, and some of their names."""

    number: int = 0
    users: tuple[str, ...] = ()


class AffectedLicense(Answer, frozen=True):
    """Who of a license's users would lose by an import."""

    license: str
    above_limit: Affected = Affected()
    not_covered: Affected = Affected()
    assignments_lost: Affected = Affected()


class Imported(Answer, frozen=True):
    """What an import did, or would do."""

    status: str
    dry_run: bool = False
    customer: str = ""
    licenses: tuple[ImportedLicense, ...] = ()
    notices: tuple[Notice, ...] = ()
    affected: tuple[AffectedLicense, ...] = ()


class User(Answer, frozen=True):
    """A user of a license; `used`: online now."""

    domain: str
    user: str
    used: bool
    sessions: int = 0
    since: datetime | None = None
    assigned: bool = False


class Assignment(Answer, frozen=True):
    """A nominal license given to a user; `status`: assigned or already."""

    status: str
    used: int
    limit: int


class Device(Answer, frozen=True):
    """The device a client runs on."""

    kind: str
    id: str
    name: str = ""
    version: str = ""


class Seat(Answer, frozen=True):
    """A seat that a session holds."""

    product: str
    license: str
    kind: str = ""
    overdraft: bool = False


class Session(Answer, frozen=True):
    """A live session; `state`: attached, parked or draining."""

    session: str
    user: str
    device: Device
    node: str
    state: str
    since: datetime
    customer: str = ""
    seats: tuple[Seat, ...] = ()


class Receipt(Answer, frozen=True):
    """What came of one session's forced logout."""

    session: str
    user: str
    device: Device
    node: str
    delivered: bool
    acknowledged: bool
    milliseconds: int | None
    outcome: str


class Receipts(Answer, frozen=True):
    """What came of a forced logout, session by session."""

    sessions: tuple[Receipt, ...]


class GrantShown(Answer, frozen=True):
    """A role, and where it counts."""

    role: str
    agency: str = ""
    customers: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


class Administrator(Answer, frozen=True):
    """Somebody who may sign in."""

    name: str
    grants: tuple[GrantShown, ...]
    created: datetime
    has_password: bool = False
    totp: bool = False
    must_totp: bool = False
    disabled: bool = False


class MadeToken(Answer, frozen=True):
    """A new API token, with its secret."""

    id: str
    token: str
    expires: datetime | None = None


class Link(Answer, frozen=True):
    """A link that signs in once; `path` is below the admin address."""

    path: str
