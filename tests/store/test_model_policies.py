"""Licenses that end, shrink and go, at random: who loses a seat, when, and when it is free, as the model of the rules says."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.conftest import NOW_MS
from tests.engine import PrivateEngine
from tests.store.side_by_side import Known, SideBySide
from tests.store.strategies import (
    CUSTOMERS,
    DEVICES,
    LICENSES,
    NODES,
    OPTIONS,
    USERS,
    a_device,
    a_pick,
    a_priority,
    claim,
    groups,
    mostly,
    policies,
    seldom,
)

ACME = CUSTOMERS[0]
HELD = ("cc-1", "mail-1", "base-1", "desk-1")
"""Licenses that everybody can draw on."""


class Endings(SideBySide):
    """Few products and few people, so that much happens to them."""

    @initialize(limit=st.integers(2, 4), policy=policies, overdraft=st.integers(0, 1))
    def begin(self, limit: int, policy: dict[str, object], overdraft: int) -> None:
        for node in NODES[:2]:
            self.beat_both(node)
            self.joined.add(node)
        self.imports(HELD, limit, policy, overdraft=overdraft)

    def imports(
        self,
        ids: tuple[str, ...],
        limit: int,
        policy: dict[str, object],
        *,
        overdraft: int = 0,
        till_ms: int = 90_000_000,
        domains: tuple[str, ...] = ("one.test", "two.test"),
    ) -> None:
        said = {"limit": limit, "overdraft": overdraft, "from_ms": 0, "till_ms": till_ms}
        self.imported(ACME, domains, [claim(id_, **said, policy=policy) for id_ in ids])

    @rule(
        pick=a_pick,
        user=st.sampled_from(USERS),
        device=a_device,
        need=st.sampled_from(([], ["EMAIL"], ["CALL_CENTER"])),
        more=st.sampled_from((["CALL_CENTER"], ["phone_system", "device_desktop_app"])),
        groups=groups,
        priority=a_priority,
    )
    def open(
        self,
        pick: int,
        user: str,
        device: str,
        need: list[str],
        more: list[str],
        groups: tuple[str, ...],
        priority: int | None,
    ) -> None:
        """Somebody needs one product at the most, and would like others."""
        self.opened(ACME, pick, user, device, need, more, "", groups=groups, priority=priority)

    def living(self, pick: int) -> Known:
        """A session that lives; when there is none, everybody comes first."""
        living = self.model.customer(ACME).sessions
        if not any(session.seats for session in living.values()):
            self.imports(HELD, 4, {})
            for number, user in enumerate(USERS):
                self.pass_ms(1)
                need, more = (["CALL_CENTER"], ["EMAIL"])[:: 1 if number % 2 else -1]
                self.opened(ACME, 1, user, DEVICES[0], need, more, "")
            self.used_stays_within_the_limit()  # from which on it may not grow
        known = [item for item in self.granted if item[1].session in living]
        return known[pick % len(known)] if known else self.granted[-1]

    @rule(
        pick=a_pick,
        seat=a_pick,
        what=st.sampled_from(("ends", "shrinks", "narrows", "goes")),
        policy=policies,
        ms=st.sampled_from((0, 0, 10_000, 60_000)),
        times=st.integers(1, 3),
    )
    def license_goes(
        self, pick: int, seat: int, what: str, policy: dict[str, object], ms: int, times: int
    ) -> None:
        """Something happens to a license that a living session holds, and nodes look after it, at once and later."""
        session = self.model.customer(ACME).sessions.get(self.living(pick)[1].session)
        if session is None or not session.seats:
            return
        license = session.seats[seat % len(session.seats)].license
        till_ms = self.clock.now_ms - NOW_MS + (1 if what == "ends" else 90_000_000)
        domains = ("two.test",) if what == "narrows" else ("one.test", "two.test")
        self.imports((license,), 1, policy, till_ms=till_ms, domains=domains)
        if what == "goes":
            self.both("drop_license", ACME, license)
        self.pass_ms(1)
        for _ in range(times):
            self.enforce_policy(ACME, license)
            self.time_goes_by(ms)

    @rule(limit=st.integers(1, 4), policy=policies, ids=st.sampled_from((HELD, HELD[:1])))
    def all_is_well_again(self, limit: int, policy: dict[str, object], ids: tuple[str, ...]) -> None:
        """Newer keys: sometimes in time for those who were to go."""
        self.imports(ids, limit, policy)

    @rule(license=st.sampled_from(HELD))
    def look_after(self, license: str) -> None:
        self.enforce_policy(ACME, license)

    @rule(pick=a_pick, busy=mostly)
    def call(self, pick: int, busy: bool) -> None:
        known = self.living(pick)
        self.both("busy", ACME, session=known[1].session, fence=self.fence(known), busy=busy)

    @rule(late=seldom)
    def let_go(self, late: bool) -> None:
        """Clients have shown that they know what they lost; or an older word of it comes late."""
        for session in self.model.customer(ACME).sessions.values():
            if session.losing:
                told = {"session": session.id, "fence": session.fence, "order": session.losing.order - late}
                self.both("let_go", ACME, **told)

    @rule(
        pick=a_pick,
        products=st.sampled_from((["CALL_CENTER"], ["EMAIL"])),
        groups=groups,
        back=seldom,
        priority=a_priority,
    )
    def acquire(
        self, pick: int, products: list[str], groups: tuple[str, ...], back: bool, priority: int | None
    ) -> None:
        known = self.living(pick)
        opening = known[1]
        named = {"session": opening.session, "fence": self.fence(known)}
        if back:
            self.both("release", ACME, **named, products=products)
        else:
            self.acquire_both(known, named["fence"], products, groups, priority)

    @rule(how=st.sampled_from(("close", "park", "park", "attach", "attach")), pick=a_pick, node=a_pick)
    def moves(self, how: str, pick: int, node: int) -> None:
        """A session ends, loses its connection, or comes back somewhere."""
        known = self.living(pick)
        opening, fence = known[1], self.fence(known)
        named: dict[str, Any] = {"session": opening.session}
        if how == "attach":
            named |= {"secret": opening.secret, "user": opening.user}
            self.both("attach", ACME, self.node(node), **named)
        elif how == "park":
            self.both("park", ACME, self.node_of(known, True), **named, fence=fence)
        else:
            self.both("close", ACME, **named, fence=fence)

    @rule(ms=st.sampled_from((1, 10_001, 24_000, 40_000)), silent=st.sampled_from(("", "", *NODES[:2])))
    def time_passes(self, ms: int, silent: str) -> None:
        """A node may be frozen meanwhile; the others clean up after it, and it wakes."""
        self.time_goes_by(ms, silent)
        for node in sorted(self.joined - {silent}):
            self.sweep_due(self.beat_both(node))
        if silent:
            self.beat_both(silent)

    def time_goes_by(self, ms: int, silent: str = "") -> None:
        while ms > 0:
            self.pass_ms(min(ms, OPTIONS.node_lease_ms))
            for node in sorted(self.joined - {silent}):
                self.beat_both(node)
            ms -= OPTIONS.node_lease_ms


def test_store_and_model_agree_about_policies(engine: PrivateEngine, one_server: None) -> None:
    assert set(HELD) <= set(LICENSES)
    with_url: Any = partial(Endings, engine.url)
    run_state_machine_as_test(
        with_url,
        settings=settings(
            max_examples=int(os.environ.get("SEATD_TEST_EXAMPLES", "25")),
            stateful_step_count=20,
            deadline=None,
            report_multiple_bugs=False,
            phases=(Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
