"""The rules of seats in plain Python: what the store must answer, told without Redis, indexes or scripts.

Written from the design's words. Everything is looked up in the sessions and licenses themselves: `used` is the number of
different holders in the sessions that live, whatever state they are in. Slow and obvious on purpose. One model stands for
one partition, so all its customers share the nodes, the tombs and the recovery window.

The verbs are called like those of the store and answer with the same values. `model_state` has what is remembered,
`model_seats` which seat is drawn, `model_registry` the administrators' verbs, `model_queue` who waits, `model_policies` what
becomes of seats whose license goes, `model_nodes` what nodes do, and this file sessions.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from seatd.store.values import (
    Denied,
    Gone,
    Granted,
    Opening,
    Queued,
    Released,
    Want,
)
from tests.model_nodes import NodeLapsed, Nodes
from tests.model_seats import own_sessions
from tests.model_state import Customer, Session
from tests.model_state import Held as HeldSeat


class Recovering(NodeLapsed):
    """Only the end of the recovery window can tell."""


class Model(Nodes):
    """What a session asks for."""

    def open(self, name: str, node: str, opening: Opening) -> Granted | Queued | Denied | Gone:
        self._must_have_lease(node)
        customer = self.customer(name)
        known = customer.sessions.get(opening.session)
        if known:
            return self._opened_before(name, node, known, opening)
        if opening.session in self.tombs:
            return Gone(reason="ended")
        older = [
            session
            for session in customer.of(opening.user)
            if session.device.id == opening.device.id and session.state != "draining"
        ]
        before, lacked = _place_before(older, opening)
        keeps_place = self.recovering and opening.wait and before is not None
        if denial := self._refusal(name, customer, opening, keeps_place=keeps_place):
            return denial
        session = Session(
            id=opening.session,
            user=opening.user,
            domain=opening.domain,
            device=opening.device,
            secret=opening.secret,
            node=node,
            since_ms=self.now_ms,
            seats=[],
            need=tuple(want.product for want in opening.need),
            groups=opening.groups,
        )
        drawn: list[HeldSeat] | Denied = Denied(code="no_seat", product=lacked)
        if not keeps_place:
            drawn, drawing = self.draw_behind(name, session, opening.need, opening.want, opening.priority)
        if isinstance(drawn, Denied):
            full = before is None and len(self.queue(name)) >= opening.queue_limit
            if drawn.code != "no_seat" or not opening.wait or full:
                return self._in_vain(name, session, drawn, wait=opening.wait)
            session.state = "waiting"
            self.enqueue(
                session,
                opening.need,
                opening.want,
                product=drawn.product or "",
                priority=opening.priority,
                number=before,
            )
        with self.handing_on(name):
            if not isinstance(drawn, Denied):
                self.take(name, session, drawn, drawing)
            customer.sessions[session.id] = session
            for replaced in older:
                told = {"customer": name, "session": replaced.id, "fence": replaced.fence}
                self.order(replaced.node, type="superseded", **told)
                self.drop(name, replaced)
        return self.place(name, session.id) if session.waiting else _granted(customer, session)

    def _opened_before(
        self, name: str, node: str, known: Session, opening: Opening
    ) -> Granted | Queued | Gone:
        if (known.secret, known.node) == (opening.secret, node):
            if known.state == "attached":
                return _granted(self.customer(name), known)
            if known.waiting:
                return self.place(name, known.id)
        return Gone(reason="superseded")

    def attach(self, name: str, node: str, *, session: str, secret: str, user: str) -> Granted | Gone:
        self._must_have_lease(node)
        customer = self.customer(name)
        found = customer.sessions.get(session)
        if found is None and self.recovering and session not in self.tombs:
            raise Recovering(session)  # the store may have lost it, and be told of it yet
        if found is None or found.state in ("draining", "waiting"):
            return Gone(reason="ended" if session in self.tombs else "unknown")
        if (found.secret, found.user) != (secret, user):
            return Gone(reason="unknown")
        if self.recovering and found.state == "parked" and found.until_ms < self.old_until_ms:
            raise Recovering(session)
        if found.node != node:
            self.order(found.node, type="superseded", customer=name, session=session, fence=found.fence)
        found.fence += 1000 if self.recovering else 1
        with self.handing_on(name):
            found.state, found.node, found.until_ms, found.waiting = "attached", node, 0, None
        return _granted(customer, found, resumed=True)

    def acquire(
        self,
        name: str,
        *,
        session: str,
        fence: int,
        need: Sequence[Want],
        groups: tuple[str, ...] = (),
        ref: int = 0,
        wait: bool = False,
        priority: int = 0,
        queue_limit: int = 200,
    ) -> Granted | Queued | Denied | Gone:
        customer = self.customer(name)
        found = _live(customer, session, fence)
        if isinstance(found, Gone):
            return found
        self._must_have_lease(found.node)
        if self.recovering:
            return self._recovering()
        if denial := self._cooling(name, found.user, found.device.id):
            return denial
        with self.handing_on(name):
            if wait:
                found.waiting = None
            found.groups = groups
            drawn, drawing = self.draw_behind(name, found, need, (), priority)
            queued = wait and len(self.queue(name)) < queue_limit
            if not isinstance(drawn, Denied):
                self.take(name, found, drawn, drawing)
            elif drawn.code == "no_seat" and queued:
                self.enqueue(found, need, (), product=drawn.product or "", priority=priority, ref=ref)
                drawn = []
        if isinstance(drawn, Denied):
            return self._in_vain(name, found, drawn, wait=wait)
        waits = wait and found.waiting
        return self.place(name, session) if waits else _granted(customer, found)

    def release(self, name: str, *, session: str, fence: int, products: Sequence[str]) -> Released | Gone:
        customer = self.customer(name)
        found = _live(customer, session, fence)
        if isinstance(found, Gone):
            return found
        given_back = tuple(seat.product for seat in found.seats if seat.product in products)
        kept = [seat for seat in found.seats if seat.product not in products]
        with self.handing_on(name):
            found.seats = list(kept)
        return Released(products=given_back, seats=customer.shown_all(kept))

    def park(
        self, name: str, node: str, *, session: str, fence: int | None, secret: str | None = None
    ) -> bool:
        found = self.customer(name).sessions.get(session)
        if found is None or found.state == "draining" or not found.node or found.node != node:
            return False
        if fence != found.fence and (fence is not None or secret != found.secret):
            return False
        with self.handing_on(name):
            found.park(self.now_ms + self.options.linger_ms)
        return True

    def close(self, name: str, *, session: str, fence: int, **told: bool) -> bool:
        found = self.customer(name).sessions.get(session)
        if found is None:
            self.bury(session)
            return False
        if found.fence != fence:
            return False
        with self.handing_on(name):
            self.drop(name, found, closed=True, **told)
        return True

    # -- who is refused ---------------------------------------------------------------------------

    def _in_vain(self, name: str, who: Session, denial: Denied, *, wait: bool) -> Denied:
        """A denial as it is told: with how many wait, and for want of a seat with the user's own sessions."""
        full = wait and denial.code == "no_seat"
        told = {"waiting": len(self.queue(name)) or None, "code": "queue_full" if full else denial.code}
        holders = () if full or denial.code != "no_seat" else own_sessions(self.customer(name), who.user)
        return msgspec.structs.replace(denial, holders=holders, **told)

    def _refusal(
        self, name: str, customer: Customer, opening: Opening, *, keeps_place: bool
    ) -> Denied | None:
        if self.recovering and (opening.need or opening.want) and not keeps_place:
            return self._recovering()
        denial = self._cooling(name, opening.user, opening.device.id)
        if denial and not opening.unseated:
            return denial
        stay = [
            session
            for session in customer.of(opening.user)
            if session.device.id != opening.device.id or session.state == "draining"
        ]
        if len(stay) < opening.per_user:
            return None
        own = own_sessions(customer, opening.user)
        return Denied(code="device_not_allowed", limit=opening.per_user, used=len(stay), holders=own)

    def _cooling(self, name: str, user: str, device: str) -> Denied | None:
        until_ms = max(self.cooldowns.get(key, 0) for key in ((name, user), (name, user, device)))
        left_ms = until_ms - self.now_ms
        return Denied(code="cooldown", retry_after_ms=left_ms) if left_ms > 0 else None

    def _recovering(self) -> Denied:
        return Denied(code="recovering", retry_after_ms=min(self.recover_until_ms - self.now_ms, 5_000))


def _place_before(older: list[Session], opening: Opening) -> tuple[int | None, str]:
    """The place of a client whose connection broke while it waited for the same, and what it lacked."""
    for session in older:
        waiting = session.waiting if session.state == "waiting" else None
        asked = (opening.priority, {want.product for want in opening.need})
        if waiting and (waiting.priority, waiting.products) == asked:
            return waiting.number, waiting.product
    return None, ""


def _live(customer: Customer, session: str, fence: int) -> Session | Gone:
    found = customer.sessions.get(session)
    if found is None:
        return Gone(reason="unknown")
    if found.fence != fence or found.state != "attached":
        return Gone(reason="superseded")
    return found


def _granted(customer: Customer, session: Session, *, resumed: bool = False) -> Granted:
    granted = Granted(session=session.id, fence=session.fence, seats=customer.shown(session))
    if not resumed:
        return granted
    return msgspec.structs.replace(
        granted,
        resumed=True,
        device=session.device,
        need=session.need,
        busy=session.busy,
        losing=session.losing.order if session.losing else None,
    )
