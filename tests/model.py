"""The rules of seats in plain Python: what the store must answer, told without Redis, indexes or scripts.

Written from the design's words. Everything is looked up in the sessions and licenses themselves: `used` is the number of
different holders in the sessions that live, whatever state they are in. Slow and obvious on purpose. One model stands for
one partition, so all its customers share the nodes, the tombs and the recovery window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from seatd.licensing.keys import LicenseKey
from seatd.store import values
from seatd.store.values import (
    Denied,
    Due,
    Gone,
    Granted,
    KickTarget,
    Opening,
    Order,
    OwnSession,
    Released,
    Want,
)
from seatd.store.verbs import StoreOptions
from seatd_protocol.messages import Device

SHOWN_SESSIONS = 8
ORDERS_PER_MS = 1000


class NodeLapsed(Exception):
    """The node asks without a lease."""


@dataclass(frozen=True)
class License:
    """A license as a key put it there."""

    id: str
    product: str
    kind: str
    limit: int
    overdraft: int
    from_ms: int
    till_ms: int
    domains: tuple[str, ...]
    jti: str
    iat: int


@dataclass(frozen=True)
class Held:
    """A seat of one session."""

    product: str
    license: str
    kind: str
    holder: str
    since_ms: int
    overdraft: bool


@dataclass
class Session:
    """A session. `node` is empty when no node answers for it; `until_ms` is 0 while it is attached."""

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

    def products(self) -> set[str]:
        return {seat.product for seat in self.seats}


@dataclass
class Customer:
    """What belongs to one customer. `assigned` holds pairs of license id and user."""

    licenses: dict[str, License] = field(default_factory=dict)
    assigned: set[tuple[str, str]] = field(default_factory=set)
    sessions: dict[str, Session] = field(default_factory=dict)

    def holders(self, license: str) -> set[str]:
        """Who is counted against a license."""
        return {
            seat.holder
            for session in self.sessions.values()
            for seat in session.seats
            if seat.license == license
        }

    def of(self, user: str) -> list[Session]:
        """A user's sessions, by id."""
        return sorted((s for s in self.sessions.values() if s.user == user), key=lambda session: session.id)

    def assignments(self, license: str) -> int:
        return sum(1 for id_, _ in self.assigned if id_ == license)


