"""What the model knows: licenses, sessions, nodes, and what follows from looking at them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from seatd.store.values import Order, Want
from seatd.store.verbs import StoreOptions
from seatd_protocol.messages import Device, Seat, SeatKind

ORDERS_PER_MS = 1000


@dataclass(frozen=True)
class License:
    """A license as a key put it there."""

    id: str
    product: str
    kind: SeatKind
    limit: int
    overdraft: int
    from_ms: int
    till_ms: int
    domains: tuple[str, ...]
    jti: str
    iat: int
    policy: dict[str, Any] = field(default_factory=dict)
    narrowed_ms: int | None = None
    lowered_ms: int | None = None
    warned_ms: int | None = None
    removed_ms: int | None = None


@dataclass(frozen=True)
class Held:
    """A seat of one session."""

    product: str
    license: str
    kind: SeatKind
    holder: str
    since_ms: int
    overdraft: bool
    reserved: str | None = None


@dataclass
class Losing:
    """Seats that a session has lost and still counts for; `order` is the last that told of one."""

    seats: list[Held]
    until_ms: int
    order: int


@dataclass(frozen=True)
class Waiting:
    """What a session in the queue asks for. `number` is that of its arrival, `product` the first that it lacked."""

    number: int
    need: tuple[Want, ...]
    want: tuple[Want, ...]
    product: str
    priority: int
    ref: int | None = None

    @property
    def products(self) -> set[str]:
        return {want.product for want in self.need}


@dataclass
class Session:
    """A session. `node` is empty when no node answers for it; `until_ms` is 0 while one does and it is not draining."""

    id: str
    user: str
    domain: str
    device: Device
    secret: str
    node: str
    since_ms: int
    seats: list[Held]
    state: str = "attached"
    fence: int = 1
    until_ms: int = 0
    reply_to: str | None = None
    need: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    busy: bool = False
    losing: Losing | None = None
    waiting: Waiting | None = None

    def counted(self) -> list[Held]:
        """All seats that count for it."""
        return self.seats + (self.losing.seats if self.losing else [])

    def disown(self) -> None:
        """Its node may not know what it has lost."""
        self.fence += self.losing is not None

    def park(self, until_ms: int) -> None:
        """One that waits for its first seats keeps its place; one that has some waits no longer."""
        if self.state == "attached":
            self.state, self.waiting = "parked", None
        self.node, self.until_ms = "", until_ms


@dataclass
class Customer:
    """What belongs to one customer. `assigned` holds pairs of license id and user."""

    licenses: dict[str, License] = field(default_factory=dict)
    assigned: set[tuple[str, str]] = field(default_factory=set)
    sessions: dict[str, Session] = field(default_factory=dict)
    withdrawn: dict[str, License] = field(default_factory=dict)

    def counted(self) -> Iterable[Held]:
        return (seat for session in self.sessions.values() for seat in session.counted())

    def seats(self) -> Iterable[Held]:
        return (seat for session in self.sessions.values() for seat in session.seats)

    def holders(self, license: str) -> set[str]:
        """Who is counted against a license."""
        return {seat.holder for seat in self.counted() if seat.license == license}

    def reserved(self, license: str, name: str) -> set[str]:
        """Who draws on a reservation."""
        return {seat.holder for seat in self.counted() if (seat.license, seat.reserved) == (license, name)}

    def of(self, user: str) -> list[Session]:
        """A user's sessions, by id."""
        return sorted((s for s in self.sessions.values() if s.user == user), key=lambda session: session.id)

    def assignments(self, license: str) -> int:
        return sum(1 for id_, _ in self.assigned if id_ == license)

    def offers(self, domain: str, product: str) -> list[License]:
        """The licenses of a product that cover a domain, in the order they are drawn on."""
        covering = [x for x in self.licenses.values() if x.product == product and domain in x.domains]
        return sorted(covering, key=lambda license: (len(license.domains), license.till_ms, license.id))

    def shown(self, session: Session) -> tuple[Seat, ...]:
        """A session's seats as its client sees them: with the end of their license."""
        return self.shown_all(session.seats)

    def shown_all(self, seats: Iterable[Held]) -> tuple[Seat, ...]:
        return tuple(self._shown(seat) for seat in seats)

    def _shown(self, seat: Held) -> Seat:
        license = self.licenses.get(seat.license)
        fields = {name: value for name, value in vars(seat).items() if name != "reserved"}
        return Seat(**fields, until_ms=license.till_ms if license else 0)


