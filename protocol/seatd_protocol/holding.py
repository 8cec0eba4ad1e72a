"""What a client believes to hold, and until when: its session, its seats, its lease.

All of a client's beliefs change here and nowhere else, each by one fact, and each change can be
observed: that is how a test proves from the outside that no two clients ever believe in the same seat.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from seatd_protocol.lease import ClientLease
from seatd_protocol.messages import Beat, Changed, Granted, Released, Resume, Seat, Welcome

# Called with {at_s, what, session, seats: [(product, license, holder)], until_s}: what is believed from `at_s`
# on, until the next record, and in any case not beyond `until_s` (None: no seats).
Observer = Callable[[Mapping[str, object]], None]


class Holding:
    """The beliefs of one client, on the clock it is given."""

    def __init__(self, clock: Callable[[], float], observe: Observer | None = None) -> None:
        self.resume: Resume | None = None
        self.seats: tuple[Seat, ...] = ()
        self.sections: tuple[str, ...] = ()
        self.beat_s: int | None = None
        self.lease = ClientLease()
        self._giving: frozenset[str] = frozenset()
        self._linger_s = 0
        self._kept_until_s = -float("inf")
        self._clock = clock
        self._observe = observe

    @property
    def session(self) -> str | None:
        """The session's id, while there is one that can be resumed."""
        return self.resume.session if self.resume else None

    @property
    def until_s(self) -> float | None:
        """Until when the seats may be used; None: not now."""
        return self.lease.until_s if self.seats and self.lease.valid(self._clock()) else None

    @property
    def linger_s(self) -> int | None:
        """How long the server keeps the session without a connection; None: there is none, or it may be gone by now."""
        return self._linger_s if self.resume and self._clock() < self._kept_until_s else None

    def hello_sent(self) -> None:
        """Call before `hello` leaves. What is held goes on meanwhile, to the end of its lease."""
        self.lease.hello_sent(self._clock())
        self._note("hello")

    def welcomed(self, welcome: Welcome) -> None:
        """A session, new or resumed; it says all that is held."""
        self.resume = Resume(session=welcome.session, secret=welcome.secret, ticket=welcome.ticket)
        self.seats, self.sections = welcome.seats, welcome.sections
        self._giving = frozenset()
        self.beat_s = welcome.beat_s
        self.lease.welcomed(welcome.lease_s)
        self._linger_s = welcome.linger_s
        self._kept(welcome.lease_s)
        self._note("welcome")

    def queued(self) -> None:
        """It waits for its first seats: the session that had others, if there was one, is gone. The lease of this connection
        runs, for when its turn comes."""
        self.seats, self.sections = (), ()
        self._note("queued")

    def denied(self) -> None:
        """There is no session, but there may be one without seats: then what this connection's hello proves counts for it."""
        self.resume, self.seats, self.sections, self.beat_s = None, (), (), None
        self.lease.end()
        self._note("denied")

    def beat_received(self, beat: Beat) -> None:
        """The lease runs on. The `alive` that answers counts from now, before it is sent."""
        now_s = self._clock()
        self.lease.beat_received(beat.n, beat.lease_s, now_s)
        self.lease.alive_sent(beat.n, now_s)
        if beat.ticket is not None and not self._giving:
            self._keep_ticket(beat.ticket)
        self._kept(beat.lease_s)
        self._note("beat")

    def granted(self, granted: Granted) -> None:
        """Further seats, or the same product's seat on another license."""
        new = {seat.product for seat in granted.seats}
        self.seats = self._without_given((*(s for s in self.seats if s.product not in new), *granted.seats))
        self.sections = granted.sections
        self._note("granted")

    def changed(self, changed: Changed) -> None:
        """All that is held, as it stands now."""
        self.seats, self.sections = self._without_given(changed.seats), changed.sections
        self._keep_ticket(None)
        self._note("changed")

    def giving_back(self, products: Sequence[str]) -> None:
        """Call before `release` leaves: the seat may be another's before the answer is here. Until then no message that has
        crossed it brings the products back, nor a ticket that names them."""
        self._giving |= set(products)
        self.seats = self._without_given(self.seats)
        self._keep_ticket(None)
        self._note("release")

    def released(self, released: Released) -> None:
        """The server has them back."""
        self._giving -= set(released.products)
        self.seats = tuple(seat for seat in self.seats if seat.product not in released.products)
        self.sections = released.sections
        self._note("released")

    def given_back(self, products: Sequence[str]) -> None:
        """Call when `release` has had its answer, or can have none any more."""
        self._giving -= set(products)

    def ended(self, why: str) -> None:
        """The session is over: nothing is held, nothing can be resumed."""
        self.resume, self.seats, self.sections, self.beat_s = None, (), (), None
        self.lease = ClientLease()
        self._note(why)

    def _without_given(self, seats: tuple[Seat, ...]) -> tuple[Seat, ...]:
        return tuple(seat for seat in seats if seat.product not in self._giving)

    def _kept(self, lease_s: int) -> None:
        """The linger begins when a node lets go of the session: one that dies, when its own lease has run out."""
        self._kept_until_s = self._clock() + lease_s + self._linger_s

    def _keep_ticket(self, ticket: str | None) -> None:
        """The newest ticket; None when the last one names more than is held now: the next beat brings another."""
        if self.resume is not None:
            self.resume = replace(self.resume, ticket=ticket)

    def _note(self, what: str) -> None:
        if self._observe is None:
            return
        self._observe(
            {
                "at_s": self._clock(),
                "what": what,
                "session": self.session,
                "seats": [(seat.product, seat.license, seat.holder) for seat in self.seats],
                "until_s": self.lease.until_s if self.seats else None,
            }
        )
