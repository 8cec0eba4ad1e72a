"""The node's right to speak for its sessions, on a clock that the test moves and a real store on the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from seatd.hub.leases import LeaseEvents, Leases
from seatd.hub.options import HubOptions
from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.values import DueLicense, KickTarget, Opening, Order, StoreUnavailable
from seatd.store.verbs import StoreOptions
from seatd_protocol.messages import Device
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.hub.conftest import TIMEOUT_S, states
from tests.licenses import Licensed
from tests.servers import eventually

LEASE_S, GRACE_S = 10.0, 900.0
NODE = "a~1"


class Told:
    """Whom the leases tell: it notes what and when, and can fail."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, int]] = []
        self.reasserted: list[int] = []
        self.settled: list[int] = []
        self.licenses: list[str] = []
        self.then: Callable[[int], None] = lambda partition: None

    def carry_out(self, partition: int, order: Order) -> None:
        self.orders.append((order.type, order.number))
        self.then(partition)

    async def reassert(self, partition: int) -> None:
        self.reasserted.append(partition)
        self.then(partition)

    def look_after(self, licenses: Sequence[DueLicense]) -> None:
        self.licenses += [item.license for item in licenses]

    def settle(self, partition: int) -> None:
        self.settled.append(partition)

    @property
    def events(self) -> LeaseEvents:
        return LeaseEvents(
            carry_out=self.carry_out, reassert=self.reassert, settled=self.settle, look_after=self.look_after
        )


@pytest.fixture
def store_options() -> StoreOptions:
    return StoreOptions(partitions=2, node_lease_ms=int(LEASE_S * 1000))


@pytest.fixture
async def own_store(
    store: Store, engine: PrivateEngine, store_options: StoreOptions, clock: Clock
) -> AsyncIterator[Store]:
    """The node's own way to the store: it does not wait long."""
    options = ConnectOptions(timeout_s=TIMEOUT_S)
    own = Store(connect(engine.url, options), store_options, checked=True, now_ms=clock)
    yield own
    await own.close_client()


@pytest.fixture
def told() -> Told:
    return Told()


def leases_of(store: Store, told: Told, clock: Clock, node: str = NODE, **options: Any) -> Leases:
    settings = HubOptions(
        name="a", node=node, lease_s=LEASE_S, renew_s=0.01, store_grace_s=GRACE_S, **options
    )
    return Leases(store, settings, told.events, clock=lambda: clock.now_ms / 1000)


@pytest.fixture
async def leases(own_store: Store, told: Told, clock: Clock) -> Leases:
    """Leases that are held."""
    held = leases_of(own_store, told, clock)
    await held.join()
    return held


async def once(leases: Leases) -> None:
    """One round of renewals, whatever comes of it."""
    await asyncio.gather(*(leases.round(number) for number in range(2)))


async def opened(store: Store, user: str = "ann", node: str = NODE) -> None:
    opening = Opening(
        session=f"{user}-session",
        secret="secret",
        user=f"{user}@acme.example",
        domain="acme.example",
        device=Device(kind="desktop", id="d1"),
    )
    await store.open("acme", node, opening)


async def test_without_a_lease_nobody_is_spoken_for(own_store: Store, told: Told, clock: Clock) -> None:
    leases = leases_of(own_store, told, clock)
    assert not leases.may_beat(0)
    assert leases.lapsed_s(0) > 0


async def test_a_lease_lasts_from_before_it_was_asked_for(leases: Leases, clock: Clock) -> None:
    assert (leases.may_beat(0), leases.remaining_s(), leases.lapsed_s(1)) == (True, LEASE_S, -LEASE_S)
    clock.pass_ms(9_999)
    assert leases.may_beat(0)
    clock.pass_ms(1)
    assert not leases.may_beat(0)
    assert not leases.may_beat(1)


async def test_every_renewal_makes_it_last_longer(leases: Leases, clock: Clock, told: Told) -> None:
    for _ in range(5):
        clock.pass_ms(9_000)
        await once(leases)
    assert leases.remaining_s() == LEASE_S
    assert told.reasserted == []


async def test_a_frozen_node_reasserts_before_it_speaks_again(
    leases: Leases, clock: Clock, told: Told
) -> None:
    """A process that was stopped for longer than its lease: others may have taken its sessions meanwhile."""
    clock.pass_ms(60_000)
    spoke: list[bool] = []
    told.then = lambda partition: spoke.append(leases.may_beat(partition))
    await once(leases)
    assert (sorted(told.reasserted), spoke) == ([0, 1], [False, False])
    assert leases.may_beat(0)
    await once(leases)
    assert len(told.reasserted) == 2


async def test_a_reassertion_that_fails_is_made_again(leases: Leases, clock: Clock, told: Told) -> None:
    def fail(partition: int) -> None:
        if len(told.reasserted) <= 2:
            raise StoreUnavailable("lost on the way")

    clock.pass_ms(60_000)
    told.then = fail
    await once(leases)
    assert not leases.may_beat(0)
    # The store has renewed the lease already and says nothing of a lapse any more; this node must remember.
    await once(leases)
    assert sorted(told.reasserted) == [0, 0, 1, 1]
    assert leases.may_beat(0)


