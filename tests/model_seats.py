"""Which seat a session gets, in the model: looked up in the sessions and licenses themselves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from seatd.store.values import Denied, OwnSession, Want
from tests.model_state import Customer, Held, License, Session

SHOWN_SESSIONS = 8


def own_sessions(customer: Customer, user: str) -> tuple[OwnSession, ...]:
    """A user's sessions, as a denial shows them."""
    return tuple(
        OwnSession(session=s.id, device=s.device, since_ms=s.since_ms, seats=customer.shown(s))
        for s in customer.of(user)[:SHOWN_SESSIONS]
    )


class Drawing:
    """One session's request for seats, at one moment. `promised`: seats that are free, but only for their holders."""

    def __init__(self, customer: Customer, who: Session, now_ms: int, promised: Sequence[Held] = ()) -> None:
        self.customer = customer
        self.promised = promised
        self.user = who.user
        self.domain = who.domain
        self.device = who.device
        self.groups = who.groups
        self.now_ms = now_ms
        self.displaced: dict[str, list[Session]] = {}

    def draw(self, held: Sequence[Held], need: Sequence[Want], more: Sequence[Want]) -> list[Held] | Denied:
        """All of `need`, or the denial; `more` as far as there is room, those of one group together. What is `held` is
        not drawn again."""
        drawn = self._together(held, need)
        if isinstance(drawn, Denied):
            return drawn
        for group, wants in groupby(more, key=lambda want: want.group):
            for together in [list(wants)] if group else [[want] for want in wants]:
                found = self._together([*held, *drawn], together)
                drawn += [] if isinstance(found, Denied) else found
        return drawn

    def free(self, held: Sequence[Held], need: Sequence[Want]) -> list[Held]:
        """Those seats of `need` that there are, although there are not all."""
        return [seat for seat in self._each(held, need) if isinstance(seat, Held)]

    def _together(self, held: Sequence[Held], wants: Sequence[Want]) -> list[Held] | Denied:
        """All, or the first denial that no waiting can mend, or else the first."""
        drawn = self._each(held, wants)
        denials = [denial for denial in drawn if isinstance(denial, Denied)]
        lasting = [denial for denial in denials if denial.code != "no_seat"]
        for denial in [*lasting, *denials]:
            return denial
        return [seat for seat in drawn if isinstance(seat, Held)]

    def _each(self, held: Sequence[Held], wants: Sequence[Want]) -> list[Held | Denied]:
        has = {seat.product for seat in held}
        return [self.choose(want) for want in wants if want.product not in has]

    def choose(self, want: Want) -> Held | Denied:
        """The seat for one product, or why there is none."""
        offers = self.customer.offers(self.domain, want.product)
        if not offers:
            return Denied(code=want.missing, product=want.product)
        valid = [license for license in offers if license.from_ms <= self.now_ms < license.till_ms]
        if not valid:
            to_come = any(self.now_ms < license.from_ms for license in offers)
            code = "license_not_yet_valid" if to_come else "license_expired"
            return Denied(code=code, product=want.product)
        if denial := self._against_device(valid, want):
            return denial
        named = [x for x in valid if x.kind == "nominal" and (x.id, self.user) in self.customer.assigned]
        full: list[Denied] = []
        for license in named:
            holders = self.customer.holders(license.id)
            # Of a product that counts devices, an assignment is good for one device.
            others = sum(1 for holder in holders if holder.startswith(f"{self.user}/") and want.devices)
            if self._may_share(license, want) or (others == 0 and len(holders) < license.limit):
                return self._seat(license, want)
            limit, in_use = (1, others) if others else (license.limit, len(holders))
            full.append(self._no_seat(want, limit, in_use))
        return self._floating(valid, want, full)

    def _floating(self, valid: list[License], want: Want, full: list[Denied]) -> Held | Denied:
        pool = [license for license in valid if license.kind == "competitive"]
        for license in pool:
            if want.holder in self._promised(license) or self._may_share(license, want):
                return self._seat(license, want)
        if not pool:
            return full[0] if full else Denied(code="not_assigned", product=want.product)
        used = {license.id: len(self._taken(license)) for license in pool}
        in_use = sum(len(self.customer.holders(license.id)) for license in pool)
        if want.combine == "max":
            largest = max(license.limit for license in pool)
            pool = [next(license for license in pool if license.limit == largest)]
            used = {pool[0].id: sum(used.values())}
        for license in pool:
            own = self._own_reservation(license)
            if own and used[license.id] < license.limit + license.overdraft:
                return self._seat(license, want, reserved=own)
        kept = {license.id: sum(self._kept(license).values()) for license in pool}
        for license in pool:
            if used[license.id] + kept[license.id] < license.limit:
                return self._seat(license, want)
        for license in pool:
            if used[license.id] + kept[license.id] < license.limit + license.overdraft:
                return self._seat(license, want, overdraft=True)
        return self._no_seat(want, sum(license.limit for license in pool), in_use)

    def _may_share(self, license: License, want: Want) -> bool:
        """Whether the holder has a seat there that stays: above the limit only one of a session that is not ended."""
        holders = self.customer.holders(license.id)
        if want.holder not in holders or len(holders) <= license.limit + license.overdraft:
            return want.holder in holders
        live = [session for session in self.customer.of(self.user) if session.state != "draining"]
        return any((s.license, s.holder) == (license.id, want.holder) for own in live for s in own.seats)

    def _kept(self, license: License) -> dict[str, int]:
        """Seats of each reservation that are neither taken nor promised yet."""
        return {
            _name(entry): max(0, entry["seats"] - len(self._drawn_on(license, _name(entry))))
            for entry in license.policy.get("reservations", ())
        }

    def _drawn_on(self, license: License, reservation: str) -> set[str]:
        marked = (license.id, reservation)
        promised = {seat.holder for seat in self.promised if (seat.license, seat.reserved) == marked}
        return self.customer.reserved(*marked) | promised

    def _own_reservation(self, license: License) -> str | None:
        kept = self._kept(license)
        mine = {f"user:{self.user}", f"domain:{self.domain}", *(f"group:{group}" for group in self.groups)}
        return next((name for name, seats in kept.items() if seats and name in mine), None)

    def _against_device(self, valid: list[License], want: Want) -> Denied | None:
        rules = [license.policy["device"] for license in valid if "device" in license.policy]
        rule = rules[0] if rules else want.device_rule
        rivals = self._same_class(want) if rule in ("one_per_class", "take_over") else []
        if rule == "one_per_class" and rivals:
            return self._no_seat(want, 1, len(rivals))
        self.displaced[want.product] = rivals
        theirs = {seat.holder for session in rivals for seat in session.seats}
        others = len(self._other_devices(want) - theirs)
        return self._no_seat(want, want.max_per_user, others) if 0 < want.max_per_user <= others else None

    def _same_class(self, want: Want) -> list[Session]:
        return [
            session
            for session in self.customer.of(self.user)
            if session.state != "draining"
            and session.device.kind == self.device.kind
            and session.device.id != self.device.id
            and want.product in {seat.product for seat in session.seats}
        ]

    def _seat(
        self, license: License, want: Want, *, overdraft: bool = False, reserved: str | None = None
    ) -> Held:
        seats = [*self.customer.counted(), *self.promised]
        same = [seat for seat in seats if (seat.license, seat.holder) == (license.id, want.holder)]
        reserved = next((seat.reserved for seat in same if seat.reserved), reserved)
        return Held(
            product=want.product,
            license=license.id,
            kind=license.kind,
            holder=want.holder,
            since_ms=self.now_ms,
            overdraft=overdraft or any(seat.overdraft for seat in same),
            reserved=reserved,
        )

    def _taken(self, license: License) -> set[str]:
        """Who has a seat of it, or is promised one."""
        return self.customer.holders(license.id) | self._promised(license)

    def _promised(self, license: License) -> set[str]:
        return {seat.holder for seat in self.promised if seat.license == license.id}

    def _other_devices(self, want: Want) -> set[str]:
        """The user's other devices that hold the product."""
        return {
            seat.holder
            for session in self.customer.of(self.user)
            for seat in session.seats
            if seat.product == want.product and seat.holder != want.holder
        }

    def _no_seat(self, want: Want, limit: int, used: int) -> Denied:
        return Denied(code="no_seat", product=want.product, limit=limit, used=used)


def _name(reservation: dict[str, Any]) -> str:
    """`group:sales`."""
    return next(f"{whom}:{reservation[whom]}" for whom in ("user", "group", "domain") if whom in reservation)
