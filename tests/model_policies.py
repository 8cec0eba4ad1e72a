"""What becomes of seats whose license ends, shrinks or is withdrawn, in the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from seatd.store.values import Holder, Review
from tests.model_queue import Line
from tests.model_state import Customer, Held, License, Losing, Session

WARNINGS_MS = (300_000, 3_600_000, 86_400_000)
DEADLINE_S = 28_800
FORGET_MS = 60_000


class Policies(Line):
    """The verbs that carry out a license's policy."""

    def review(self, name: str, license: str) -> Review:
        customer = self.customer(name)
        found = customer.licenses.get(license) or customer.withdrawn.get(license)
        if found is None or self.recovering:
            return Review()
        if found.removed_ms is None:
            found = customer.licenses[license] = self._noted(name, found)
        elif not customer.holders(license):
            del customer.withdrawn[license]
        everybody = found.removed_ms is not None or self.now_ms >= found.till_ms
        if not everybody and found.narrowed_ms is None and found.lowered_ms is None:
            return Review()
        holders = [_holder(customer, found, holder) for holder in customer.holders(license)]
        holders.sort(key=lambda item: (not item.foreign, -item.since_ms, item.holder))
        excess = max(0, _excess(customer, found)) if found.lowered_ms is not None else 0
        return Review(everybody=everybody, excess=excess, holders=tuple(holders))

    def _noted(self, name: str, license: License) -> License:
        """The holders are warned in time, and what is over is forgotten."""
        left_ms = license.till_ms - self.now_ms
        stage = min((before for before in WARNINGS_MS if 0 < left_ms <= before), default=None)
        if stage is not None and (license.warned_ms is None or stage < license.warned_ms):
            license = replace(license, warned_ms=stage)
            told = {"license": license.id, "product": license.product, "until_ms": license.till_ms}
            for node in sorted(self.nodes, key=lambda node: (self.nodes[node], node)):
                if self.has_lease(node):
                    self.order(
                        node, type="notice", code="license_expiring", customer=name, session="", **told
                    )
        if _excess(self.customer(name), license) <= 0:
            license = replace(license, lowered_ms=None)
        since_ms = license.narrowed_ms
        if since_ms is not None and self.now_ms >= _last_ms(license, "on_remove", since_ms) + FORGET_MS:
            license = replace(license, narrowed_ms=None)
        return license

    def enforce(self, name: str, license: str, holders: Sequence[str], bases: Mapping[str, str]) -> int:
        customer = self.customer(name)
        found = customer.licenses.get(license) or customer.withdrawn.get(license)
        if found is None or self.recovering:
            return 0
        excess, standing, ended = _excess(customer, found), 0, 0
        with self.handing_on(name):
            for holder in holders:
                if holder in customer.holders(license):
                    standing += 1
                    ended += self._enforce(name, found, holder, standing <= excess, bases)
        return ended

    def _enforce(
        self, name: str, license: License, holder: str, above: bool, bases: Mapping[str, str]
    ) -> int:
        holding = [
            session
            for session in self.customer(name).of(holder.partition("/")[0])
            if session.state != "draining" and _seats_of(session.seats, license, holder)
        ]
        if not holding:
            return 0
        last = holding[-1]
        product = next(seat.product for seat in _seats_of(last.seats, license, holder))
        why = self._reason(license, last.domain, product, above)
        busy = any(session.busy for session in holding)
        if why is None or not self._must_go(license, *why, busy):
            return 0
        return sum(self._take_from(name, session, license, holder, why[0], bases) for session in holding)

    def _reason(self, license: License, domain: str, product: str, above: bool) -> tuple[str, int] | None:
        if license.removed_ms is not None:
            return "on_remove", license.removed_ms
        if self.now_ms >= license.till_ms:
            return "on_expiry", license.till_ms
        if license.narrowed_ms is not None and not _covers(license, domain, product):
            return "on_remove", license.narrowed_ms
        if license.lowered_ms is not None and above:
            return "on_lower", license.lowered_ms
        return None

    def _must_go(self, license: License, why: str, since_ms: int, busy: bool) -> bool:
        after_call = license.policy.get(why) == "after_call"
        return self.now_ms >= _last_ms(license, why, since_ms) or (after_call and not busy)

    def _take_from(
        self, name: str, session: Session, license: License, holder: str, why: str, bases: Mapping[str, str]
    ) -> int:
        products = {seat.product for seat in _seats_of(session.seats, license, holder)}
        products |= {add_on for add_on, base in bases.items() if base in products}
        lost = [seat for seat in session.seats if seat.product in products]
        if not lost:
            return 0
        about = {"product": license.product}
        if any(seat.product in session.need for seat in lost):
            about |= {"code": "license_ended", "message": why, "user": session.user}
            self.drain(name, session, type="logout", cooldown_s=0, **about)
            return 1
        shown = tuple(self.customer(name)._shown(seat) for seat in lost)
        session.seats = [seat for seat in session.seats if seat not in lost]
        told = {"type": "changed", "customer": name, "session": session.id, "fence": session.fence}
        order = self.order(session.node, **told, code=why, seats=shown, **about)
        before = session.losing or Losing([], 0, 0)
        until_ms = max(before.until_ms, self.believed_until_ms(session))
        session.losing = Losing(before.seats + lost, until_ms, order)
        if not session.node:
            session.disown()
        return 1

    def let_go(self, name: str, *, session: str, fence: int, order: int) -> bool:
        found = self.customer(name).sessions.get(session)
        if found is None or found.fence != fence or found.state != "attached":
            return False
        if found.losing and found.losing.order <= order:
            with self.handing_on(name):
                found.losing = None
        return True

    def busy(self, name: str, *, session: str, fence: int, busy: bool) -> list[str] | None:
        customer = self.customer(name)
        found = customer.sessions.get(session)
        if found is None or found.fence != fence or found.state != "attached":
            return None
        found.busy = busy
        return [] if busy else [seat.license for seat in found.seats if self._pressed(customer, seat.license)]

    def _pressed(self, customer: Customer, id_: str) -> bool:
        license = customer.licenses.get(id_) or customer.withdrawn.get(id_)
        return license is not None and (
            license.removed_ms is not None
            or self.now_ms >= license.till_ms
            or license.narrowed_ms is not None
            or license.lowered_ms is not None
        )


def _seats_of(seats: Sequence[Held], license: License, holder: str) -> list[Held]:
    return [seat for seat in seats if (seat.license, seat.holder) == (license.id, holder)]


def _excess(customer: Customer, license: License) -> int:
    return len(customer.holders(license.id)) - license.limit - license.overdraft


def _covers(license: License, domain: str, product: str) -> bool:
    return domain in license.domains and product == license.product


def _last_ms(license: License, why: str, since_ms: int) -> int:
    if license.policy.get(why) == "evict":
        return since_ms
    return since_ms + int(license.policy.get("deadline_s", DEADLINE_S)) * 1000


def _holder(customer: Customer, license: License, holder: str) -> Holder:
    """A holder's seat is as old as the oldest session that has it."""
    user = holder.partition("/")[0]
    own = [(s, seat) for s in customer.of(user) for seat in _seats_of(s.counted(), license, holder)]
    return Holder(
        holder=holder,
        since_ms=min(seat.since_ms for _, seat in own),
        foreign=any(not _covers(license, session.domain, seat.product) for session, seat in own),
    )
