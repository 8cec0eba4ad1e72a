"""What nodes ask the store and what it answers: plain values, no Redis in sight. (Administrators: `registry_values`.)

Expected outcomes are values here (`Granted`, `Denied`, `Gone`); an exception from the store means that
something broke (`StoreUnavailable`: the outcome is unknown).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from seatd_protocol.messages import Device, Seat


class StoreUnavailable(Exception):
    """The store did not answer: whether the verb took effect is unknown."""


class UnknownCustomer(Exception):
    """The customer has been deleted while it was decided what to change of it. Nothing was changed."""


class WrongDeployment(Exception):
    """The store belongs to a deployment with other fixed settings (the number of partitions)."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the values below: frozen, built by keyword."""


def node_name(node: str) -> str:
    """The configured name in a node's id, which is `name~random`: a process started anew is another node."""
    return node.rpartition("~")[0]


# -- sessions and seats ---------------------------------------------------------------------------


class Opening(Value, frozen=True, kw_only=True):
    """A sign-in, as the hub asks for it. `secret` is the hash under which a resume is checked, `groups` are the user's, for
    which seats may be reserved."""

    session: str
    secret: str
    user: str
    domain: str
    device: Device
    need: tuple[Want, ...] = ()
    want: tuple[Want, ...] = ()
    groups: tuple[str, ...] = ()
    per_user: int = 20
    unseated: bool = False
    wait: bool = False
    priority: int = 0
    queue_limit: int = 200


class Want(Value, frozen=True, kw_only=True):
    """One product that a session asks for, with the catalogue's rule for it (see `licensing.catalog`).

    `max_per_user` bounds the devices of one user that may hold the product at once (0: no bound); of an `add_on` that counts
    devices the user's extension says how many, if there is one; `device_rule` is the
    catalogue's rule for further devices (a license may have its own);
    `missing` is the denial code when no license of the product covers the domain. Of what is only wanted, products of one
    `group` come together or not at all (an add-on, its base and its device).
    """

    product: str
    holder: str
    combine: str
    devices: bool = False
    max_per_user: int = 0
    add_on: bool = False
    missing: str = "not_licensed"
    group: str = ""
    device_rule: str = "refuse"


class OwnSession(Value, frozen=True, kw_only=True):
    """One of a user's own sessions, as shown to that user."""

    session: str
    device: Device
    since_ms: int
    seats: tuple[Seat, ...]


class Granted(Value, frozen=True, kw_only=True):
    """The session has these seats now. `fence` grows with each node that takes the session over.

    What follows is told of a resumed session: `device` is the one that it was opened on, whatever the resume says; `need` the
    products without which it ends; `busy` whether a call went on; `losing` the last order that took a seat from it, as long as
    it is not confirmed that its client knows.
    """

    session: str
    fence: int
    seats: tuple[Seat, ...]
    resumed: bool = False
    device: Device | None = None
    need: tuple[str, ...] = ()
    busy: bool = False
    losing: int | None = None


class Queued(Value, frozen=True, kw_only=True):
    """No seat yet: the session waits. `position` 1 is next; `ahead_ms` is how long such a place took lately.

    `member` is the place itself, by which it can be taken again after the store has lost it.
    """

    session: str
    product: str
    position: int
    member: str = ""
    ref: int | None = None
    ahead_ms: int | None = None


class Places(Value, frozen=True, kw_only=True):
    """Everybody who waits for seats of a customer, in order. While the store recovers, some may not have been told again."""

    places: tuple[Queued, ...]
    recovering: bool


class Denied(Value, frozen=True, kw_only=True):
    """Refused, nothing changed. `limit` and `used` speak of the product named."""

    code: str
    product: str | None = None
    limit: int | None = None
    used: int | None = None
    waiting: int | None = None
    retry_after_ms: int | None = None
    holders: tuple[OwnSession, ...] = ()


class Gone(Value, frozen=True, kw_only=True):
    """There is no such session, or it is no longer the caller's; `reason` says as much as it may."""

    reason: Literal["unknown", "ended", "superseded"]


class Released(Value, frozen=True, kw_only=True):
    """These products were given back; `seats` is what the session still has."""

    products: tuple[str, ...]
    seats: tuple[Seat, ...]


class Served(Value, frozen=True, kw_only=True):
    """A session that waits no longer has these seats."""

    seats: tuple[Seat, ...]


class KickTarget(Value, frozen=True, kw_only=True):
    """Whom a forced logout means, within one customer: exactly one of the fields, or `everyone`."""

    user: str | None = None
    session: str | None = None
    license: str | None = None
    domain: str | None = None
    everyone: bool = False


class KickedSession(Value, frozen=True, kw_only=True):
    """A session that a kick ended. `order` is the number its client is asked to acknowledge; 0: no socket."""

    session: str
    user: str
    device: Device
    node: str
    order: int
    fence: int = 0


