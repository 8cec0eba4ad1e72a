"""The store and the model of its rules, side by side: every step is done twice, and compared."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec
from hypothesis.stateful import RuleBasedStateMachine, invariant

from seatd.licensing.keys import LicenseClaim, LicenseKey
from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.values import Beat, Due, Granted, Opening, Places, Queued, StoreUnavailable
from seatd_protocol.messages import Device
from tests.conftest import NOW_MS, Clock
from tests.licenses import license_key
from tests.model import Model, NodeLapsed
from tests.store.contents import contents, implied, leftovers
from tests.store.office import CATALOG
from tests.store.replay import check_usage
from tests.store.strategies import CUSTOMERS, DEVICES, LICENSES, OPTIONS, PARTITION, want

T = TypeVar("T")
Known = tuple[str, Opening]
"""A customer, and a session that was granted there once."""


class SideBySide(RuleBasedStateMachine):
    """Owns the event loop that the store runs in. `joined` are the nodes that believe to hold a lease."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = Clock()
        self.store = Store(connect(url, ConnectOptions()), OPTIONS, checked=True, now_ms=self.clock)
        self.run(self.store.client.flushall())
        self.model = Model(OPTIONS, NOW_MS)
        self.joined: set[str] = set()
        self.done: dict[str, int] = {}
        self.sessions = 0
        self.keys = 0
        self.acquired = 0
        self.granted: list[Known] = []
        self.was_used: dict[tuple[str, str], int] = {}

    # -- how a step is done -----------------------------------------------------------------------

    def run(self, doing: Awaitable[T]) -> T:
        return self.loop.run_until_complete(doing)

    def both(self, verb: str, *args: Any, **named: Any) -> Any:
        """The store's answer, which must be the model's."""
        try:
            expected = getattr(self.model, verb)(*args, **named)
        except NodeLapsed:
            expected = StoreUnavailable
        try:
            answer = self.run(getattr(self.store, verb)(*args, **named))
        except StoreUnavailable:
            answer = StoreUnavailable
        assert _timeless(answer) == expected, f"{verb}: {answer} instead of {expected}"
        return answer

    def beat_both(self, node: str, *, leave: bool = False) -> list[Due]:
        done, joined = self.done.get(node, 0), node in self.joined
        expected = self.model.beat(node, done=done, joined=joined, leave=leave)
        answer = self.run(self.store.beat(PARTITION, node, done=done, joined=joined, leave=leave))
        assert _sorted(answer) == _sorted(expected)
        self.done[node] = max([done, *(order.number for order in answer.orders)])
        return list(answer.due)

    def pass_ms(self, ms: int) -> None:
        self.clock.pass_ms(ms)
        self.model.now_ms = self.clock.now_ms

    def node(self, pick: int) -> str:
        """A node that has a lease, or now and then one that may not have."""
        return sorted(self.joined)[pick % len(self.joined)] if pick and self.joined else "n3"

    def fence(self, known: Known, error: int = 0) -> int:
        session = self.model.customer(known[0]).sessions.get(known[1].session)
        return (session.fence if session else 1) + error

    def node_of(self, known: Known, here: bool) -> str:
        """The session's own node, or (not `here`) one that may be another."""
        session = self.model.customer(known[0]).sessions.get(known[1].session)
        return session.node if session and here else "n1"

    def opened(
        self,
        customer: str,
        pick: int,
        user: str,
        device: str,
        need: list[str],
        more: list[str],
        group: str,
        *,
        groups: tuple[str, ...] = (),
        priority: int | None = None,
        queue_limit: int = 4,
    ) -> list[Known]:
        """A new session, on the emergency path when it needs nothing. It waits when it has a `priority`."""
        self.sessions += 1
        opening = Opening(
            session=f"s{self.sessions:03}",
            secret=f"secret{self.sessions}",
            user=user,
            domain=user.partition("@")[2],
            device=Device(kind="mobile" if device == DEVICES[2] else "desktop", id=device),
            need=tuple(want(product, user, device) for product in need),
            want=tuple(want(product, user, device, group) for product in more),
            groups=groups,
            per_user=3,
            unseated=not need and not more,
            wait=bool(need) and priority is not None,
            priority=priority or 0,
            queue_limit=queue_limit,
        )
        if not isinstance(self.both("open", customer, self.node(pick), opening), Granted | Queued):
            return []
        self.granted.append((customer, opening))
        return self.granted[-1:]

    def acquire_both(
        self, known: Known, fence: int, products: list[str], groups: tuple[str, ...], priority: int | None
    ) -> None:
        """Further products; with a `priority` it waits for them."""
        customer, opening = known
        self.acquired += 1
        self.both(
            "acquire",
            customer,
            session=opening.session,
            fence=fence,
            need=tuple(want(product, opening.user, opening.device.id) for product in products),
            groups=groups,
            ref=self.acquired,
            wait=priority is not None,
            priority=priority or 0,
            queue_limit=4,
        )

    def alive(self, known: Known) -> Known:
        """A session that lives, while there is one: this, or else the one that was opened last."""
        living = [k for k in self.granted if k[1].session in self.model.customer(k[0]).sessions]
        return known if known in living or not living else living[-1]

    def imported(
        self, customer: str, domains: tuple[str, ...], claims: list[LicenseClaim], *, dry_run: bool = False
    ) -> LicenseKey:
        """A newer key with these licenses."""
        self.keys += 1
        made = license_key(*claims, customer=customer, domains=domains, jti=f"k{self.keys}", iat=self.keys)
        self.both("put_license", made, dry_run=dry_run)
        return made

    def enforce_policy(self, customer: str, license: str) -> None:
        """What a node does about a license that is due."""
        review = self.both("review", customer, license)
        holders = [item.holder for item in review.concerned]
        self.both("enforce", customer, license, holders, CATALOG.bases)

    def sweep_due(self, due: list[Due]) -> None:
        for customer in sorted({item.customer for item in due}):
            self.both("sweep", customer, [item for item in due if item.customer == customer])

    # -- what holds after every step ----------------------------------------------------------------

    @invariant()
    def every_index_follows_from_the_sessions(self) -> None:
        assert self.run(contents(self.store, PARTITION, CUSTOMERS)) == implied(self.model, CUSTOMERS)

    @invariant()
    def used_stays_within_the_limit(self) -> None:
        """Above limit and overdraft only where the limit was lowered or the license dropped; and then it never grows."""
        for name in CUSTOMERS:
            customer = self.model.customer(name)
            counted = {row.id: row for row in self.run(self.store.overview(name)).licenses}
            assert set(counted) == set(customer.licenses)
            for id_, (_, kind) in LICENSES.items():
                used = len(customer.holders(id_))
                if license := customer.licenses.get(id_):
                    assert counted[id_].online == used
                    assert counted[id_].used == (customer.assignments(id_) if kind == "nominal" else used)
                overdraft = license.overdraft if license and kind == "competitive" else 0
                allowed = license.limit + overdraft if license else 0
                assert used <= max(allowed, self.was_used.get((name, id_), 0))
                self.was_used[name, id_] = used

    def teardown(self) -> None:
        try:
            self.everybody_leaves()
            assert self.run(leftovers(self.store)) == []
            for customer in CUSTOMERS:
                self.run(check_usage(self.store, customer, self.clock.now_ms))
        finally:
            self.run(self.store.close_client())
            self.loop.close()

    def everybody_leaves(self) -> None:
        """Time enough passes for every lease, linger, tomb and cool-down; the last node cleans up and leaves."""
        for node in sorted(self.joined):
            self.beat_both(node, leave=True)
        for ms in (OPTIONS.recovery_ms + OPTIONS.node_lease_ms, OPTIONS.linger_ms, OPTIONS.tomb_ms + 1):
            self.pass_ms(ms)
            while due := self.beat_both("n9"):
                self.sweep_due(due)
        self.beat_both("n9", leave=True)


def _timeless(answer: Any) -> Any:
    """Without the estimate of how long a place takes: it is no rule of the queue."""
    match answer:
        case Queued():
            return msgspec.structs.replace(answer, ahead_ms=None)
        case Places(places=places):
            return msgspec.structs.replace(answer, places=tuple(_timeless(place) for place in places))
        case _:
            return answer


def _sorted(beat: Beat) -> Beat:
    due = sorted(beat.due, key=lambda item: (item.customer, item.session, item.node))
    return msgspec.structs.replace(beat, due=tuple(due), licenses=(), next_ms=None)