async def test_while_the_store_is_away_clients_are_kept_for_the_grace(
    leases: Leases, clock: Clock, engine: PrivateEngine, told: Told
) -> None:
    with engine.paused():
        await once(leases)
        assert leases.away_s == 0.0
        clock.pass_ms(60_000)
        assert leases.away_s == 60.0
        assert leases.may_beat(0)
        clock.pass_ms(int(GRACE_S) * 1000 - 60_001)
        assert leases.may_beat(0)
        clock.pass_ms(1)
        assert not leases.may_beat(0)
        told.settled.clear()
    await once(leases)
    assert (leases.away_s, leases.may_beat(0)) == (0.0, True)
    assert (sorted(told.reasserted), sorted(told.settled)) == ([0, 1], [0, 1])


async def test_a_frozen_node_that_wakes_without_a_store_has_no_grace(
    leases: Leases, clock: Clock, engine: PrivateEngine
) -> None:
    """Its lease was over before the store was away: its seats may long be somebody else's."""
    clock.pass_ms(60_000)
    with engine.paused():
        await once(leases)
        assert leases.away_s == 0.0
        assert not leases.may_beat(0)
        clock.pass_ms(1_000)
        assert not leases.may_beat(0)
    await once(leases)
    assert leases.may_beat(0)


async def test_in_strict_mode_there_is_no_grace(
    own_store: Store, clock: Clock, engine: PrivateEngine, told: Told
) -> None:
    leases = leases_of(own_store, told, clock, strict=True)
    await leases.join()
    with engine.paused():
        await once(leases)
        assert leases.may_beat(0)
        clock.pass_ms(int(LEASE_S) * 1000)
        assert not leases.may_beat(0)


async def test_there_is_no_start_without_a_store(
    own_store: Store, clock: Clock, engine: PrivateEngine, told: Told
) -> None:
    with engine.paused(), pytest.raises(StoreUnavailable):
        await leases_of(own_store, told, clock).join()


async def test_orders_are_carried_out_once_and_before_the_lease_is_renewed(
    leases: Leases, store: Store, clock: Clock, told: Told
) -> None:
    """A lease that was renewed before its orders are read could outlive a forced logout."""
    for user in ("ann", "bob", "cid"):
        await opened(store, user)
    await store.kick("acme", KickTarget(everyone=True), message="", by="", cooldown_ms=0, reply_to="")
    clock.pass_ms(5_000)
    left: list[float] = []
    told.then = lambda partition: left.append(-leases.lapsed_s(partition))
    for _ in range(2):
        await once(leases)
    assert [type_ for type_, _ in told.orders] == ["logout"] * 3
    assert [number for _, number in told.orders] == sorted({number for _, number in told.orders})
    assert left == [5.0, 5.0, 5.0]
    assert leases.remaining_s() == LEASE_S


async def test_an_order_that_cannot_be_carried_out_harms_no_other_partition(
    leases: Leases, store: Store, clock: Clock, told: Told
) -> None:
    def fail(partition: int) -> None:
        raise RuntimeError("trouble")

    await opened(store)
    await store.kick("acme", KickTarget(everyone=True), message="", by="", cooldown_ms=0, reply_to="")
    clock.pass_ms(5_000)
    told.then = fail
    await once(leases)
    own = store.partition("acme")
    assert leases.lapsed_s(1 - own) == -LEASE_S
    assert leases.lapsed_s(own) == -5.0


async def test_a_license_that_ends_between_two_beats_has_one_of_its_own(
    own_store: Store, told: Told, clock: Clock, licensed: Licensed
) -> None:
    await licensed(id="cc", valid_till_ms=clock.now_ms + 40)
    settings = HubOptions(name="a", node=NODE, lease_s=LEASE_S, renew_s=60)
    leases = Leases(own_store, settings, told.events, clock=lambda: clock.now_ms / 1000)
    await leases.join()
    assert leases.store_ms(own_store.partition("acme")) == clock.now_ms
    assert told.licenses == []
    clock.pass_ms(40)
    await eventually(lambda: told.licenses == ["cc"])
    await leases.leave()


async def test_many_wake_ups_make_few_beats(leases: Leases, told: Told) -> None:
    for _ in range(100):
        leases.wake(0)
    leases.wake(77)
    await leases.round(77)
    assert told.settled.count(0) == 1 + 1
    assert told.settled.count(1) == 1


async def test_the_sessions_of_a_dead_node_are_parked_by_another(
    leases: Leases, own_store: Store, store: Store, clock: Clock, told: Told, licensed: Licensed
) -> None:
    await licensed()
    await opened(store)
    other = leases_of(own_store, told, clock, node="b~1")
    await other.join()
    clock.pass_ms(5_000)
    await once(other)
    assert await states(store) == {"ann": "attached"}
    clock.pass_ms(5_001)
    await once(other)
    assert await states(store) == {"ann": "parked"}
    clock.pass_ms(30_000)
    await once(other)
    assert await states(store) == {}


async def test_who_leaves_is_missed_at_once(
    leases: Leases, store: Store, clock: Clock, told: Told, licensed: Licensed
) -> None:
    await licensed()
    await opened(store)
    await leases.leave()
    assert not leases.may_beat(0)
    clock.pass_ms(1)
    other = leases_of(store, told, clock, node="b~1")
    await other.join()
    await once(other)
    assert await states(store) == {"ann": "parked"}


async def test_it_renews_by_itself(leases: Leases, clock: Clock) -> None:
    clock.pass_ms(5_000)
    renewing = asyncio.create_task(leases.renew())
    await eventually(lambda: leases.remaining_s() == LEASE_S)
    renewing.cancel()