class State:
    """One partition. `now_ms` is set by whoever drives it."""

    def __init__(self, options: StoreOptions, now_ms: int) -> None:
        self.options = options
        self.now_ms = now_ms
        self.epoch = now_ms
        self.recover_until_ms = 0
        self.old_until_ms = 0
        self.orders_written = self.arrivals = now_ms * ORDERS_PER_MS
        self.customers: dict[str, Customer] = {}
        self.nodes: dict[str, int] = {}
        self.orders: dict[str, list[Order]] = {}
        self.tombs: dict[str, int] = {}
        self.cooldowns: dict[tuple[str, ...], int] = {}

    def customer(self, name: str) -> Customer:
        return self.customers.setdefault(name, Customer())

    @property
    def recovering(self) -> bool:
        return self.now_ms < self.recover_until_ms

    def lose_identity(self) -> None:
        """Another server speaks for the data: its last writes may be missing."""
        self.epoch = max(self.epoch + 1, self.now_ms)
        self.recover_until_ms = self.now_ms + self.options.recovery_ms
        self.old_until_ms = self.now_ms + self.options.old_primary_ms
        self.orders_written = self.arrivals = self.epoch * ORDERS_PER_MS

    def has_lease(self, node: str) -> bool:
        return self.nodes.get(node, 0) >= self.now_ms

    def everyone(self) -> Iterable[tuple[str, Session]]:
        return ((name, session) for name, c in self.customers.items() for session in c.sessions.values())

    def held_by(self, node: str) -> list[tuple[str, Session]]:
        return [(name, session) for name, session in self.everyone() if session.node == node]

    def forget(self, node: str) -> None:
        self.nodes.pop(node, None)
        self.orders.pop(node, None)

    def order(self, node: str, **fields: object) -> int:
        """Writes an order for a node that is known; its number, or 0."""
        if node not in self.nodes:
            return 0
        self.orders_written += 1
        order = Order(number=self.orders_written, **fields)  # type: ignore[arg-type] # compared with the store's
        self.orders.setdefault(node, []).append(order)
        return order.number

    def bury(self, session: str) -> None:
        self.tombs[session] = self.now_ms + self.options.tomb_ms

    def cool(self, key: tuple[str, ...], cooldown_ms: int) -> None:
        if cooldown_ms > 0:
            self.cooldowns[key] = max(self.cooldowns.get(key, 0), self.now_ms + cooldown_ms)

    def believed_until_ms(self, session: Session) -> int:
        """Until when its client may believe in what it was told last."""
        if session.node:
            node_may_speak_until_ms = max(self.now_ms, self.nodes.get(session.node, 0))
            return node_may_speak_until_ms + self.options.client_lease_ms
        return min(session.until_ms, self.now_ms + self.options.client_lease_ms)

    def drain(self, name: str, session: Session, **order: object) -> int:
        """Ends a session by order: its seats count until nobody can believe in them any more."""
        session.until_ms = self.believed_until_ms(session)
        session.state, session.waiting = "draining", None
        self.bury(session.id)
        return self.order(session.node, customer=name, session=session.id, fence=session.fence, **order)

    def drop(self, name: str, session: Session, **outcome: bool) -> None:
        """The end of a session; whoever forced it out gets the receipt."""
        del self.customer(name).sessions[session.id]
        self.bury(session.id)
        if session.reply_to:
            self.order(session.reply_to, type="receipt", customer=name, session=session.id, **outcome)
