"""Every message of the wire, as small frozen values.

A field that the contract marks optional has a default and is absent from the wire while it has it; a
field without a default is always on the wire. Lists are tuples here. Limits are part of the types: the
codec refuses what does not fit. They bind what a client sends; server messages carry only the limits
that a client relies on, so that an older client can read what a newer server says.

Units stand in the names: `_s` seconds, `_ms` milliseconds. `since_ms`, `until_ms` and `server_ms` are
moments in milliseconds since 1970, UTC.
"""

from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

DeviceKind = Literal["desktop", "mobile", "web_phone", "ip_phone"]
DEVICE_KINDS: tuple[DeviceKind, ...] = get_args(DeviceKind)
SeatKind = Literal["competitive", "nominal"]

# JavaScript counts exactly only up to here, and Lua's numbers are the same doubles.
_MAX_COUNT = 2**53

# `\Z`, not `$`: in Python `$` also matches before a last line break.
_PLAIN = r"\A[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z"
_WORD = r"\A[A-Za-z0-9_]+\Z"
_KEY = r"\A[A-Za-z0-9_-]+\Z"

Count = Annotated[int, Meta(ge=0, le=_MAX_COUNT)]
Token = Annotated[str, Meta(min_length=1, max_length=6144)]
DeviceId = Annotated[str, Meta(min_length=1, max_length=128, pattern=_PLAIN)]
Label = Annotated[str, Meta(max_length=64, pattern=_PLAIN)]
ProductName = Annotated[str, Meta(min_length=1, max_length=64, pattern=_WORD)]
Products = Annotated[tuple[ProductName, ...], Meta(max_length=16)]
WaitSeconds = Annotated[int, Meta(ge=0, le=86400)]
Ticket = Annotated[str, Meta(min_length=1, max_length=1024, pattern=_KEY)]
SessionKey = Annotated[str, Meta(min_length=1, max_length=64, pattern=_KEY)]


