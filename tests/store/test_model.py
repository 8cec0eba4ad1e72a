"""Random verbs, random order: the scripts on the real engine answer what the model of the rules says, index by index."""

from __future__ import annotations

import itertools
import os
from functools import partial
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from seatd.store.keys import partition_key
from seatd.store.values import Due, Held, KickTarget
from tests.engine import PrivateEngine
from tests.store.license_steps import LicenseSteps
from tests.store.side_by_side import Known
from tests.store.strategies import (
    CUSTOMERS,
    DEVICES,
    FIRST_LICENSES,
    LICENSES,
    NODES,
    OPTIONS,
    PARTITION,
    PRODUCTS,
    USERS,
    a_cooldown,
    a_customer,
    a_device,
    a_fence_error,
    a_group,
    a_license,
    a_node,
    a_nominal,
    a_pick,
    a_priority,
    a_product,
    a_user,
    a_while,
    claim,
    groups,
    more,
    mostly,
    need,
    need_or_nothing,
    seldom,
)


class Seats(LicenseSteps):
    """The steps, in any order."""

    openings: Bundle[Known] = Bundle("openings")

    @initialize(limits=st.lists(st.integers(1, 3), min_size=9, max_size=9), overdraft=st.booleans())
    def begin(self, limits: list[int], overdraft: bool) -> None:
        """Two nodes, some licenses of every product, and an assignment of each nominal one."""
        for node in NODES[:2]:
            self.beat(node, "beat")
        claims = [
            claim(id_, limit=limit, overdraft=int(overdraft), from_ms=0, till_ms=300_000)
            for id_, limit in zip(FIRST_LICENSES, limits, strict=True)
        ]
        self.import_key((CUSTOMERS[0], ("one.test", "two.test"), claims))
        for license in ("cc-n", "desk-n", "rtc-n"):
            self.assign(CUSTOMERS[0], license, USERS[0], back=False)

    @rule(
        target=openings,
        customer=a_customer,
        pick=a_pick,
        user=a_user,
        device=a_device,
        need=need_or_nothing,
        more=more,
        group=a_group,
        groups=groups,
        priority=a_priority,
    )
    def open(self, **how: Any) -> MultipleResults[Known]:
        return multiple(*self.opened(**how))

    @rule(target=openings, user=a_user, need=need, pick=a_pick, priority=a_priority)
    def open_everywhere(
        self, user: str, need: list[str], pick: int, priority: int | None
    ) -> MultipleResults[Known]:
        """One user on all devices."""
        opened = [
            self.opened(CUSTOMERS[0], pick, user, device, need, [], "", priority=priority)
            for device in DEVICES
        ]
        return multiple(*itertools.chain(*opened))

    @rule(
        target=openings,
        product=a_product,
        device=a_device,
        pick=a_pick,
        priority=a_priority,
        withdrawn=st.sampled_from(("never", "never", "before", "after")),
    )
    def crowd(
        self, product: str, device: str, pick: int, priority: int | None, withdrawn: str
    ) -> MultipleResults[Known]:
        """Everybody wants the same, and all but the last something more, which may be withdrawn before or afterwards."""
        other = PRODUCTS[(PRODUCTS.index(product) + 1) % len(PRODUCTS)]
        gone = [id_ for id_, license in LICENSES.items() if license[0] == other]
        for id_ in gone if withdrawn == "before" else ():
            self.drop_license(CUSTOMERS[0], id_)
        opened = [
            self.opened(
                CUSTOMERS[0], pick, user, device, [product, other][:number], [], "", priority=priority
            )
            for number, user in zip((2, 2, 1), USERS, strict=True)
        ]
        for id_ in gone if withdrawn == "after" else ():
            self.drop_license(CUSTOMERS[0], id_)
        return multiple(*itertools.chain(*opened))

    @rule(target=openings, known=openings, pick=a_pick, parked=mostly, ms=a_while, same=mostly)
    def come_back(self, known: Known, pick: int, parked: bool, ms: int, same: bool) -> MultipleResults[Known]:
        """The same device says hello anew, mostly for the same products: a waiter finds its place again."""
        customer, opening = known = self.waiting(known)
        if parked:
            self.park(known)
            self.time_passes(ms, "")
        need = [want.product for want in opening.need]
        need = need if same else need[:-1] or [PRODUCTS[0]]
        priority = opening.priority if opening.wait else None
        return multiple(
            *self.opened(customer, pick, opening.user, opening.device.id, need, [], "", priority=priority)
        )

    def waiting(self, known: Known) -> Known:
        """A session that waits, while there is one: this, or else the one that came first."""
        lines = {name: {session.id for session in self.model.queue(name)} for name in CUSTOMERS}
        in_line = [k for k in self.granted if k[1].session in lines[k[0]]]
        return known if known in in_line or not in_line else in_line[0]

    @rule(known=openings, error=a_fence_error)
    def give_up(self, known: Known, error: int) -> None:
        customer, opening = known = self.waiting(known)
        self.both("leave_queue", customer, session=opening.session, fence=self.fence(known, error))

    @rule(known=openings, pick=a_pick, right=mostly)
    def open_again(self, known: Known, pick: int, right: bool) -> None:
        customer, opening = known
        secret = opening.secret if right else "another"
        self.both("open", customer, self.node(pick), msgspec.structs.replace(opening, secret=secret))

    @rule(known=openings, pick=a_pick, right_secret=mostly, right_user=mostly)
    def attach(self, known: Known, pick: int, right_secret: bool, right_user: bool) -> None:
        customer, opening = known
        self.both(
            "attach",
            customer,
            self.node(pick),
            session=opening.session,
            secret=opening.secret if right_secret else "another",
            user=opening.user if right_user else "mallory@one.test",
        )

    @rule(known=openings, error=a_fence_error, here=mostly)
    def park(self, known: Known, error: int = 0, here: bool = True) -> None:
        customer, opening = known = self.alive(known)
        fence = self.fence(known, error)
        self.both("park", customer, self.node_of(known, here), session=opening.session, fence=fence)

    @rule(known=openings, right=mostly, here=mostly)
    def park_unsure(self, known: Known, right: bool, here: bool) -> None:
        """The node never learned whether its attach took effect: it shows the secret instead of the fence."""
        customer, opening = known = self.alive(known)
        secret = opening.secret if right else "another"
        node = self.node_of(known, here)
        self.both("park", customer, node, session=opening.session, fence=None, secret=secret)

    @rule(known=openings, pick=a_pick, ms=a_while, noticed=mostly, kicked=seldom)
    def roam(self, known: Known, pick: int, ms: int, noticed: bool, kicked: bool) -> None:
        """The client loses its network, and is back on some node after a while, perhaps before its old node noticed."""
        known = self.alive(known)
        if noticed:
            self.park(known)
        if kicked:
            self.kick_session(known, True, 0)
        self.time_passes(ms, "")
        self.attach(known, pick, True, True)

    @rule(
        node=a_node,
        known=openings,
        ms=st.sampled_from((10_001, 15_000, 41_000)),
        kicked=seldom,
        waits=st.booleans(),
    )
    def node_freezes(self, node: str, known: Known, ms: int, kicked: bool, waits: bool) -> None:
        """Its lease ends, the others clean up after it, and it wakes; meanwhile somebody may be forced out."""
        known = self.waiting(known) if waits else self.alive(known)
        node = (waits and self.node_of(known, True)) or node
        self.time_passes(OPTIONS.node_lease_ms, node)
        if kicked:
            self.kick_session(known, True, 0)
        self.time_passes(ms - OPTIONS.node_lease_ms, node)
        for other in sorted(self.joined - {node}):
            self.sweep_due(self.beat_both(other))
        self.beat_both(node)
        self.reassert([known], node, 0)

    @rule(known=openings, error=a_fence_error, acknowledged=st.booleans())
    def close(self, known: Known, error: int, acknowledged: bool) -> None:
        known = self.alive(known)
        fence = self.fence(known, error)
        told = {"delivered": True, "acknowledged": acknowledged}
        self.both("close", known[0], session=known[1].session, fence=fence, **told)

    @rule(
        known=openings,
        error=a_fence_error,
        products=need,
        back=seldom,
        groups=groups,
        priority=a_priority,
    )
    def acquire(
        self,
        known: Known,
        error: int,
        products: list[str],
        back: bool,
        groups: tuple[str, ...] = (),
        priority: int | None = None,
    ) -> None:
        """Further products, or some given back."""
        customer, opening = known = self.alive(known)
        fence = self.fence(known, error)
        if back:
            self.both("release", customer, session=opening.session, fence=fence, products=products)
        else:
            self.acquire_both(known, fence, products, groups, priority)

    @rule(known=openings, right_user=mostly, cooldown_ms=a_cooldown)
    def kick_session(self, known: Known, right_user: bool, cooldown_ms: int) -> None:
        known = self.alive(known)
        user = None if right_user else "mallory@one.test"
        self.kick(known[0], KickTarget(session=known[1].session, user=user), cooldown_ms)

    @rule(
        customer=a_customer,
        whom=st.one_of(
            a_user.map(lambda user: KickTarget(user=user)),
            a_license.map(lambda id_: KickTarget(license=id_)),
            st.sampled_from(("one.test", "two.test")).map(lambda domain: KickTarget(domain=domain)),
            st.just(KickTarget(everyone=True)),
        ),
        cooldown_ms=a_cooldown,
    )
    def kick(self, customer: str, whom: KickTarget, cooldown_ms: int) -> None:
        told = {"message": "out", "by": "root", "cooldown_ms": cooldown_ms, "reply_to": "n1"}
        self.both("kick", customer, whom, **told)

    @rule(node=a_node, what=st.sampled_from(("beat", "sweep", "sweep", "sweep", "leave")))
    def beat(self, node: str, what: str) -> None:
        due = self.beat_both(node, leave=what == "leave")
        if what == "leave":
            self.joined.discard(node)
        else:
            self.joined.add(node)
        if what == "sweep":
            self.sweep_due(due)

    @rule(known=st.lists(openings, max_size=4), node=st.sampled_from(("", *NODES)))
    def sweep_any(self, known: list[Known], node: str) -> None:
        """A sweep that is asked for anything, as after an old beat: it looks for itself."""
        self.sweep_due([Due(customer=name, session=o.session, node=node) for name, o in known])

    @rule(known=st.lists(openings, min_size=1, max_size=4), node=a_node, error=a_fence_error)
    def reassert(self, known: list[Known], node: str, error: int) -> None:
        for customer in sorted({name for name, _ in known}):
            fences = {k[1].session: self.fence(k, error) for k in known if k[0] == customer}
            held = [Held(session=session, fence=fence) for session, fence in fences.items()]
            self.both("reassert", customer, node, held)

    @rule(target=openings, license=a_nominal, user=a_user, pick=a_pick)
    def hand_over(self, license: str, user: str, pick: int) -> MultipleResults[Known]:
        """A license is taken from whoever has it and given to this user, who signs in at once, on two devices."""
        assigned = self.model.customer(CUSTOMERS[0]).assigned
        for owner in sorted(owner for id_, owner in assigned if id_ == license):
            self.assign(CUSTOMERS[0], license, owner, back=True)
        self.assign(CUSTOMERS[0], license, user, back=False)
        product = LICENSES[license][0]
        opened = [self.opened(CUSTOMERS[0], pick, user, device, [product], [], "") for device in DEVICES[:2]]
        return multiple(*itertools.chain(*opened))

    @rule(
        ms=st.sampled_from((1, 2_500, 10_001, 24_000, 30_000)), silent=st.sampled_from(("", "", "", *NODES))
    )
    def time_passes(self, ms: int, silent: str) -> None:
        """The nodes go on beating meanwhile, but for one perhaps."""
        while ms > 0:
            step = min(ms, OPTIONS.node_lease_ms)
            self.pass_ms(step)
            for node in sorted(self.joined - {silent}):
                self.beat_both(node)
            ms -= step

    @rule(node=a_node, silent=a_node, ms=st.sampled_from((0, 10_001, 30_000)), passes=mostly)
    def server_changes(self, node: str, silent: str, ms: int, passes: bool) -> None:
        """Another server has the data; a beat finds it out, a client asks in vain, mostly the recovery window passes."""
        self.time_passes(ms, silent)
        self.run(self.replace_server())
        self.model.lose_identity()
        self.beat(node, "sweep")
        if self.granted:
            self.acquire(self.granted[-1], 0, list(PRODUCTS), False)
        if passes:
            self.time_passes(OPTIONS.recovery_ms, "")

    async def replace_server(self) -> None:
        await self.store.client.hset(partition_key("meta", PARTITION), "replid", "f" * 40)


def test_store_and_model_agree(engine: PrivateEngine, one_server: None) -> None:
    """`SEATD_TEST_EXAMPLES` makes it try more; with `SEATD_TEST_SHRINK` a failure is made short, which takes minutes."""
    with_url: Any = partial(Seats, engine.url)
    run_state_machine_as_test(
        with_url,
        settings=settings(
            max_examples=int(os.environ.get("SEATD_TEST_EXAMPLES", "100")),
            stateful_step_count=40,
            deadline=None,
            report_multiple_bugs=False,
            phases=tuple(Phase) if "SEATD_TEST_SHRINK" in os.environ else (Phase.reuse, Phase.generate),
            derandomize="CI" in os.environ,
            suppress_health_check=list(HealthCheck),
        ),
    )
