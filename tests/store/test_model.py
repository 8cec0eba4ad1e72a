"""Random verbs, random order: the scripts on the real engine answer what the model of the rules says, index by index."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from seatd.licensing.keys import LicenseClaim, LicenseKey
from seatd.store.connect import ConnectOptions, connect
from seatd.store.keys import partition_key, partition_of
from seatd.store.redis import Store
from seatd.store.values import Due, Granted, KickTarget, Opening, StoreUnavailable, Want
from seatd.store.verbs import StoreOptions
from seatd_protocol.messages import Device
from tests.conftest import NOW_MS, Clock
from tests.engine import PrivateEngine
from tests.licenses import license_key
from tests.model import Model, NodeLapsed
from tests.store.contents import contents, implied, leftovers

T = TypeVar("T")
Known = tuple[str, Opening]

PARTITIONS = 4
OPTIONS = StoreOptions(partitions=PARTITIONS, tomb_ms=60_000, recovery_ms=5_000)
CUSTOMERS = (
    "acme",
    next(f"beta{n}" for n in range(99) if partition_of(f"beta{n}", 4) == partition_of("acme", 4)),
)
PARTITION = partition_of("acme", PARTITIONS)
NODES = ("n1", "n2", "n3")
USERS = ("alice@one.test", "bob@one.test", "carol@two.test")
DEVICES = ("d1", "d2", "d3")
DOMAINS = (("one.test",), ("one.test", "two.test"), ("two.test",))

LICENSES = {  # id -> product, kind: a license keeps what it is, while its limit, domains and times change
    "cc-1": ("CALL_CENTER", "competitive"),
    "cc-2": ("CALL_CENTER", "competitive"),
    "cc-n": ("CALL_CENTER", "nominal"),
    "mail-1": ("EMAIL", "competitive"),
    "mail-2": ("EMAIL", "competitive"),
    "mail-n": ("EMAIL", "nominal"),
    "mail-m": ("EMAIL", "nominal"),
    "base-1": ("phone_system", "competitive"),
    "desk-1": ("device_desktop_app", "competitive"),
    "rtc-1": ("device_web_rtc", "competitive"),
    "rtc-2": ("device_web_rtc", "competitive"),
    "rtc-n": ("device_web_rtc", "nominal"),
}
FIRST_LICENSES = ("cc-1", "cc-n", "mail-1", "base-1", "desk-1", "rtc-1", "rtc-n")
PRODUCTS = tuple(dict.fromkeys(product for product, _ in LICENSES.values()))
COMBINE = {"EMAIL": "max"}
ONE_DEVICE = "device_web_rtc"
COUNTS_DEVICES = ("device_desktop_app", ONE_DEVICE)

a_customer = st.sampled_from((CUSTOMERS[0],) * 4 + CUSTOMERS[1:])
a_node = st.sampled_from(NODES)
a_pick = st.integers(0, 6)
a_user = st.sampled_from(USERS)
a_license = st.sampled_from(sorted(LICENSES))
a_nominal = st.sampled_from(("cc-n", "mail-n", "mail-m", "rtc-n", "cc-n", "rtc-n", "cc-1"))
a_cooldown = st.sampled_from((0, 0, 20_000))
a_device = st.sampled_from(DEVICES)
a_product = st.sampled_from(PRODUCTS)
need = st.lists(a_product, min_size=1, max_size=3, unique=True)
need_or_nothing = st.sampled_from((True, True, True, False)).flatmap(
    lambda some: need if some else st.just([])
)
more = st.lists(a_product, max_size=2, unique=True)
a_fence_error = st.sampled_from((0, 0, 0, 0, 1, -1))
mostly = st.sampled_from((True, True, True, False))
seldom = st.sampled_from((False, False, False, True))


def want(product: str, user: str, device: str) -> Want:
    """What a session asks for, by the rules of the catalogue."""
    devices = product in COUNTS_DEVICES
    return Want(
        product=product,
        holder=f"{user}/{device}" if devices else user,
        combine=COMBINE.get(product, "sum"),
        devices=devices,
        max_per_user=1 if product == ONE_DEVICE else 0,
        missing="base_missing" if product == "phone_system" else "not_licensed",
    )


@st.composite
def keys(draw: st.DrawFn) -> tuple[str, tuple[str, ...], list[LicenseClaim]]:
    """A customer, domains, and one to three licenses."""
    ids = draw(st.lists(a_license, min_size=1, max_size=3, unique=True))
    claims = [
        _claim(
            id_,
            limit=draw(st.integers(1, 3)),
            overdraft=draw(st.sampled_from((0, 0, 1))),
            from_ms=draw(st.sampled_from((0, 0, 0, 40_000))),
            till_ms=draw(st.sampled_from((50_000, 500_000, 600_000))),
        )
        for id_ in ids
    ]
    return draw(a_customer), draw(st.sampled_from(DOMAINS)), claims


def _claim(id_: str, *, limit: int, overdraft: int, from_ms: int, till_ms: int) -> LicenseClaim:
    product, kind = LICENSES[id_]
    return LicenseClaim(
        id=id_,
        product=product,
        kind=kind,  # type: ignore[arg-type] # one of the two words
        limit=limit,
        overdraft=overdraft,
        valid_from_ms=NOW_MS + from_ms,
        valid_till_ms=NOW_MS + till_ms,
    )


class Seats(RuleBasedStateMachine):
    """Every step is done twice: by the store and by the model."""

    openings: Bundle[Known] = Bundle("openings")
    imports: Bundle[LicenseKey] = Bundle("imports")

    def __init__(self, url: str) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = Clock()
        self.store = Store(connect(url, ConnectOptions()), OPTIONS, checked=True, now_ms=self.clock)
        self.run(self.store.client.flushall())
        self.model = Model(OPTIONS, NOW_MS)
        self.sessions = 0
        self.keys = 0
        self.joined: set[str] = set()
        self.done: dict[str, int] = {}
        self.was_used: dict[tuple[str, str], int] = {}

    # -- how a step is done -----------------------------------------------------------------------

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
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
        assert answer == expected
        return answer

    def beat_both(self, node: str, *, leave: bool = False) -> list[Due]:
        done, joined = self.done.get(node, 0), node in self.joined
        expected = self.model.beat(node, done=done, joined=joined, leave=leave)
        answer = self.run(self.store.beat(PARTITION, node, done=done, joined=joined, leave=leave))
        assert _sorted(answer) == _sorted(expected)
        self.done[node] = max([done, *(order.number for order in answer.orders)])
        return list(answer.due)

    def node(self, pick: int) -> str:
        """A node that has a lease, or now and then one that may not have."""
        return sorted(self.joined)[pick % len(self.joined)] if pick and self.joined else "n3"

    def fence(self, known: Known, error: int = 0) -> int:
        session = self.model.customer(known[0]).sessions.get(known[1].session)
        return (session.fence if session else 1) + error

    # -- steps ------------------------------------------------------------------------------------

    @initialize(limits=st.lists(st.integers(1, 2), min_size=7, max_size=7), overdraft=st.booleans())
    def begin(self, limits: list[int], overdraft: bool) -> None:
        """Two nodes, some licenses of every product, and two assignments."""
        for node in NODES[:2]:
            self.beat(node, "beat")
        claims = [
            _claim(id_, limit=limit, overdraft=int(overdraft), from_ms=0, till_ms=300_000)
            for id_, limit in zip(FIRST_LICENSES, limits, strict=True)
        ]
        self.import_key((CUSTOMERS[0], ("one.test", "two.test"), claims))
        for license in ("cc-n", "rtc-n"):
            self.assign(CUSTOMERS[0], license, USERS[0], back=False)

    @rule(
        target=openings,
        customer=a_customer,
        pick=a_pick,
        user=a_user,
        device=a_device,
        need=need_or_nothing,
        more=more,
    )
    def open(
        self, customer: str, pick: int, user: str, device: str, need: list[str], more: list[str]
    ) -> MultipleResults[Known]:
        """A new session, on the emergency path when it needs nothing."""
        self.sessions += 1
        opening = Opening(
            session=f"s{self.sessions:03}",
            secret=f"secret{self.sessions}",
            user=user,
            domain=user.partition("@")[2],
            device=Device(kind="desktop", id=device),
            need=tuple(want(product, user, device) for product in need),
            want=tuple(want(product, user, device) for product in more),
            per_user=3,
            unseated=not need and not more,
        )
        granted = isinstance(self.both("open", customer, self.node(pick), opening), Granted)
        return multiple((customer, opening)) if granted else multiple()

    @rule(target=openings, user=a_user, need=need, pick=a_pick)
    def open_everywhere(self, user: str, need: list[str], pick: int) -> MultipleResults[Known]:
        """One user on all devices."""
        opened = (self.open(CUSTOMERS[0], pick, user, device, need, []) for device in DEVICES)
        return multiple(*(known for found in opened for known in found.values))

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

    @rule(known=openings, error=a_fence_error, sure=mostly, here=mostly)
    def park(self, known: Known, error: int, sure: bool, here: bool) -> None:
        customer, opening = known
        session = self.model.customer(customer).sessions.get(opening.session)
        node = session.node if session and here else "n1"
        fence = self.fence(known, error) if sure else None
        self.both("park", customer, node, session=opening.session, fence=fence)

    @rule(known=openings, error=a_fence_error, acknowledged=st.booleans())
    def close(self, known: Known, error: int, acknowledged: bool) -> None:
        fence = self.fence(known, error)
        told = {"delivered": True, "acknowledged": acknowledged}
        self.both("close", known[0], session=known[1].session, fence=fence, **told)

    @rule(known=openings, error=a_fence_error, products=need, back=st.booleans())
    def acquire(self, known: Known, error: int, products: list[str], back: bool) -> None:
        """Further products, or some given back."""
        customer, opening = known
        fence = self.fence(known, error)
        if back:
            self.both("release", customer, session=opening.session, fence=fence, products=products)
        else:
            wants = tuple(want(product, opening.user, opening.device.id) for product in products)
            self.both("acquire", customer, session=opening.session, fence=fence, need=wants)

    @rule(known=openings, right_user=mostly, cooldown_ms=a_cooldown)
    def kick_session(self, known: Known, right_user: bool, cooldown_ms: int) -> None:
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

    def sweep_due(self, due: list[Due]) -> None:
        for customer in {item.customer for item in due}:
            self.both("sweep", customer, [item for item in due if item.customer == customer])

    @rule(known=st.lists(openings, min_size=1, max_size=4), node=a_node, error=a_fence_error)
    def reassert(self, known: list[Known], node: str, error: int) -> None:
        for customer in {name for name, _ in known}:
            held = {k[1].session: self.fence(k, error) for k in known if k[0] == customer}
            self.both("reassert", customer, node, held)

    @rule(target=imports, key=keys(), dry_run=seldom)
    def import_key(self, key: Any, dry_run: bool = False) -> LicenseKey:
        customer, domains, claims = key
        self.keys += 1
        made = license_key(*claims, customer=customer, domains=domains, jti=f"k{self.keys}", iat=self.keys)
        self.both("put_license", made, dry_run=dry_run)
        return made

    @rule(key=imports, drop=st.booleans())
    def import_again(self, key: LicenseKey, drop: bool) -> None:
        """The same key once more, perhaps after one of its licenses was withdrawn."""
        if drop:
            self.both("drop_license", key.customer.id, key.licenses[0].id)
        self.both("put_license", key)

    @rule(customer=a_customer, license=a_license)
    def drop_license(self, customer: str, license: str) -> None:
        self.both("drop_license", customer, license)

    @rule(customer=a_customer, license=a_nominal, user=a_user, back=seldom)
    def assign(self, customer: str, license: str, user: str, back: bool) -> None:
        if back:
            self.both("unassign", customer, license, user)
        else:
            combine = COMBINE.get(LICENSES[license][0], "sum")
            self.both("assign", customer, license, user, domain=user.partition("@")[2], combine=combine)

    @rule(
        ms=st.sampled_from((1, 2_500, 10_001, 24_000, 30_000)), silent=st.sampled_from(("", "", "", *NODES))
    )
    def time_passes(self, ms: int, silent: str) -> None:
        """The nodes go on beating meanwhile, but for one perhaps."""
        while ms > 0:
            step = min(ms, OPTIONS.node_lease_ms)
            self.clock.pass_ms(step)
            self.model.now_ms = self.clock.now_ms
            for node in sorted(self.joined - {silent}):
                self.beat_both(node)
            ms -= step

    @rule(node=a_node, passes=mostly)
    def server_changes(self, node: str, passes: bool) -> None:
        """Another server has the data; the beat is what finds it out, and mostly the recovery window passes."""
        self.run(self.store.client.hset(partition_key("meta", PARTITION), "replid", "f" * 40))
        self.model.lose_identity()
        self.beat(node, "beat")
        if passes:
            self.time_passes(OPTIONS.recovery_ms, "")

    # -- what holds after every step ----------------------------------------------------------------

    @invariant()
    def every_index_follows_from_the_sessions(self) -> None:
        assert self.run(contents(self.store, PARTITION, CUSTOMERS)) == implied(self.model, CUSTOMERS)

    @invariant()
    def used_stays_within_the_limit(self) -> None:
        """Above limit and overdraft only where the limit was lowered or the license dropped; and then it never grows."""
        for name in CUSTOMERS:
            customer = self.model.customer(name)
            counted = {row["id"]: row for row in self.run(self.store.call("snapshot", name)).body["licenses"]}
            assert set(counted) == set(customer.licenses)
            for id_, (_, kind) in LICENSES.items():
                used = len(customer.holders(id_))
                if license := customer.licenses.get(id_):
                    assert counted[id_]["online"] == used
                    assert counted[id_]["used"] == (customer.assignments(id_) if kind == "nominal" else used)
                allowed = license.limit + license.overdraft if license else 0
                if kind == "competitive":
                    assert used <= max(allowed, self.was_used.get((name, id_), 0))
                    self.was_used[name, id_] = used

    def teardown(self) -> None:
        try:
            self.everybody_leaves()
            assert self.run(leftovers(self.store)) == []
        finally:
            self.run(self.store.close_client())
            self.loop.close()

    def everybody_leaves(self) -> None:
        """Time enough passes for every lease, linger, tomb and cool-down; the last node cleans up and leaves."""
        for ms in (OPTIONS.recovery_ms + OPTIONS.node_lease_ms, OPTIONS.linger_ms, OPTIONS.tomb_ms + 1):
            self.clock.pass_ms(ms)
            self.model.now_ms = self.clock.now_ms
            while due := self.beat_both("n9"):
                self.sweep_due(due)
        self.beat_both("n9", leave=True)


def _sorted(beat: Any) -> Any:
    due = sorted(beat.due, key=lambda item: (item.customer, item.session, item.node))
    return msgspec.structs.replace(beat, due=tuple(due))


def test_store_and_model_agree(engine: PrivateEngine) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call] # hypothesis leaves it so
        lambda: Seats(engine.url),
        settings=settings(
            max_examples=int(os.environ.get("N", 80)),
            stateful_step_count=40,
            deadline=None,
            report_multiple_bugs=False,
            phases=[p for p in Phase if p.name not in os.environ.get("SKIP", "")],
            derandomize="CI" in os.environ,
            suppress_health_check=list(HealthCheck),
        ),
    )