class _Value(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A map inside a message."""


class _Message(_Value, tag_field="type", frozen=True, kw_only=True, omit_defaults=True):
    """A whole frame: its `type` is the tag that each message below names."""


# Values


class Device(_Value, frozen=True, kw_only=True):
    """The device a client runs on. `id` names it among the devices of its user and outlives restarts."""

    kind: DeviceKind
    id: DeviceId
    name: Label = ""
    version: Label = ""


class Resume(_Value, frozen=True, kw_only=True):
    """Proof of an earlier session: both came in its `welcome`. `ticket`: the newest one, of a `welcome` or a `beat`."""

    session: SessionKey
    secret: SessionKey
    ticket: Ticket | None = None


class Seat(_Value, frozen=True, kw_only=True):
    """A seat that a session holds. `until_ms` is the end of its license, not of a lease."""

    product: str
    license: str
    kind: SeatKind
    holder: str
    since_ms: Count
    until_ms: Count
    overdraft: bool = False


class SessionInfo(_Value, frozen=True, kw_only=True):
    """One of the user's own sessions, as told to that user."""

    session: str
    device: Device
    since_ms: Count
    seats: tuple[Seat, ...]


# Client to server


class Hello(_Message, tag="hello", frozen=True, kw_only=True):
    """Opens the conversation: who, on which device, needing what."""

    token: Token
    device: Device
    need: Products
    want: Products = ()
    wait_s: WaitSeconds = 0
    allow_unseated: bool = False
    resume: Resume | None = None


class Alive(_Message, tag="alive", frozen=True, kw_only=True):
    """Answers the beat of the same number."""

    n: Count


class Acquire(_Message, tag="acquire", frozen=True, kw_only=True):
    """Asks for further products within the session, all or nothing."""

    ref: Count
    products: Products
    wait_s: WaitSeconds = 0


class Release(_Message, tag="release", frozen=True, kw_only=True):
    """Gives products back."""

    ref: Count
    products: Products


class Busy(_Message, tag="busy", frozen=True, kw_only=True):
    """A call starts or ends."""

    busy: bool


class Refresh(_Message, tag="refresh", frozen=True, kw_only=True):
    """A new token of the same user, before the old one ends."""

    token: Token


class TakeOver(_Message, tag="take_over", frozen=True, kw_only=True):
    """Ends another session of the same user."""

    ref: Count
    session: SessionKey


class Ack(_Message, tag="ack", frozen=True, kw_only=True):
    """Confirms a `logout`: from here on the client uses no seat."""

    order: Count


class Bye(_Message, tag="bye", frozen=True, kw_only=True):
    """A clean end: the seats are free at once."""


# Server to client


class Welcome(_Message, tag="welcome", frozen=True, kw_only=True):
    """The session is open. `seats` is all that it holds, and empty on the emergency path; `ticket` vouches for them."""

    session: SessionKey
    secret: SessionKey
    resumed: bool
    user: str
    domain: str
    node: str
    seats: tuple[Seat, ...]
    sections: tuple[str, ...]
    beat_s: Count
    lease_s: Count
    linger_s: Count
    server_ms: Count
    max_frame: Count
    token_ttl_s: Count
    ticket: Ticket | None = None


class Denied(_Message, tag="denied", frozen=True, kw_only=True):
    """No seat. Without `ref` it answers `hello`; `holders` are the user's own sessions that hold one."""

    code: str
    message: str
    ref: Count | None = None
    product: str | None = None
    retry_after_s: Count | None = None
    limit: Count | None = None
    used: Count | None = None
    waiting: Count | None = None
    holders: tuple[SessionInfo, ...] = ()


class Queued(_Message, tag="queued", frozen=True, kw_only=True):
    """The place in the queue of a product, 1 being next; sent again whenever it changes."""

    product: str
    position: Count
    ref: Count | None = None
    ahead_s: Count | None = None


class Granted(_Message, tag="granted", frozen=True, kw_only=True):
    """`seats` are those of the products asked for, `sections` all that the session opens now."""

    seats: tuple[Seat, ...]
    sections: tuple[str, ...]
    ref: Count | None = None


class Released(_Message, tag="released", frozen=True, kw_only=True):
    """The products are given back; `sections` are all that the session still opens."""

    ref: Count
    products: tuple[str, ...]
    sections: tuple[str, ...]


class Beat(_Message, tag="beat", frozen=True, kw_only=True):
    """Asks for `alive n`, and says that the answer to the beat before has arrived. `ticket` takes the place of the last."""

    n: Count
    lease_s: Count
    ticket: Ticket | None = None


class Changed(_Message, tag="changed", frozen=True, kw_only=True):
    """Licenses changed under the session: `seats` and `sections` are all that it holds now."""

    seats: tuple[Seat, ...]
    sections: tuple[str, ...]
    reason: str


class Notice(_Message, tag="notice", frozen=True, kw_only=True):
    """Something a person may want to know; nothing has changed yet."""

    code: str
    message: str
    until_ms: Count | None = None


class Sessions(_Message, tag="sessions", frozen=True, kw_only=True):
    """The user's own sessions, in answer to `take_over`."""

    ref: Count
    sessions: tuple[SessionInfo, ...]


class Logout(_Message, tag="logout", frozen=True, kw_only=True):
    """Forced out. `cooldown_s` is how long the user is refused from now on."""

    order: Count
    code: str
    message: str
    cooldown_s: Count
    by: str | None = None


class Moving(_Message, tag="moving", frozen=True, kw_only=True):
    """This node drains: wait that long, then resume on another."""

    after_ms: Count


class Error(_Message, tag="error", frozen=True, kw_only=True):
    """A request could not be served; the session goes on."""

    code: str
    message: str
    temporary: bool
    ref: Count | None = None


ClientMessage = Hello | Alive | Acquire | Release | Busy | Refresh | TakeOver | Ack | Bye
ServerMessage = (
    Welcome
    | Denied
    | Queued
    | Granted
    | Released
    | Beat
    | Changed
    | Notice
    | Sessions
    | Logout
    | Moving
    | Error
)


def type_of(message: ClientMessage | ServerMessage) -> str:
    """The word that stands in the message's `type`."""
    return _WORDS[type(message)]


CLIENT_TYPES: dict[str, type[ClientMessage]] = {
    str(shape.__struct_config__.tag): shape for shape in get_args(ClientMessage)
}
SERVER_TYPES: dict[str, type[ServerMessage]] = {
    str(shape.__struct_config__.tag): shape for shape in get_args(ServerMessage)
}
_WORDS: dict[type[ClientMessage] | type[ServerMessage], str] = {
    shape: word for types in (CLIENT_TYPES, SERVER_TYPES) for word, shape in types.items()
}
