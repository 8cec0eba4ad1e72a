"""Live sessions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from seatd.store.registry_values import SessionRow
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Listing, Moment, Nothing, PageQuery, Search, moment, named_user
from seatd.web.errors import Problem
from seatd_protocol.messages import Device, DeviceKind, Seat

ops = Ops("sessions")


class SessionPath(msgspec.Struct, frozen=True, kw_only=True):
    """Which session."""

    session: Annotated[str, msgspec.Meta(min_length=1)]


State = Literal["attached", "parked", "draining", "waiting"]


class SessionQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sessions, where not all. `search`: a part of the user's, the device's or the node's name."""

    customer: Search = ""
    user: Annotated[str, msgspec.Meta(max_length=254)] = ""
    domain: Search = ""
    device: Annotated[DeviceKind | None, msgspec.Meta(description="this kind only")] = None
    state: State | None = None
    search: Search = ""


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """The device a client runs on."""

    kind: DeviceKind
    id: str
    name: str
    version: str


class SeatView(msgspec.Struct, frozen=True, kw_only=True):
    """A seat that the session holds; `until` is the end of its license."""

    product: str
    license: str
    kind: Literal["competitive", "nominal"]
    holder: str
    since: Moment
    until: Moment
    overdraft: bool


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A live session. `until`: when a parked or draining one ends."""

    session: str
    customer: str
    user: str
    domain: str
    device: DeviceView
    node: str
    busy: Annotated[bool, msgspec.Meta(description="a call goes on, as the client says")]
    state: State
    since: Moment
    until: Moment | None
    seats: tuple[SeatView, ...]


@ops.op("GET", "/api/v1/sessions", "sessions.read")
async def list_sessions(call: Call[Nothing, SessionQuery, Nothing]) -> Listing[SessionView]:
    """Live sessions"""
    query = call.query
    user = named_user(query.user, "user")[0] if query.user else ""
    customers = [name for name in await call.scope.customers() if query.customer in ("", name)]
    page = await call.services.store.sessions(
        customers=customers,
        user=user,
        domains=call.scope.domains,
        where=_wanted(query),
        offset=query.offset,
        size=query.size,
    )
    return Listing(items=tuple(map(view, page.items)), page=query.page, size=query.size, total=page.total)


@ops.op("GET", "/api/v1/sessions/{session}", "sessions.read", problems=("unknown_session",))
async def one_session(call: Call[SessionPath, Nothing, Nothing]) -> SessionView:
    """One live session"""
    return view(await find_session(call, call.path.session))


async def find_session(call: Call[Any, Any, Any], session: str) -> SessionRow:
    """The live session if it is there for the caller, or the problem `unknown_session`."""
    row = await call.services.store.session(session)
    if row is None or not (call.scope.has_domain(row.domain) and await call.scope.has_customer(row.customer)):
        raise Problem("unknown_session")
    return row


def _wanted(query: SessionQuery) -> Callable[[SessionRow], bool] | None:
    """Whether a session is one of those that are asked for; None: all are."""
    if not (query.domain or query.device or query.state or query.search):
        return None
    sought = query.search.casefold()

    def is_wanted(row: SessionRow) -> bool:
        device = row.device
        return (
            query.domain in ("", row.domain)
            and query.device in (None, device.kind)
            and query.state in (None, row.state)
            and any(sought in text.casefold() for text in (row.user, device.id, device.name, row.node))
        )

    return is_wanted


def view(row: SessionRow) -> SessionView:
    """The session as it is shown."""
    return SessionView(
        session=row.session,
        customer=row.customer,
        user=row.user,
        domain=row.domain,
        device=device_view(row.device),
        node=row.node,
        busy=row.busy,
        state=row.state,
        since=moment(row.since_ms),
        until=None if row.until_ms is None else moment(row.until_ms),
        seats=tuple(map(_seat, row.seats)),
    )


def device_view(device: Device) -> DeviceView:
    """The device with all its fields, also the empty ones that the wire leaves out."""
    return DeviceView(kind=device.kind, id=device.id, name=device.name, version=device.version)


def _seat(seat: Seat) -> SeatView:
    return SeatView(
        product=seat.product,
        license=seat.license,
        kind=seat.kind,
        holder=seat.holder,
        since=moment(seat.since_ms),
        until=moment(seat.until_ms),
        overdraft=seat.overdraft,
    )