class Model:
    """One partition. `now_ms` is set by whoever drives it."""

    def __init__(self, options: StoreOptions, now_ms: int) -> None:
        self.options = options
        self.now_ms = now_ms
        self.epoch = now_ms
        self.recover_until_ms = 0
        self.orders_written = now_ms * ORDERS_PER_MS
        self.customers: dict[str, Customer] = {}
        self.nodes: dict[str, int] = {}
        self.orders: dict[str, list[Order]] = {}
        self.tombs: dict[str, int] = {}
        self.cooldowns: dict[tuple[str, ...], int] = {}

    def customer(self, name: str) -> Customer:
        return self.customers.setdefault(name, Customer())

    # -- a session's life -------------------------------------------------------------------------

    def open(self, name: str, node: str, opening: Opening) -> Granted | Denied | Gone:
        self._must_have_lease(node)
        customer = self.customer(name)
        known = customer.sessions.get(opening.session)
        if known:
            same = (known.secret, known.node, known.state) == (opening.secret, node, "attached")
            return self._granted(customer, known) if same else Gone(reason="superseded")
        if opening.session in self.tombs:
            return Gone(reason="ended")
        denial = self._refusal(name, customer, opening)
        if denial:
            return denial
        seats = self._plan(customer, opening.user, opening.domain, [], opening.need, opening.want)
        if isinstance(seats, Denied):
            return seats
        older = [
            s for s in customer.of(opening.user) if s.device.id == opening.device.id and s.state != "draining"
        ]
        session = Session(
            id=opening.session,
            user=opening.user,
            domain=opening.domain,
            device=opening.device,
            secret=opening.secret,
            node=node,
            since_ms=self.now_ms,
            seats=seats,
        )
        customer.sessions[session.id] = session
        for replaced in older:
            if replaced.state == "attached":
                self._drain(name, replaced, type="superseded")
            else:
                self._drop(name, replaced)
        return self._granted(customer, session)

    def attach(self, name: str, node: str, *, session: str, secret: str, user: str) -> Granted | Gone:
        self._must_have_lease(node)
        customer = self.customer(name)
        found = customer.sessions.get(session)
        if found is None or found.state == "draining":
            return Gone(reason="ended" if session in self.tombs else "unknown")
        if (found.secret, found.user) != (secret, user):
            return Gone(reason="unknown")
        if found.node != node:
            self._order(found.node, type="superseded", customer=name, session=session, fence=found.fence)
        found.state, found.node, found.until_ms = "attached", node, 0
        found.fence += 1
        return replace_resumed(self._granted(customer, found))

    def acquire(
        self, name: str, *, session: str, fence: int, need: Sequence[Want]
    ) -> Granted | Denied | Gone:
        customer = self.customer(name)
        found = self._live(customer, session, fence)
        if isinstance(found, Gone):
            return found
        if self.recovering:
            return self._recovering()
        if denial := self._cooling(name, found.user, found.device.id):
            return denial
        seats = self._plan(customer, found.user, found.domain, found.seats, need, ())
        if isinstance(seats, Denied):
            return seats
        found.seats += seats
        return self._granted(customer, found)

    def release(self, name: str, *, session: str, fence: int, products: Sequence[str]) -> Released | Gone:
        customer = self.customer(name)
        found = self._live(customer, session, fence)
        if isinstance(found, Gone):
            return found
        given_back = tuple(seat.product for seat in found.seats if seat.product in products)
        found.seats = [seat for seat in found.seats if seat.product not in products]
        return Released(products=given_back, seats=self._shown(customer, found))

    def park(self, name: str, node: str, *, session: str, fence: int | None) -> bool:
        found = self.customer(name).sessions.get(session)
        if (
            found is None
            or found.state != "attached"
            or found.node != node
            or fence not in (None, found.fence)
        ):
            return False
        self._park(found, self.now_ms + self.options.linger_ms)
        return True

    def close(
        self, name: str, *, session: str, fence: int, delivered: bool = False, acknowledged: bool = False
    ) -> bool:
        found = self.customer(name).sessions.get(session)
        if found is None:
            self._bury(session)
            return False
        if found.fence != fence:
            return False
        self._drop(name, found, delivered=delivered, acknowledged=acknowledged, closed=True)
        return True

    # -- nodes ------------------------------------------------------------------------------------

    def beat(self, node: str, *, done: int, joined: bool, leave: bool = False) -> values.Beat:
        lapsed = joined and self.nodes.get(node, 0) < self.now_ms
        self.orders[node] = [order for order in self.orders.get(node, ()) if order.number > done]
        if not leave:
            self.nodes[node] = self.now_ms + self.options.node_lease_ms
        elif self._held_by(node):
            self.nodes[node] = self.now_ms
        else:
            self._forget(node)
        orders = tuple(self.orders.get(node, ()))
        due = [
            Due(customer=name, session=session.id)
            for name, session in self._all()
            if session.state != "attached" and session.until_ms <= self.now_ms
        ]
        for lost in [name for name, end_ms in self.nodes.items() if end_ms < self.now_ms]:
            held = self._held_by(lost)
            due += [Due(customer=name, session=session.id, node=lost) for name, session in held]
            if not held:
                self._forget(lost)
        self.tombs = {key: until for key, until in self.tombs.items() if until > self.now_ms}
        self.cooldowns = {key: until for key, until in self.cooldowns.items() if until > self.now_ms}
        return values.Beat(
            epoch=self.epoch,
            now_ms=self.now_ms,
            recover_until_ms=self.recover_until_ms,
            lapsed=lapsed,
            orders=orders,
            due=tuple(due),
            more=False,
        )

    def sweep(self, name: str, due: Iterable[Due]) -> tuple[list[str], list[str]]:
        parked: list[str] = []
        ended: list[str] = []
        for item in () if self.recovering else due:
            session = self.customer(name).sessions.get(item.session)
            if session is None:
                continue
            if session.node and not self._has_lease(session.node):
                if session.state == "attached":
                    self._park(session, self.nodes.get(session.node, self.now_ms) + self.options.linger_ms)
                    parked.append(session.id)
                session.node = ""
            if session.state != "attached" and session.until_ms <= self.now_ms:
                self._drop(name, session)
                ended.append(session.id)
        return parked, ended

    def reassert(self, name: str, node: str, held: Mapping[str, int]) -> list[str]:
        lost = []
        for id_, fence in held.items():
            session = self.customer(name).sessions.get(id_)
            if session and session.fence == fence and session.state == "parked":
                session.state, session.node, session.until_ms = "attached", node, 0
            elif session is None or (session.fence, session.node) != (fence, node):
                lost.append(id_)
        return lost

    def kick(
        self,
        name: str,
        target: KickTarget,
        *,
        message: str,
        by: str,
        cooldown_ms: int,
        reply_to: str,
        code: str = "forced",
        order_type: str = "logout",
    ) -> list[values.KickedSession]:
        matched = [s for s in self._matched(name, target) if s.state != "draining"]
        if target.user and not target.session:
            self._cool((name, target.user), cooldown_ms)
        kicked = []
        for session in matched:
            cooled = (name, session.user, session.device.id) if target.session else (name, session.user)
            self._cool(cooled, cooldown_ms)
            session.reply_to = reply_to
            node = session.node
            told = {"code": code, "message": message, "by": by, "cooldown_s": -(-cooldown_ms // 1000)}
            order = self._drain(name, session, type=order_type, **told)
            kicked.append(
                values.KickedSession(
                    session=session.id, user=session.user, device=session.device, node=node, order=order
                )
            )
        return kicked

    def lose_identity(self) -> None:
        """Another server speaks for the data: its last writes may be missing."""
        self.epoch = max(self.epoch + 1, self.now_ms)
        self.recover_until_ms = self.now_ms + self.options.recovery_ms
        self.orders_written = self.epoch * ORDERS_PER_MS

    # -- the registry -----------------------------------------------------------------------------

    def put_license(self, key: LicenseKey, *, dry_run: bool = False) -> values.Imported:
        elsewhere = [
            entry.id
            for name, other in sorted(self.customers.items())
            if name != key.customer.id
            for entry in key.licenses
            if entry.id in other.licenses
        ]
        if elsewhere:
            return values.Imported(status="other_customer", faulty=tuple(elsewhere))
        licenses = self.customer(key.customer.id).licenses
        standing = {entry.id: licenses[entry.id] for entry in key.licenses if entry.id in licenses}
        added = tuple(entry.id for entry in key.licenses if entry.id not in standing)
        replaced = tuple(id_ for id_, license in standing.items() if license.jti != key.jti)
        if not added and not replaced:
            return values.Imported(status="already_imported")
        older = tuple(id_ for id_ in replaced if standing[id_].iat > key.iat)
        if older:
            return values.Imported(status="older_key", faulty=older)
        if not dry_run:
            licenses |= {entry.id: _license(key, entry.id) for entry in key.licenses}
        return values.Imported(status="imported", added=added, replaced=replaced)

    def drop_license(self, name: str, license: str) -> bool:
        customer = self.customer(name)
        customer.assigned = {pair for pair in customer.assigned if pair[0] != license}
        return customer.licenses.pop(license, None) is not None

    def assign(
        self, name: str, license: str, user: str, *, domain: str, combine: str = "sum"
    ) -> values.Assigned:
        customer = self.customer(name)
        found = customer.licenses.get(license)
        if found is None:
            return values.Assigned(status="unknown_license")
        if found.kind != "nominal":
            return values.Assigned(status="not_nominal")
        if domain not in found.domains:
            return values.Assigned(status="wrong_domain")
        counted = [found]
        if combine == "max":
            counted = [
                other
                for other in customer.licenses.values()
                if (other.product, other.kind) == (found.product, "nominal")
            ]
        limit = max(other.limit for other in counted)
        used = sum(customer.assignments(other.id) for other in counted)
        if (license, user) in customer.assigned:
            return values.Assigned(status="already", limit=limit, used=used)
        if used >= limit:
            return values.Assigned(status="full", limit=limit, used=used)
        customer.assigned.add((license, user))
        return values.Assigned(status="assigned", limit=limit, used=used + 1)

    def unassign(self, name: str, license: str, user: str) -> bool:
        assigned = self.customer(name).assigned
        known = (license, user) in assigned
        assigned.discard((license, user))
        return known

    # -- which seat -------------------------------------------------------------------------------

    def offers(self, customer: Customer, domain: str, product: str) -> list[License]:
        """The licenses of a product that cover a domain, in the order they are drawn on."""
        covering = [
            license
            for license in customer.licenses.values()
            if license.product == product and domain in license.domains
        ]
        return sorted(covering, key=lambda license: (len(license.domains), license.till_ms, license.id))

    def _plan(
        self,
        customer: Customer,
        user: str,
        domain: str,
        held: Sequence[Held],
        need: Sequence[Want],
        want: Sequence[Want],
    ) -> list[Held] | Denied:
        has, drawn = {seat.product for seat in held}, []
        for wanted, must in [(item, True) for item in need] + [(item, False) for item in want]:
            if wanted.product in has:
                continue
            seat = self._choose(customer, wanted, user, domain)
            if isinstance(seat, Held):
                drawn.append(seat)
                has.add(seat.product)
            elif must:
                shown = self._own(customer, user) if seat.code == "no_seat" else ()
                return Denied(
                    code=seat.code, product=seat.product, limit=seat.limit, used=seat.used, holders=shown
                )
        return drawn

    def _choose(self, customer: Customer, want: Want, user: str, domain: str) -> Held | Denied:
        offers = self.offers(customer, domain, want.product)
        if not offers:
            return Denied(code=want.missing, product=want.product)
        valid = [license for license in offers if license.from_ms <= self.now_ms < license.till_ms]
        if not valid:
            to_come = any(self.now_ms < license.from_ms for license in offers)
            code = "license_not_yet_valid" if to_come else "license_expired"
            return Denied(code=code, product=want.product)
        if want.max_per_user:
            others = self._devices(customer, user, want)
            if len(others) >= want.max_per_user:
                return _no_seat(want, want.max_per_user, len(others))
        named = [x for x in valid if x.kind == "nominal" and (x.id, user) in customer.assigned]
        for license in named:
            # Of a product that counts devices, an assignment is good for one device.
            mine = {holder for holder in customer.holders(license.id) if holder.startswith(f"{user}/")}
            if not want.devices or mine <= {want.holder}:
                return self._seat(customer, license, want)
        return self._competitive_seat(customer, valid, want, named=bool(named))

    def _competitive_seat(
        self, customer: Customer, valid: list[License], want: Want, *, named: bool
    ) -> Held | Denied:
        pool = [license for license in valid if license.kind == "competitive"]
        for license in pool:
            if want.holder in customer.holders(license.id):
                return self._seat(customer, license, want)
        if not pool:
            return _no_seat(want, 1, 1) if named else Denied(code="not_assigned", product=want.product)
        used = {license.id: len(customer.holders(license.id)) for license in pool}
        in_use = sum(used.values())
        if want.combine == "max":
            largest = max(license.limit for license in pool)
            pool = [next(license for license in pool if license.limit == largest)]
            used = {pool[0].id: in_use}
        for license in pool:
            if used[license.id] < license.limit:
                return self._seat(customer, license, want)
        for license in pool:
            if used[license.id] < license.limit + license.overdraft:
                return self._seat(customer, license, want, overdraft=True)
        return _no_seat(want, sum(license.limit for license in pool), in_use)

    def _seat(self, customer: Customer, license: License, want: Want, *, overdraft: bool = False) -> Held:
        shared = [
            seat
            for session in customer.sessions.values()
            for seat in session.seats
            if (seat.license, seat.holder) == (license.id, want.holder)
        ]
        return Held(
            product=want.product,
            license=license.id,
            kind=license.kind,
            holder=want.holder,
            since_ms=self.now_ms,
            overdraft=overdraft or any(seat.overdraft for seat in shared),
        )

    def _devices(self, customer: Customer, user: str, want: Want) -> set[str]:
        """The user's other devices that hold the product."""
        return {
            seat.holder
            for session in customer.of(user)
            for seat in session.seats
            if seat.product == want.product and seat.holder != want.holder
        }

    # -- what the verbs share ---------------------------------------------------------------------

    @property
    def recovering(self) -> bool:
        return self.now_ms < self.recover_until_ms

    def _refusal(self, name: str, customer: Customer, opening: Opening) -> Denied | None:
        if self.recovering and (opening.need or opening.want):
            return self._recovering()
        denial = self._cooling(name, opening.user, opening.device.id)
        if denial and not opening.unseated:
            return denial
        stay = [
            session
            for session in customer.of(opening.user)
            if session.device.id != opening.device.id or session.state == "draining"
        ]
        if len(stay) >= opening.per_user:
            own = self._own(customer, opening.user)
            return Denied(code="device_not_allowed", limit=opening.per_user, used=len(stay), holders=own)
        return None

    def _cooling(self, name: str, user: str, device: str) -> Denied | None:
        until_ms = max(self.cooldowns.get(key, 0) for key in ((name, user), (name, user, device)))
        left_ms = until_ms - self.now_ms
        return Denied(code="cooldown", retry_after_ms=left_ms) if left_ms > 0 else None

    def _recovering(self) -> Denied:
        return Denied(code="recovering", retry_after_ms=self.recover_until_ms - self.now_ms)

    def _live(self, customer: Customer, session: str, fence: int) -> Session | Gone:
        found = customer.sessions.get(session)
        if found is None:
            return Gone(reason="unknown")
        if found.fence != fence or found.state != "attached":
            return Gone(reason="superseded")
        return found

    def _park(self, session: Session, until_ms: int) -> None:
        session.state, session.node, session.until_ms = "parked", "", until_ms

    def _drain(self, name: str, session: Session, **order: object) -> int:
        if session.state == "attached":
            node_may_speak_until_ms = max(self.now_ms, self.nodes.get(session.node, 0))
            session.until_ms = node_may_speak_until_ms + self.options.client_lease_ms
        else:
            session.until_ms = min(session.until_ms, self.now_ms + self.options.client_lease_ms)
        session.state = "draining"
        self._bury(session.id)
        return self._order(session.node, customer=name, session=session.id, fence=session.fence, **order)

    def _drop(self, name: str, session: Session, **outcome: bool) -> None:
        del self.customer(name).sessions[session.id]
        self._bury(session.id)
        if session.reply_to:
            self._order(session.reply_to, type="receipt", customer=name, session=session.id, **outcome)

    def _order(self, node: str, **fields: object) -> int:
        if node not in self.nodes:
            return 0
        self.orders_written += 1
        order = Order(number=self.orders_written, **fields)  # type: ignore[arg-type] # checked against the store's
        self.orders.setdefault(node, []).append(order)
        return order.number

    def _bury(self, session: str) -> None:
        self.tombs[session] = self.now_ms + self.options.tomb_ms

    def _cool(self, key: tuple[str, ...], cooldown_ms: int) -> None:
        if cooldown_ms > 0:
            self.cooldowns[key] = max(self.cooldowns.get(key, 0), self.now_ms + cooldown_ms)

    def _has_lease(self, node: str) -> bool:
        return self.nodes.get(node, 0) >= self.now_ms

    def _must_have_lease(self, node: str) -> None:
        if not self._has_lease(node):
            raise NodeLapsed(node)

    def _all(self) -> Iterable[tuple[str, Session]]:
        return ((name, session) for name, c in self.customers.items() for session in c.sessions.values())

    def _held_by(self, node: str) -> list[tuple[str, Session]]:
        return [(name, session) for name, session in self._all() if session.node == node]

    def _forget(self, node: str) -> None:
        self.nodes.pop(node, None)
        self.orders.pop(node, None)

    def _matched(self, name: str, target: KickTarget) -> list[Session]:
        sessions = sorted(self.customer(name).sessions.values(), key=lambda s: (s.user, s.id))
        if target.session:
            return [s for s in sessions if s.id == target.session and target.user in (None, s.user)]
        if target.user:
            return [s for s in sessions if s.user == target.user]
        if target.license:
            return [s for s in sessions if any(seat.license == target.license for seat in s.seats)]
        if target.domain:
            return [s for s in sessions if s.domain == target.domain]
        return sessions if target.everyone else []

    def _granted(self, customer: Customer, session: Session) -> Granted:
        return Granted(session=session.id, fence=session.fence, seats=self._shown(customer, session))

    def _shown(self, customer: Customer, session: Session) -> tuple[values.Seat, ...]:
        return tuple(self._shown_seat(customer, seat) for seat in session.seats)

    def _shown_seat(self, customer: Customer, seat: Held) -> values.Seat:
        license = customer.licenses.get(seat.license)
        return values.Seat(
            product=seat.product,
            license=seat.license,
            kind=seat.kind,  # type: ignore[arg-type] # one of the two words
            holder=seat.holder,
            since_ms=seat.since_ms,
            until_ms=license.till_ms if license else 0,
            overdraft=seat.overdraft,
        )

    def _own(self, customer: Customer, user: str) -> tuple[OwnSession, ...]:
        return tuple(
            OwnSession(session=s.id, device=s.device, since_ms=s.since_ms, seats=self._shown(customer, s))
            for s in customer.of(user)[:SHOWN_SESSIONS]
        )


def replace_resumed(granted: Granted) -> Granted:
    return Granted(session=granted.session, fence=granted.fence, seats=granted.seats, resumed=True)


def _no_seat(want: Want, limit: int, used: int) -> Denied:
    return Denied(code="no_seat", product=want.product, limit=limit, used=used)


def _license(key: LicenseKey, id_: str) -> License:
    entry = next(entry for entry in key.licenses if entry.id == id_)
    return License(
        id=entry.id,
        product=entry.product,
        kind=entry.kind,
        limit=entry.limit,
        overdraft=entry.overdraft,
        from_ms=entry.valid_from_ms,
        till_ms=entry.valid_till_ms,
        domains=key.domains,
        jti=key.jti,
        iat=key.iat,
    )
