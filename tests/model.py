"""The rules of seats in plain Python: what the store must answer, told without Redis, indexes or scripts.

Written from the design's words. Everything is looked up in the sessions and licenses themselves: `used` is the number of
different holders in the sessions that live, whatever state they are in. Slow and obvious on purpose. One model stands for
one partition, so all its customers share the nodes, the tombs and the recovery window.

The verbs are called like those of the store and answer with the same values. `model_state` has what is remembered,
`model_seats` which seat is drawn, `model_registry` the administrators' verbs, `model_queue` who waits, `model_policies` what
becomes of seats whose license goes, and this file sessions and nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from seatd.store.values import (
    Beat,
    Denied,
    Due,
    Ended,
    Gone,
    Granted,
    Held,
    KickedSession,
    KickTarget,
    Opening,
    Queued,
    Reasserted,
    Released,
    Swept,
    Want,
)
from tests.model_policies import Policies
from tests.model_seats import own_sessions
from tests.model_state import Customer, Session
from tests.model_state import Held as HeldSeat


class NodeLapsed(Exception):
    """The node asks without a lease."""


class Recovering(NodeLapsed):
    """Only the end of the recovery window can tell."""


class Model(Policies):
    """Sessions and nodes."""

    # -- a session's life -------------------------------------------------------------------------

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

    # -- nodes ------------------------------------------------------------------------------------

    def beat(self, node: str, *, done: int, joined: bool, leave: bool = False) -> Beat:
        lapsed = joined and not self.has_lease(node)
        self.orders[node] = [order for order in self.orders.get(node, ()) if order.number > done]
        if not leave:
            self.nodes[node] = self.now_ms + self.options.node_lease_ms
        elif self.held_by(node) or self.recovering:  # then it is waited for, and nobody reports here
            self.nodes[node] = self.now_ms
        else:
            self.forget(node)
        beat = Beat(
            epoch=self.epoch,
            now_ms=self.now_ms,
            wall_ms=self.now_ms,
            recover_until_ms=self.recover_until_ms,
            lapsed=lapsed,
            orders=tuple(self.orders.get(node, ())),
            due=tuple(self._due()),
            more=False,
        )
        self.tombs = {key: until for key, until in self.tombs.items() if until > self.now_ms}
        self.cooldowns = {key: until for key, until in self.cooldowns.items() if until > self.now_ms}
        return beat

    def _due(self) -> list[Due]:
        """What somebody has to look after; nodes that died and left nothing are forgotten on the way."""
        due = [
            Due(customer=name, session=session.id)
            for name, session in self.everyone()
            if (session.until_ms and session.until_ms <= self.now_ms)
            or (session.losing and session.losing.until_ms <= self.now_ms)
        ]
        for node in [name for name in self.nodes if not self.has_lease(name)]:
            held = self.held_by(node)
            due += [Due(customer=name, session=session.id, node=node) for name, session in held]
            if not held and not self.recovering:
                self.forget(node)
        return due

    def sweep(self, name: str, due: Iterable[Due]) -> Swept:
        parked: list[str] = []
        ended: list[Ended] = []
        with self.handing_on(name):
            self._sweep(name, () if self.recovering else due, parked, ended)
        return Swept(parked=tuple(parked), ended=tuple(ended))

    def _sweep(self, name: str, due: Iterable[Due], parked: list[str], ended: list[Ended]) -> None:
        for item in due:
            session = self.customer(name).sessions.get(item.session)
            if session is None:
                continue
            if session.node and not self.has_lease(session.node):
                if session.state != "draining":
                    session.disown()
                    session.park(self.nodes.get(session.node, self.now_ms) + self.options.linger_ms)
                if session.state == "parked":
                    parked.append(session.id)
                session.node = ""
            if session.losing and session.losing.until_ms <= self.now_ms:
                session.losing = None
            if session.until_ms and session.until_ms <= self.now_ms:
                self.drop(name, session)
                ended.append(Ended(session=session.id, fence=session.fence, user=session.user))

    def reassert(self, name: str, node: str, held: Sequence[Held]) -> Reasserted:
        if held:
            self._must_have_lease(node)
        lost = []
        for item in held:
            session = self.customer(name).sessions.get(item.session)
            if session and session.fence == item.fence and not session.node and session.state != "draining":
                session.state = "attached" if session.state == "parked" else session.state
                session.node, session.until_ms = node, 0
            elif self.recovering and item.session not in self.tombs and _is_behind(session, item.fence):
                continue
            elif session is None or (session.fence, session.node) != (item.fence, node):
                lost.append(item.session)
        return Reasserted(lost=tuple(lost), restored=())

    def kick(
        self,
        name: str,
        target: KickTarget,
        *,
        message: str,
        by: str,
        cooldown_ms: int,
        reply_to: str,
    ) -> list[KickedSession]:
        if target.user and not target.session:
            self.cool((name, target.user), cooldown_ms)
        kicked = []
        cooldown_s = -(-cooldown_ms // 1000)
        told = {"code": "forced", "message": message, "by": by, "cooldown_s": cooldown_s}
        with self.handing_on(name):
            for session in _matched(self.customer(name), target):
                one_device = (session.device.id,) if target.session else ()
                self.cool((name, session.user, *one_device), cooldown_ms)
                session.reply_to = reply_to
                whom = {"user": session.user, "device": one_device[0] if one_device else None}
                order = self.drain(name, session, type="logout", **told, **whom)
                out = KickedSession(
                    session=session.id,
                    user=session.user,
                    device=session.device,
                    node=session.node,
                    order=order,
                    fence=session.fence,
                )
                kicked.append(out)
        return kicked

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

    def _must_have_lease(self, node: str) -> None:
        if not self.has_lease(node):
            raise NodeLapsed(node)


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


def _matched(customer: Customer, target: KickTarget) -> list[Session]:
    """Whom a kick means, by user and session."""

    def means(session: Session) -> bool:
        if target.session:
            return session.id == target.session and target.user in (None, session.user)
        if target.user:
            return session.user == target.user
        if target.license:
            return any(seat.license == target.license for seat in session.seats)
        if target.domain:
            return session.domain == target.domain
        return target.everyone

    found = [s for s in customer.sessions.values() if s.state != "draining" and means(s)]
    return sorted(found, key=lambda session: (session.user, session.id))


def _is_behind(session: Session | None, fence: int) -> bool:
    """Whether the store may have lost what a node knows."""
    return session is None or session.fence < fence
