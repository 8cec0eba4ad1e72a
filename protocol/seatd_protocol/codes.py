"""Every code of the wire in tables: close codes, denials, notices, errors, logouts.

A client decides by the hundreds of a close code, so that it also knows what to do about a number that is
newer than itself. The slug is the close reason on the wire and the label in the metrics.
"""

from dataclasses import dataclass
from enum import Enum

# RFC 6455, 5.5: a control frame carries 125 bytes, two of them the code.
MAX_REASON = 123


class Action(Enum):
    """What a client does when its connection has ended."""

    DONE = "done"  # nothing: the conversation was ended on purpose
    RESUME = "resume"  # resume on another node at once, or after the wait that `moving` named
    RECONNECT = "reconnect"  # come back with full-jitter back-off, resuming if it had a session
    NEW_TOKEN = "new_token"  # noqa: S105  (a word, no secret): get a new token, then come back
    TELL = "tell"  # tell the person; no retry on its own
    NEVER = "never"  # do not come back unchanged


@dataclass(frozen=True, slots=True)
class CloseCode:
    """A number that a connection is closed with."""

    number: int
    slug: str
    meaning: str

    @property
    def action(self) -> Action:
        """What a client does about it."""
        return action_of(self.number)

    def reason(self, detail: str = "") -> str:
        """The reason text of the close frame: the slug, with `detail` behind it, within 123 bytes."""
        text = f"{self.slug}: {detail}" if detail else self.slug
        return text.encode()[:MAX_REASON].decode(errors="ignore")


@dataclass(frozen=True, slots=True)
class DenialCode:
    """Why a seat was refused. `temporary`: the same request may well succeed soon, nobody doing anything."""

    slug: str
    temporary: bool
    meaning: str


def action_of(number: int) -> Action:
    """What a client does about any close code: known, unknown, or 1006 for a connection that just broke."""
    if number in (1000, 1001):
        return Action.DONE
    return _BY_HUNDREDS.get(number // 100, Action.RECONNECT)


_BY_HUNDREDS = {
    40: Action.RESUME,
    41: Action.RECONNECT,
    42: Action.NEW_TOKEN,
    43: Action.TELL,
    44: Action.NEVER,
}

NORMAL = CloseCode(1000, "normal", "a clean end, for example after `bye`")
GOING_AWAY = CloseCode(1001, "going_away", "the peer leaves for good, for example a page that is closed")

MOVING = CloseCode(4000, "moving", "this node drains; the session is kept for whoever resumes it")
LEASE_LOST = CloseCode(4001, "lease_lost", "this node may no longer speak for the session")
STORE_LOST = CloseCode(4002, "store_lost", "this node has lost the store for too long")

OVERLOADED = CloseCode(4100, "overloaded", "this node takes no more for the moment")
SLOW_CONSUMER = CloseCode(4101, "slow_consumer", "the client did not read what it was sent")
NO_ALIVE = CloseCode(4102, "no_alive", "the client did not answer a beat")
INTERNAL = CloseCode(4103, "internal", "the server failed")
RATE_LIMITED = CloseCode(4104, "rate_limited", "the client sent too much")

TOKEN_EXPIRED = CloseCode(4200, "token_expired", "the token ended and no `refresh` came")
TOKEN_REVOKED = CloseCode(4201, "token_revoked", "the token was withdrawn")
HELLO_TIMEOUT = CloseCode(4202, "hello_timeout", "no `hello` within 5 s")

DENIED = CloseCode(4300, "denied", "no seat; the `denied` before it says why")
REPLACED = CloseCode(
    4301, "replaced", "the same device signed in again, or another session took this one over"
)
LOGOUT = CloseCode(4302, "logout", "forced out; the `logout` before it says why")
LICENSE_ENDED = CloseCode(4303, "license_ended", "the license that the session lived on has ended")

BAD_MESSAGE = CloseCode(4400, "bad_message", "a frame that breaks this contract; the reason follows the slug")
BAD_TOKEN = CloseCode(4401, "bad_token", "the token is not valid here")
FORBIDDEN = CloseCode(4403, "forbidden", "the token does not allow this")
SECOND_HELLO = CloseCode(4409, "second_hello", "a `hello` on a connection that had one")

CLOSE_CODES: dict[int, CloseCode] = {
    code.number: code
    for code in (
        NORMAL,
        GOING_AWAY,
        MOVING,
        LEASE_LOST,
        STORE_LOST,
        OVERLOADED,
        SLOW_CONSUMER,
        NO_ALIVE,
        INTERNAL,
        RATE_LIMITED,
        TOKEN_EXPIRED,
        TOKEN_REVOKED,
        HELLO_TIMEOUT,
        DENIED,
        REPLACED,
        LOGOUT,
        LICENSE_ENDED,
        BAD_MESSAGE,
        BAD_TOKEN,
        FORBIDDEN,
        SECOND_HELLO,
    )
}

DENIAL_CODES: dict[str, DenialCode] = {
    code.slug: code
    for code in (
        DenialCode("no_seat", True, "all seats are taken"),
        DenialCode("not_licensed", False, "the customer has no license for the product, or it is unknown"),
        DenialCode("not_assigned", False, "the license is nominal and not assigned to this user"),
        DenialCode("not_entitled", False, "the token does not allow the product"),
        DenialCode("license_expired", False, "the license has ended"),
        DenialCode("license_not_yet_valid", False, "the license has not begun"),
        DenialCode("base_missing", False, "an add-on without its base license"),
        DenialCode("device_not_allowed", False, "the product is not for this kind of device"),
        DenialCode("cooldown", True, "the user was forced out a short while ago"),
        DenialCode("queue_full", True, "all seats are taken, and so are the places in the queue"),
        DenialCode("wait_timeout", True, "the wait that was asked for is over, and no seat came free"),
        DenialCode("suspended", False, "the customer is suspended"),
        DenialCode("unavailable", True, "the store is away: nothing new is granted"),
        DenialCode(
            "recovering", True, "the store may have lost writes: nothing new is granted until it is sure"
        ),
        DenialCode("overloaded", True, "the server takes no more for the moment"),
    )
}

NOTICE_CODES: dict[str, str] = {
    "license_expiring": "a license that the session lives on ends soon, at `until_ms`",
    "someone_waits": "somebody queues for a seat that this session holds",
    "store_recovering": "the store is being checked: seats are kept, nothing new is granted",
    "token_expiring": "the token ends at `until_ms`: send `refresh`",
    "maintenance": "planned work; `until_ms` is when it begins or ends, as the message says",
}

ERROR_CODES: dict[str, str] = {
    "unknown_session": "`take_over` named a session that is gone or not the user's own",
    "not_held": "`release` named a product that the session does not hold",
    "busy_elsewhere": "`take_over` named a session with a call going on",
    "unavailable": "the store is away: ask again later",
    "unsupported": "this server does not do that",
}

LOGOUT_CODES: dict[str, str] = {
    "forced": "an administrator ended the session",
    "license_ended": "the license that the session lived on has ended",
    "customer_suspended": "the customer was suspended",
    "signed_out": "the user ended all own sessions",
}
