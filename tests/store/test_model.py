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
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from seatd.licensing.keys import LicenseClaim, LicenseKey
from seatd.store.connect import ConnectOptions, connect
from seatd.store.keys import partition_key, partition_of
from seatd.store.redis import Store
from seatd.store.values import Due, KickTarget, Opening, StoreUnavailable, Want
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
OPTIONS = StoreOptions(partitions=PARTITIONS, tomb_ms=60_000, recovery_ms=15_000)
COOLDOWN_MS = 20_000
CUSTOMERS = (
    "acme",
    next(f"beta{n}" for n in range(99) if partition_of(f"beta{n}", 4) == partition_of("acme", 4)),
)
PARTITION = partition_of("acme", PARTITIONS)
NODES = ("n1", "n2", "n3")
USERS = ("alice@one.test", "bob@one.test", "carol@two.test", "dave@two.test")
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
PRODUCTS = tuple(dict.fromkeys(product for product, _ in LICENSES.values()))
COMBINE = {"EMAIL": "max"}
ONE_DEVICE = "device_web_rtc"
COUNTS_DEVICES = ("device_desktop_app", ONE_DEVICE)

a_customer = st.sampled_from((CUSTOMERS[0],) * 4 + CUSTOMERS[1:])
a_node = st.sampled_from(NODES)
a_user = st.sampled_from(USERS)
a_license = st.sampled_from(sorted(LICENSES))
a_nominal = st.sampled_from(("cc-n", "mail-n", "mail-m", "rtc-n", "cc-n", "rtc-n", "cc-1"))
some_products = st.lists(st.sampled_from(PRODUCTS), max_size=3, unique=True)
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
    claims = []
    for id_ in draw(st.lists(a_license, min_size=1, max_size=3, unique=True)):
        product, kind = LICENSES[id_]
        claims.append(
            LicenseClaim(
                id=id_,
                product=product,
                kind=kind,  # type: ignore[arg-type] # one of the two words
                limit=draw(st.integers(1, 3)),
                overdraft=draw(st.sampled_from((0, 0, 1))),
                valid_from_ms=NOW_MS + draw(st.sampled_from((0, 0, 0, 40_000))),
                valid_till_ms=NOW_MS + draw(st.sampled_from((50_000, 500_000, 600_000))),
            )
        )
    return draw(a_customer), draw(st.sampled_from(DOMAINS)), claims


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

    def fence(self, known: Known, error: int = 0) -> int:
        session = self.model.customer(known[0]).sessions.get(known[1].session)
        return (session.fence if session else 1) + error

    # -- steps ------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        for node in NODES[:2]:
            self.beat(node)
        self.import_key(
            (
                CUSTOMERS[0],
                ("one.test", "two.test"),
                [
                    LicenseClaim(
                        id=id_,
                        product=LICENSES[id_][0],
                        kind="competitive",
                        limit=2,
                        valid_from_ms=NOW_MS,
                        valid_till_ms=NOW_MS + 400_000,
                    )
                    for id_ in ("cc-1", "mail-1", "base-1", "desk-1", "rtc-1")
                ],
            )
        )

    @rule(
        target=openings,
        customer=a_customer,
        node=a_node,
        user=a_user,
        device=st.sampled_from(DEVICES),
        need=some_products,
        more=some_products,
        unseated=seldom,
    )
    def open(
        self,
        customer: str,
        node: str,
        user: str,
        device: str,
        need: list[str],
        more: list[str],
        unseated: bool,
    ) -> Known:
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
            unseated=unseated and not need,
        )
        self.both("open", customer, node, opening)
        return customer, opening

    @rule(known=openings, node=a_node, right=mostly)
    def open_again(self, known: Known, node: str, right: bool) -> None:
        customer, opening = known
        secret = opening.secret if right else "another"
        self.both("open", customer, node, msgspec.structs.replace(opening, secret=secret))

    @rule(known=openings, node=a_node, right_secret=mostly, right_user=mostly)
    def attach(self, known: Known, node: str, right_secret: bool, right_user: bool) -> None:
        customer, opening = known
        self.both(
            "attach",
            customer,
            node,
            session=opening.session,
            secret=opening.secret if right_secret else "another",
            user=opening.user if right_user else "mallory@one.test",
        )

    @rule(known=openings, node=a_node, error=a_fence_error, sure=mostly)
    def park(self, known: Known, node: str, error: int, sure: bool) -> None:
        fence = self.fence(known, error) if sure else None
        self.both("park", known[0], node, session=known[1].session, fence=fence)

    @rule(known=openings, error=a_fence_error, acknowledged=st.booleans())
    def close(self, known: Known, error: int, acknowledged: bool) -> None:
        fence = self.fence(known, error)
        told = {"delivered": True, "acknowledged": acknowledged}
        self.both("close", known[0], session=known[1].session, fence=fence, **told)

    @rule(known=openings, error=a_fence_error, products=some_products)
    def acquire(self, known: Known, error: int, products: list[str]) -> None:
        customer, opening = known
        need = tuple(want(product, opening.user, opening.device.id) for product in products)
        self.both("acquire", customer, session=opening.session, fence=self.fence(known, error), need=need)

    @rule(known=openings, error=a_fence_error, products=some_products)
    def release(self, known: Known, error: int, products: list[str]) -> None:
        fence = self.fence(known, error)
        self.both("release", known[0], session=known[1].session, fence=fence, products=products)

    @rule(customer=a_customer, user=a_user)
    def kick_user(self, customer: str, user: str) -> None:
        self.kick(customer, KickTarget(user=user))

    @rule(known=openings, right_user=mostly)
    def kick_session(self, known: Known, right_user: bool) -> None:
        user = None if right_user else "mallory@one.test"
        self.kick(known[0], KickTarget(session=known[1].session, user=user))

    @rule(
        customer=a_customer,
        whom=st.one_of(
            a_license.map(lambda id_: KickTarget(license=id_)),
            st.sampled_from(("one.test", "two.test")).map(lambda domain: KickTarget(domain=domain)),
            st.just(KickTarget(everyone=True)),
        ),
    )
    def kick_many(self, customer: str, whom: KickTarget) -> None:
        self.kick(customer, whom)

    def kick(self, customer: str, target: KickTarget) -> None:
        told = {"message": "out", "by": "root", "cooldown_ms": COOLDOWN_MS, "reply_to": "n1"}
        self.both("kick", customer, target, **told)

    @rule(node=a_node)
    def beat(self, node: str) -> None:
        self.beat_both(node)
        self.joined.add(node)

    @rule(node=a_node)
    def beat_and_sweep(self, node: str) -> None:
        self.joined.add(node)
        self.sweep_due(self.beat_both(node))

    @rule(node=a_node)
    def leave(self, node: str) -> None:
        self.beat_both(node, leave=True)
        self.joined.discard(node)

    @rule(known=st.lists(openings, max_size=4), node=st.sampled_from(("", *NODES)))
    def sweep_any(self, known: list[Known], node: str) -> None:
        self.sweep_due([Due(customer=name, session=o.session, node=node) for name, o in known])

    def sweep_due(self, due: list[Due]) -> None:
        for customer in CUSTOMERS:
            self.both("sweep", customer, [item for item in due if item.customer == customer])

    @rule(known=st.lists(openings, max_size=4), node=a_node, error=a_fence_error)
    def reassert(self, known: list[Known], node: str, error: int) -> None:
        for customer in CUSTOMERS:
            held = {k[1].session: self.fence(k, error) for k in known if k[0] == customer}
            self.both("reassert", customer, node, held)

    @rule(target=imports, key=keys(), dry_run=seldom)
    def import_key(self, key: Any, dry_run: bool = False) -> LicenseKey:
        customer, domains, claims = key
        self.keys += 1
        made = license_key(*claims, customer=customer, domains=domains, jti=f"k{self.keys}", iat=self.keys)
        self.both("put_license", made, dry_run=dry_run)
        return made

    @rule(key=imports)
    def import_again(self, key: LicenseKey) -> None:
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

    @rule(ms=st.sampled_from((1, 2_500, 10_000, 10_001, 24_000, 30_000)))
    def time_passes(self, ms: int) -> None:
        self.clock.pass_ms(ms)
        self.model.now_ms = self.clock.now_ms

    @rule(node=a_node)
    def server_changes(self, node: str) -> None:
        """Another server has the data; the beat is what finds it out."""
        self.run(self.store.client.hset(partition_key("meta", PARTITION), "replid", "f" * 40))
        self.model.lose_identity()
        self.beat(node)

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
        """Time enough passes for every lease, linger, tomb and cool-down; one node is left to clean up, then it leaves."""
        for ms in (OPTIONS.recovery_ms, OPTIONS.linger_ms, OPTIONS.client_lease_ms, OPTIONS.tomb_ms + 1):
            self.time_passes(ms)
            for _ in range(3):
                self.sweep_due(self.beat_both("n9"))
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