# -- nodes and orders -----------------------------------------------------------------------------


class Order(Value, frozen=True, kw_only=True):
    """What another node wants this node to tell one of its clients. `number` grows within a partition.

    `device` of a logout: only this device of the `user` is refused for `cooldown_s`. `changed`: the session has lost `seats`,
    `code` says why. `notice`: for every session with a seat of `license`.
    """

    number: int
    type: Literal["logout", "superseded", "receipt", "granted", "refused", "changed", "notice"]
    customer: str
    session: str
    fence: int = 0
    code: str = ""
    message: str = ""
    by: str = ""
    cooldown_s: int = 0
    user: str = ""
    device: str | None = None
    delivered: bool = False
    acknowledged: bool = False
    closed: bool = False
    product: str | None = None
    ref: int | None = None
    seats: tuple[Seat, ...] = ()
    license: str = ""
    until_ms: int = 0


class DueLicense(Value, frozen=True, kw_only=True):
    """A license that somebody must look after: it ends, or its policy has something to say (the review looks again)."""

    customer: str
    license: str


class Due(Value, frozen=True, kw_only=True):
    """A session whose time may have come (the sweep checks again)."""

    customer: str
    session: str
    node: str = ""


class Beat(Value, frozen=True, kw_only=True):
    """A partition's answer to a node's beat. `now_ms` is the partition's own time, `wall_ms` what its server's clock says;
    by that, `next_ms` is when the next license must be looked after."""

    epoch: int
    now_ms: int
    wall_ms: int
    recover_until_ms: int
    lapsed: bool
    orders: tuple[Order, ...]
    due: tuple[Due, ...]
    more: bool
    licenses: tuple[DueLicense, ...] = ()
    next_ms: int | None = None


class Waiting(Value, frozen=True, kw_only=True):
    """A place in the queue: `member` is the place itself, `ref` None a hello that waits."""

    member: str
    need: tuple[Want, ...]
    want: tuple[Want, ...]
    product: str
    priority: int
    ref: int | None = None


class HeldRecord(Value, frozen=True, kw_only=True):
    """All that the store keeps of a session, as its node knows it."""

    user: str
    domain: str
    device: Device
    secret: str
    since_ms: int
    seats: tuple[Seat, ...]
    need: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    busy: bool = False
    waiting: Waiting | None = None


class Held(Value, frozen=True, kw_only=True):
    """A session that a node holds. With `record` it can be put back if the store has lost it.

    `left_ms`: its socket is gone, and so much is left of its linger.
    """

    session: str
    fence: int
    record: HeldRecord | None = None
    left_ms: int | None = None


class Holder(Value, frozen=True, kw_only=True):
    """A holder of a license. `foreign`: the license no longer covers its domain or product."""

    holder: str
    since_ms: int
    foreign: bool


class Review(Value, frozen=True, kw_only=True):
    """What a license's policy may be about: `everybody` (it has ended), or `excess` holders above its limit and those whom
    it no longer covers. `holders`, if any of that is so, are all of them in the order in which they go."""

    everybody: bool = False
    excess: int = 0
    holders: tuple[Holder, ...] = ()
    cursor: str | None = None

    @property
    def concerned(self) -> tuple[Holder, ...]:
        """Those of the holders who may have to give up their seats."""
        if self.everybody:
            return self.holders
        return self.holders[: max(self.excess, sum(holder.foreign for holder in self.holders))]


class Claim(Value, frozen=True, kw_only=True):
    """What a client's ticket says of a session that the store may have lost.

    `until_ms`: until when its client could believe in it, by the partition's own time, which was `behind_ms` behind the
    store's clock.
    """

    fence: int
    record: HeldRecord
    until_ms: int
    behind_ms: int


class Reasserted(Value, frozen=True, kw_only=True):
    """What became of the sessions that a node said it holds."""

    lost: tuple[str, ...]
    restored: tuple[str, ...]


class Forced(Value, frozen=True, kw_only=True):
    """What a forced logout said to its client."""

    type: Literal["logout"] = "logout"
    code: str
    message: str
    by: str
    cooldown_s: int
    user: str
    device: str | None = None
    product: str | None = None


class Ended(Value, frozen=True, kw_only=True):
    """An end of a session, and for how long its user is refused (only the `device`, when given).

    `session` None: nothing but a cool-down. `forced`: it was ordered out; `let_go`: its client, as it was under this
    fence, has no part in it any more.
    """

    user: str
    session: str | None = None
    fence: int = 0
    cooldown_ms: int = 0
    device: str | None = None
    forced: Forced | None = None
    let_go: bool = False


class Swept(Value, frozen=True, kw_only=True):
    """What a sweep has done: ids of sessions that it parked, and the sessions that it ended."""

    parked: tuple[str, ...]
    ended: tuple[Ended, ...]
