"""Tickets: what a client can show for its seats when the store and the client's node are both lost.

A ticket is a MAC and a packed body, in base64url. The key is the deployment's, so any node can read what any other has
given out. The MAC is HMAC-SHA256 cut to half of its length, as RFC 2104 section 5 allows. What a ticket is good for is said
in `store/lua/README.md`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from seatd.hub.secret import hashed
from seatd.store.values import Claim, HeldRecord
from seatd_protocol.messages import DEVICE_KINDS, Device, Resume, Seat

if TYPE_CHECKING:
    from seatd.hub.hub import Hub
    from seatd.hub.session import Session
    from seatd.hub.tokens import Identity

PURPOSE = b"seatd ticket 1\0"
MAC_BYTES = 16
MAX_TICKET = 1024
"""A session with more seats than go into a ticket of this length has none (the contract's limit, too)."""


class PackedSeat(msgspec.Struct, frozen=True, array_like=True):
    """A seat; `holder` is empty for the user, as most are."""

    product: str
    license: str
    nominal: bool
    holder: str
    since_ms: int
    until_ms: int
    overdraft: bool


class Body(msgspec.Struct, frozen=True, array_like=True):
    """What is vouched for. `device` is kind (its number), id, name and version; times are those of a `Claim`."""

    session: str
    secret: bytes
    customer: str
    user: str
    domain: str
    device: tuple[int, str, str, str]
    fence: int
    since_ms: int
    issued_ms: int
    until_ms: int
    behind_ms: int
    seats: tuple[PackedSeat, ...]


class Vouched(NamedTuple):
    """What the last ticket of a session says."""

    fence: int
    seats: Mapping[str, Seat]
    until_ms: int


class Tickets:
    """Gives tickets out and reads them. One is good for two client leases, and is renewed after one: so whatever a client may
    believe at any moment, it has a ticket that says so."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def issue(self, session: Session) -> str | None:
        """A ticket for what a session holds now; None when there is nothing to vouch for, or too much."""
        keys = self._hub.store.ticket_keys
        if not (keys and session.stored and session.welcomed and session.seats):
            return None
        now_ms, behind_ms = self._hub.leases.store_time_ms(session.partition)
        until_ms = now_ms + 2 * self._lease_ms
        session.vouched = Vouched(session.fence, session.seats, until_ms)
        ticket = _sealed(keys[0], msgspec.msgpack.encode(_body(session, now_ms, until_ms, behind_ms)))
        return ticket if len(ticket) <= MAX_TICKET else None

    def renewal(self, session: Session) -> str | None:
        """The ticket for the next beat: None while the last one says what is true, for long enough."""
        last = session.vouched
        if last is not None and last.fence == session.fence and last.seats is session.seats:
            now_ms, _ = self._hub.leases.store_time_ms(session.partition)
            if now_ms + self._lease_ms < last.until_ms:
                return None
        return self.issue(session)

    def read(self, resume: Resume, identity: Identity, device: Device) -> Claim | None:
        """What a client's ticket says of the session that it resumes; None when it is not ours, or of something else."""
        body = self._opened(resume.ticket or "")
        if body is None or body.session != resume.session or body.secret.hex() != hashed(resume.secret):
            return None
        if (body.customer, body.user, body.device[1]) != (identity.customer, identity.user, device.id):
            return None
        return Claim(
            fence=body.fence,
            record=_record(body),
            until_ms=body.until_ms,
            behind_ms=body.behind_ms,
        )

    def _opened(self, ticket: str) -> Body | None:
        try:
            sealed = base64.b64decode(ticket + "=" * (-len(ticket) % 4), b"-_", validate=True)
        except ValueError:
            return None
        mac, packed = sealed[:MAC_BYTES], sealed[MAC_BYTES:]
        # Each key is tried: how long it takes says nothing of them.
        fits = [hmac.compare_digest(mac, _mac(key, packed)) for key in self._hub.store.ticket_keys]
        return msgspec.msgpack.decode(packed, type=Body) if any(fits) else None

    @property
    def _lease_ms(self) -> int:
        return round(self._hub.options.client_lease_s * 1000)


def _mac(key: bytes, packed: bytes) -> bytes:
    return hmac.digest(key, PURPOSE + packed, hashlib.sha256)[:MAC_BYTES]


def _sealed(key: bytes, packed: bytes) -> str:
    return base64.urlsafe_b64encode(_mac(key, packed) + packed).decode().rstrip("=")


def _body(session: Session, now_ms: int, until_ms: int, behind_ms: int) -> Body:
    identity, device = session.identity, session.device
    return Body(
        session=session.key,
        secret=bytes.fromhex(hashed(session.secret)),
        customer=identity.customer,
        user=identity.user,
        domain=identity.domain,
        device=(DEVICE_KINDS.index(device.kind), device.id, device.name, device.version),
        fence=session.fence,
        since_ms=session.since_ms or int(time.time() * 1000),
        issued_ms=now_ms,
        until_ms=until_ms,
        behind_ms=behind_ms,
        seats=tuple(_packed(seat, identity.user) for seat in session.seats.values()),
    )


def _packed(seat: Seat, user: str) -> PackedSeat:
    holder = "" if seat.holder == user else seat.holder
    nominal = seat.kind == "nominal"
    return PackedSeat(
        seat.product, seat.license, nominal, holder, seat.since_ms, seat.until_ms, seat.overdraft
    )


def _record(body: Body) -> HeldRecord:
    kind, id_, name, version = body.device
    return HeldRecord(
        user=body.user,
        domain=body.domain,
        device=Device(kind=DEVICE_KINDS[kind], id=id_, name=name, version=version),
        secret=body.secret.hex(),
        since_ms=body.since_ms,
        seats=tuple(_unpacked(seat, body.user) for seat in body.seats),
    )


def _unpacked(seat: PackedSeat, user: str) -> Seat:
    return Seat(
        product=seat.product,
        license=seat.license,
        kind="nominal" if seat.nominal else "competitive",
        holder=seat.holder or user,
        since_ms=seat.since_ms,
        until_ms=seat.until_ms,
        overdraft=seat.overdraft,
    )
