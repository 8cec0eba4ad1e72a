"""A partition's own time: it never goes back, and a time in which nobody beat hardly counts.

The engine's real clock is read here; what moves is what the partition has written down of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from seatd.store.connect import ConnectOptions, connect
from seatd.store.keys import partition_key
from seatd.store.redis import Store
from seatd.store.values import Beat, Denied, Granted, Opening, Want
from seatd.store.verbs import StoreOptions
from seatd_protocol.messages import Device
from tests.engine import PrivateEngine
from tests.licenses import CUSTOMER, DOMAIN, license_claim, license_key

T_MS, J_MS = 10_000, 5_000
HOUR_MS = 3600_000
LATE_MS = 2_000
"""What a busy machine may take between two calls."""


@pytest.fixture
async def real(engine: PrivateEngine) -> AsyncIterator[Store]:
    """A store on its engine's own time, with one partition and two nodes in it."""
    made = Store(
        connect(engine.url, ConnectOptions()), StoreOptions(partitions=1, node_lease_ms=T_MS), checked=True
    )
    await made.client.flushall()
    for node in ("n1", "n2"):
        await made.beat(0, node, done=0, joined=False)
    yield made
    await made.close_client()


async def beat(store: Store, node: str = "n1") -> Beat:
    return await store.beat(0, node, done=0, joined=True)


async def jump(store: Store, by_ms: int) -> None:
    """The engine's clock jumps, or nobody could talk to it for that long: since the last beat, `by_ms` more have gone by."""
    await store.client.hincrby(partition_key("meta", 0), "offset_ms", by_ms)


async def opened(store: Store, session: str, node: str) -> None:
    device = Device(kind="desktop", id=session)
    opening = Opening(session=session, secret="s", user=f"{session}@{DOMAIN}", domain=DOMAIN, device=device)
    assert isinstance(await store.open(CUSTOMER, node, opening), Granted)


async def test_it_goes_with_the_engines_clock(real: Store) -> None:
    first, second = await beat(real), await beat(real)
    assert first.now_ms == first.wall_ms
    assert first.now_ms <= second.now_ms == second.wall_ms


async def test_a_time_without_beats_counts_five_seconds_at_most(real: Store) -> None:
    before = await beat(real)
    await jump(real, HOUR_MS)
    after = await beat(real)
    assert J_MS - LATE_MS <= after.now_ms - before.now_ms <= J_MS
    assert (await beat(real)).now_ms - after.now_ms < LATE_MS


async def test_so_no_lease_has_run_out_in_it_and_nobody_is_swept(real: Store) -> None:
    """All nodes have lost the store for longer than T + G: the first one back finds the others' sessions as they were."""
    await opened(real, "mine", "n1")
    await opened(real, "other", "n2")
    await opened(real, "parked", "n2")
    await real.park(CUSTOMER, "n2", session="parked", fence=1)
    await jump(real, HOUR_MS)
    first = await beat(real, "n1")
    assert (first.lapsed, first.due) == (False, ())
    assert not (await beat(real, "n2")).lapsed


async def test_what_comes_before_the_first_beat_is_judged_by_the_same_time(real: Store) -> None:
    await opened(real, "s1", "n1")
    await jump(real, HOUR_MS)
    attached = await real.attach(CUSTOMER, "n2", session="s1", secret="s", user=f"s1@{DOMAIN}")
    assert isinstance(attached, Granted)  # `lapsed` when the lease of n2 had run out


async def test_it_never_goes_back(real: Store) -> None:
    before = await beat(real)
    await jump(real, -HOUR_MS)
    after = await beat(real)
    assert before.now_ms - LATE_MS <= after.now_ms <= before.now_ms + LATE_MS


async def test_its_seconds_are_real_seconds_after_a_jump(real: Store) -> None:
    for by_ms in (HOUR_MS, -HOUR_MS):
        await beat(real)
        await jump(real, by_ms)
        first = await beat(real)
        second = await beat(real)
        assert second.now_ms - first.now_ms == pytest.approx(second.wall_ms - first.wall_ms, abs=1)


async def test_a_license_ends_by_the_calendar(real: Store) -> None:
    """However long the store was away: what a contract says is a date."""
    wall_ms = (await beat(real)).wall_ms
    behind: dict[Any, Any] = {"clock_ms": wall_ms - HOUR_MS, "offset_ms": -HOUR_MS}
    await real.client.hset(partition_key("meta", 0), mapping=behind)
    await beat(real)
    await real.put_license(license_key(license_claim(valid_till_ms=wall_ms - HOUR_MS // 2)))
    want = Want(product="CALL_CENTER", holder=f"s1@{DOMAIN}", combine="sum")
    device = Device(kind="desktop", id="s1")
    opening = Opening(
        session="s1", secret="s", user=f"s1@{DOMAIN}", domain=DOMAIN, device=device, need=(want,)
    )
    answer = await real.open(CUSTOMER, "n1", opening)
    assert isinstance(answer, Denied)
    assert answer.code == "license_expired"


async def test_and_so_do_its_warnings_and_its_policy(real: Store) -> None:
    """The partition's own time is an hour behind, for the store was away: who looks after a license goes by the date."""
    wall_ms = (await beat(real)).wall_ms
    await real.put_license(license_key(license_claim(valid_till_ms=wall_ms + HOUR_MS)))
    holder = f"s1@{DOMAIN}"
    want = Want(product="CALL_CENTER", holder=holder, combine="sum")
    device = Device(kind="desktop", id="s1")
    opening = Opening(
        session="s1", secret="s", user=holder, domain=DOMAIN, device=device, need=(want,), want=()
    )
    assert isinstance(await real.open(CUSTOMER, "n1", opening), Granted)
    behind: dict[Any, Any] = {"clock_ms": wall_ms - HOUR_MS, "offset_ms": -HOUR_MS}
    await real.client.hset(partition_key("meta", 0), mapping=behind)
    ended = license_claim(valid_till_ms=wall_ms - HOUR_MS // 2, policy={"on_expiry": "evict"})
    await real.put_license(license_key(ended, jti="key-2", iat=1_700_000_001))
    found = await beat(real)
    assert found.now_ms < ended.valid_till_ms < found.wall_ms
    assert [item.license for item in found.licenses] == [ended.id]
    assert (await real.review(CUSTOMER, ended.id)).everybody
    assert await real.enforce(CUSTOMER, ended.id, [holder], {}) == 1
    (order,) = (await beat(real)).orders
    assert (order.session, order.code) == ("s1", "license_ended")
