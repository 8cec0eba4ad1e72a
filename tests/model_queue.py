"""The queue, in the model: who is next, what is promised to whom, and how a freed seat is handed on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from seatd.licensing.keys import LicenseKey
from seatd.store.registry_values import Assigned, Imported
from seatd.store.values import Denied, Places, Queued, Want
from seatd_protocol.messages import Seat
from tests.model_registry import Registry
from tests.model_seats import Drawing
from tests.model_state import Customer, Held, Session, Waiting


class Line(Registry):
    """One queue for each customer: by priority, then by arrival."""

    def queue(self, name: str) -> list[Session]:
        """All who wait, in order."""
        return [session for session, _ in _in_order(self.customer(name))]

    def line(self, name: str) -> list[tuple[Session, Waiting]]:
        """Those who can be served: a node speaks for them."""
        return [(s, waiting) for s, waiting in _in_order(self.customer(name)) if self.has_lease(s.node)]

    # -- administrators: what they change may be of use to somebody in line ---------------------------

    def put_license(self, key: LicenseKey, *, dry_run: bool = False) -> Imported:
        imported = super().put_license(key, dry_run=dry_run)
        if not dry_run and imported.status != "other_customer":
            self._settle(key.customer.id)
        return imported

    def drop_license(self, name: str, license: str) -> bool:
        dropped = super().drop_license(name, license)
        self._settle(name)
        return dropped

    def assign(self, name: str, license: str, user: str, *, domain: str, combine: str = "sum") -> Assigned:
        assigned = super().assign(name, license, user, domain=domain, combine=combine)
        self._settle(name)
        return assigned

    # -- verbs ------------------------------------------------------------------------------------

    def serve(self, name: str) -> Places:
        self._settle(name)
        return Places(places=tuple(self.places(name)), recovering=self.recovering)

    def leave_queue(self, name: str, *, session: str, fence: int) -> tuple[Seat, ...] | None:
        customer = self.customer(name)
        found = customer.sessions.get(session)
        if found is None or found.fence != fence:
            return None
        if found.waiting is None:
            return customer.shown(found)
        with self.handing_on(name):
            found.waiting = None
            if found.state == "waiting":
                self.drop(name, found)
        return None

    # -- places -----------------------------------------------------------------------------------

    def places(self, name: str) -> list[Queued]:
        """Where everybody stands among those who want what he lacks."""
        line = self.line(name)
        return [
            Queued(
                session=session.id,
                product=waiting.product,
                position=sum(1 for _, other in line[:number] if waiting.product in other.products),
                member=member(session, waiting),
                ref=waiting.ref,
            )
            for number, (session, waiting) in enumerate(line, 1)
        ]

    def place(self, name: str, session: str) -> Queued:
        (place,) = [place for place in self.places(name) if place.session == session]
        return place

    def enqueue(
        self,
        session: Session,
        need: Sequence[Want],
        want: Sequence[Want],
        *,
        product: str,
        priority: int,
        ref: int | None = None,
        number: int | None = None,
    ) -> None:
        """To the end of its priority, or to the place (`number`) that it had before."""
        if number is None:
            self.arrivals += 1
            number = self.arrivals
        session.waiting = Waiting(number, tuple(need), tuple(want), product, priority, ref)

    # -- who may have what ------------------------------------------------------------------------

    def draw_behind(
        self, name: str, who: Session, need: Sequence[Want], want: Sequence[Want], priority: int
    ) -> tuple[list[Held] | Denied, Drawing]:
        """What a newcomer may have: nothing that is promised to those ahead of him."""
        drawing = self._drawing(name, who, [])
        seats = drawing.draw(who.seats, need, want)
        if isinstance(seats, Denied):
            return seats, drawing
        promised: list[Held] = []
        for other, waiting in self.line(name):
            if other.id != who.id and waiting.priority >= priority:
                promised += self._meant_for(name, other, waiting, promised)
        drawing = self._drawing(name, who, promised)
        return drawing.draw(who.seats, need, want), drawing

    def take(self, name: str, session: Session, seats: list[Held], drawing: Drawing) -> None:
        """A session gets seats; sessions on older devices end where the rule says that it takes their place."""
        session.seats += seats
        for other in [other for seat in seats for other in drawing.displaced.get(seat.product, ())]:
            if other.state != "draining":
                self.drain(name, other, type="superseded")

    def _meant_for(self, name: str, session: Session, waiting: Waiting, promised: list[Held]) -> list[Held]:
        """All that a waiter could have now, or what of it there is."""
        drawing = self._drawing(name, session, promised)
        seats = drawing.draw(session.seats, waiting.need, waiting.want)
        if not isinstance(seats, Denied):
            return seats
        return drawing.free(session.seats, waiting.need) if seats.code == "no_seat" else []

    def _drawing(self, name: str, who: Session, promised: Sequence[Held]) -> Drawing:
        return Drawing(self.customer(name), who, self.now_ms, promised)

    # -- handing on -------------------------------------------------------------------------------

    @contextmanager
    def handing_on(self, name: str) -> Iterator[None]:
        """What is done inside may free something; then those in line are served."""
        before = self._occupied(name)
        yield
        if before - self._occupied(name):
            self._settle(name)

    def _occupied(self, name: str) -> set[tuple[object, ...]]:
        customer = self.customer(name)
        seats = {(seat.license, seat.holder) for seat in customer.counted()}
        return seats | {
            token
            for session, waiting in _in_order(customer)
            for token in ((session.id, waiting.number), *((("line", session.id),) if session.node else ()))
        }

    def _settle(self, name: str) -> None:
        if self.recovering:
            return
        promised: list[Held] = []
        line = self.line(name)
        for session, waiting in line:
            if session.state == "draining":
                continue
            drawing = self._drawing(name, session, promised)
            seats = drawing.draw(session.seats, waiting.need, waiting.want)
            if not isinstance(seats, Denied):
                self.take(name, session, seats, drawing)
                self._served(name, session, waiting)
            elif seats.code == "no_seat":
                promised += drawing.free(session.seats, waiting.need)
            else:
                session.waiting = None
                told = {"ref": waiting.ref, "code": seats.code, "product": seats.product}
                self._tell(name, session, type="refused", **told)
        if any(session.state == "draining" for session, _ in line):  # what was promised to it is free
            self._settle(name)

    def _served(self, name: str, session: Session, waiting: Waiting) -> None:
        session.state, session.waiting = "attached", None
        shown = self.customer(name).shown(session)
        self._tell(name, session, type="granted", ref=waiting.ref, seats=shown)

    def _tell(self, name: str, session: Session, **order: object) -> None:
        self.order(session.node, customer=name, session=session.id, fence=session.fence, **order)


def member(session: Session, waiting: Waiting) -> str:
    """A place, as the store names it."""
    return f"{9 - waiting.priority}\0{waiting.number:016d}\0{session.id}"


def _in_order(customer: Customer) -> list[tuple[Session, Waiting]]:
    waiting = [(s, s.waiting) for s in customer.sessions.values() if s.waiting]
    return sorted(waiting, key=lambda pair: (-pair[1].priority, pair[1].number))
