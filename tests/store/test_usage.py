"""What is metered, at the edges: of hours, days and months, of the five seconds, of a full store, of data that was lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from seatd.store.connect import ConnectOptions, connect
from seatd.store.keys import customer_key
from seatd.store.redis import Store
from seatd.store.usage_values import DAY_MS, HOUR_MS, Level, Scope, UsageRow, field_of, number_of
from seatd.store.values import Denied, Held, HeldRecord
from seatd.store.verbs import StoreOptions
from seatd_protocol.messages import Device
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.licenses import Licensed
from tests.store.office import Office, person
from tests.store.replay import check_usage, stream

NEW_YEAR_MS = 1_798_761_600_000
DENIAL = {
    "code": "not_licensed", "product": "EMAIL", "domain": "acme.example", "user": person("ann"), "times": 1,
}  # fmt: skip
CUSTOMER, CC = Scope("customer"), Scope("license", license="cc")


@pytest.fixture
async def late(office: Office, licensed: Licensed) -> Office:
    """Half an hour before the year 2027; a license of one seat."""
    await set_time(office, NEW_YEAR_MS - HOUR_MS // 2)
    await licensed("CALL_CENTER", 1, id="cc")
    return office


async def set_time(office: Office, at_ms: int) -> None:
    office.clock.now_ms = at_ms
    await office.join("n1", "n2")


async def row(office: Office, level: Level, at_ms: int, scope: Scope = CUSTOMER) -> UsageRow:
    ((found,),) = await office.store.usage(office.customer, [scope], level, [number_of(level, at_ms)])
    return found


async def test_a_seat_held_over_the_end_of_a_year(late: Office) -> None:
    alice = await late.open("alice", "CALL_CENTER")
    await set_time(late, NEW_YEAR_MS + 2 * HOUR_MS + 5)
    assert (await row(late, "hour", NEW_YEAR_MS + 1)).seat_ms == HOUR_MS  # nothing was closed yet
    await late.close(alice)
    half, hour = HOUR_MS // 2, HOUR_MS
    for level, before_ms, after_ms in (
        ("hour", half, hour),
        ("day", half, 2 * hour + 5),
        ("month", half, 2 * hour + 5),
    ):
        assert (await row(late, level, NEW_YEAR_MS - 1)).seat_ms == before_ms  # type: ignore[arg-type]
        assert (await row(late, level, NEW_YEAR_MS)).seat_ms == after_ms  # type: ignore[arg-type]
    last = await row(late, "hour", NEW_YEAR_MS + 2 * HOUR_MS)
    assert (last.peak, last.seat_ms, last.grants, last.by_count) == (1, 5, 0, {1: 5})
    await check_usage(late.store, late.customer, late.clock.now_ms)


async def test_a_seat_given_back_in_the_first_moment_of_an_hour(late: Office) -> None:
    alice = await late.open("alice", "CALL_CENTER")
    await set_time(late, NEW_YEAR_MS)
    await late.close(alice)
    await set_time(late, NEW_YEAR_MS + HOUR_MS)
    assert await row(late, "hour", NEW_YEAR_MS) == UsageRow(peak=1)
    await check_usage(late.store, late.customer, late.clock.now_ms)


async def test_a_seat_held_for_years(late: Office) -> None:
    """Of the time in between the last 800 days get rows, and of hours the last 40 days."""
    alice = await late.open("alice", "CALL_CENTER")
    await set_time(late, NEW_YEAR_MS + 1000 * DAY_MS)
    await late.close(alice)
    now_ms = late.clock.now_ms
    assert (await row(late, "day", now_ms - DAY_MS)).seat_ms == DAY_MS
    assert (await row(late, "day", now_ms - 800 * DAY_MS)).seat_ms == DAY_MS
    assert (await row(late, "day", now_ms - 801 * DAY_MS)) == UsageRow()
    assert (await row(late, "hour", now_ms - 960 * HOUR_MS)).seat_ms == HOUR_MS
    assert (await row(late, "hour", now_ms - 961 * HOUR_MS)) == UsageRow()


@pytest.mark.parametrize(("later_ms", "healed"), [(0, 1), (5_000, 1), (5_001, 0)])
async def test_a_denial_heals_within_five_seconds(late: Office, later_ms: int, healed: int) -> None:
    alice = await late.open("alice", "CALL_CENTER")
    await late.refused("bob", "CALL_CENTER")
    late.clock.pass_ms(later_ms)
    await late.close(alice)
    await late.open("bob", "CALL_CENTER")
    for scope in (CUSTOMER, CC, Scope("product", product="CALL_CENTER")):
        found = await row(late, "hour", late.clock.now_ms, scope)
        assert (found.denials, found.healed) == ({"no_seat": 1}, healed)


async def test_somebody_elses_grant_heals_nothing(late: Office) -> None:
    alice = await late.open("alice", "CALL_CENTER")
    await late.refused("bob", "CALL_CENTER")
    await late.close(alice)
    await late.open("carol", "CALL_CENTER")
    assert (await row(late, "hour", late.clock.now_ms)).healed == 0


async def test_a_denial_heals_in_the_next_hour(late: Office) -> None:
    """Where it is healed, it is counted, also in an hour in which nothing else was."""
    await set_time(late, NEW_YEAR_MS - 1)
    alice = await late.open("alice", "CALL_CENTER")
    await late.refused("bob", "CALL_CENTER")
    await late.close(alice)
    await set_time(late, NEW_YEAR_MS + 1)
    await late.open("bob", "CALL_CENTER")
    assert (await row(late, "hour", NEW_YEAR_MS)).healed == 1
    assert (await row(late, "hour", NEW_YEAR_MS - 1)).denials == {"no_seat": 1}
    await check_usage(late.store, late.customer, late.clock.now_ms)


async def test_a_shared_seat_is_one_seat(late: Office) -> None:
    await late.open("alice", "CALL_CENTER", device="d1")
    await late.open("alice", "CALL_CENTER", device="d2")
    found = await row(late, "hour", late.clock.now_ms)
    assert (found.peak, found.grants) == (1, 1)


async def test_seats_in_the_overdraft(late: Office, licensed: Licensed) -> None:
    await licensed("EMAIL", 1, id="mail", overdraft=1)
    await late.open("alice", "EMAIL", device="alice")
    bob = await late.open("bob", "EMAIL", device="bob")
    late.clock.pass_ms(1000)
    await late.join("n1")
    await late.close(bob)
    late.clock.pass_ms(500)
    found = await row(late, "hour", late.clock.now_ms)
    assert (found.peak, found.seat_ms, found.over_ms) == (2, 2500, 1000)
    await check_usage(late.store, late.customer, late.clock.now_ms)


async def test_time_never_goes_back(late: Office) -> None:
    alice = await late.open("alice", "CALL_CENTER")
    late.clock.pass_ms(-HOUR_MS)
    await late.close(alice)
    late.clock.pass_ms(HOUR_MS + 10)
    bob = await late.open("bob", "CALL_CENTER")
    late.clock.pass_ms(10)
    await late.close(bob)
    assert (await row(late, "hour", late.clock.now_ms)).seat_ms == 10
    times = [event.at_ms for event in await stream(late.store, late.customer)]
    assert times == sorted(times)
    await check_usage(late.store, late.customer, late.clock.now_ms)


async def test_meters_that_disagree_with_the_seats_are_counted_anew(late: Office, licensed: Licensed) -> None:
    await licensed("EMAIL", 5, id="mail", overdraft=1)
    for name in ("alice", "bob"):
        await late.open(name, "EMAIL", device=name)
    await late.store.client.delete(customer_key("meters", late.partition, late.customer))
    carol = await late.open("carol", "EMAIL", device="carol")
    events = [event.type for event in await stream(late.store, late.customer)]
    assert events[-1] == "recounted"
    _, meters = await late.store.meters(late.customer, [CUSTOMER, Scope("license", license="mail")])
    assert [meter and meter.count for meter in meters] == [3, 3]
    await late.close(carol)
    _, (meter,) = await late.store.meters(late.customer, [CUSTOMER])
    assert meter
    assert meter.count == 2


async def recounts(office: Office) -> int:
    return [event.type for event in await stream(office.store, office.customer)].count("recounted")


async def add_stray(office: Office, license: str) -> None:
    name = customer_key("seats", office.partition, office.customer)
    await office.store.client.zadd(
        name, {f"{license}\0ghost@acme.example": 0, f"{license}\1desk\0ghost@acme.example": 0}
    )


async def test_a_seat_of_no_session_is_taken_out(late: Office, licensed: Licensed) -> None:
    """Otherwise every sign-in would count everything anew, for ever."""
    await licensed("EMAIL", 5, id="mail")
    await late.open("alice", "EMAIL")
    await late.park(await late.open("bob", "EMAIL"))
    await late.open("carol", "EMAIL")
    await late.kick(session="s3")
    await add_stray(late, "mail")
    for name in ("dan", "eve"):
        await late.open(name, "EMAIL")
    assert (await recounts(late), await late.used("mail")) == (1, 5)
    seats = await late.store.client.zrange(customer_key("seats", late.partition, late.customer), 0, -1)
    assert not [member for member in seats if b"ghost" in member]
    assert (await late.refused("finn", "EMAIL")).used == 5
    await check_usage(late.store, late.customer, late.clock.now_ms)


async def test_it_is_counted_anew_once_a_minute_at_the_most(late: Office, licensed: Licensed) -> None:
    await licensed("EMAIL", 9, id="mail")
    await late.open("alice", "EMAIL")
    name = customer_key("seats", late.partition, late.customer)
    await late.store.client.zrem(name, f"mail\0{person('alice')}")  # which no count can mend
    for number in range(3):
        await late.open(f"bob{number}", "EMAIL")
    assert await recounts(late) == 1
    await late.pass_ms(59_999, "n1")
    await late.open("carol", "EMAIL")
    assert await recounts(late) == 1
    await set_time(late, NEW_YEAR_MS + 5)  # in another hour
    await late.open("dan", "EMAIL")
    await late.open("eve", "EMAIL")
    assert await recounts(late) == 2


async def test_a_meter_that_counts_nothing_is_let_alone(late: Office, licensed: Licensed) -> None:
    await licensed("EMAIL", 5, id="mail")
    await late.close(await late.open("alice", "CALL_CENTER"))
    await late.store.note_denials("acme", [dict(DENIAL, product="CHAT")])
    await add_stray(late, "mail")
    await late.open("bob", "EMAIL")
    (recounted,) = [e for e in await stream(late.store, late.customer) if e.type == "recounted"]
    assert {scope.partition("\0")[2] for scope in recounted.counts} == {
        "",
        "EMAIL",
        "acme.example\0EMAIL",
        "mail",
    }


async def test_what_is_put_back_is_no_grant(late: Office) -> None:
    """The store has lost everything but the nodes tell it."""
    alice = await late.open("alice", "CALL_CENTER")
    await late.store.client.flushall()
    await late.join("n1")
    seats = tuple(alice.seats)
    record = HeldRecord(
        user=person("alice"),
        domain=late.domain,
        device=Device(kind="desktop", id="d1"),
        secret=f"secret of {alice.session}",
        since_ms=late.clock.now_ms,
        seats=seats,
    )
    held = [Held(session=alice.session, fence=1, record=record)]
    assert (await late.store.reassert(late.customer, "n1", held)).restored == (alice.session,)
    assert (await late.store.reassert(late.customer, "n1", held)).restored in ((), (alice.session,))
    assert [event.type for event in await stream(late.store, late.customer)] == ["restored"]
    found = await row(late, "hour", late.clock.now_ms, CC)
    assert (found.peak, found.grants) == (1, 0)


async def test_the_stream_is_bounded(engine: PrivateEngine, clock: Clock) -> None:
    options = StoreOptions(partitions=1, events_kept=100)
    store = Store(connect(engine.url, ConnectOptions()), options, checked=True, now_ms=clock)
    await store.client.flushall()
    office = Office(store, clock)
    await office.join("n1")
    for _ in range(400):
        await office.refused("alice", "CALL_CENTER")
    assert 100 <= await store.client.xlen(customer_key("events", 0, "acme")) <= 250
    assert (await row(office, "hour", clock.now_ms)).denials == {"not_licensed": 400}
    await store.close_client()


async def test_old_rows_are_forgotten_also_of_what_nobody_uses_any_more(
    late: Office, licensed: Licensed
) -> None:
    """Rows are picked at random: sooner or later each one is."""
    for _ in range(2):
        await late.close(await late.open("alice", "CALL_CENTER"))
        await set_time(late, late.clock.now_ms + HOUR_MS)
    await licensed("EMAIL", 5, id="mail")
    name = customer_key("usage", late.partition, late.customer)
    old = field_of("hour", number_of("hour", NEW_YEAR_MS - 1), CC.name)
    assert await late.store.client.hexists(name, old)  # type: ignore[misc]
    days = 0
    while await late.store.client.hexists(name, old):  # type: ignore[misc]
        await set_time(late, late.clock.now_ms + DAY_MS)
        await late.close(await late.open("bob", "EMAIL"))
        days += 1
        assert days < 700
    assert days > 38
    for level in ("day", "month"):
        kept = field_of(level, number_of(level, NEW_YEAR_MS - 1), CC.name)  # type: ignore[arg-type]
        assert await late.store.client.hexists(name, kept)  # type: ignore[misc]


@pytest.fixture
async def full_store(spare_client: Redis, clock: Clock) -> AsyncIterator[Office]:
    """A store that takes nothing any more; somebody has the only seat."""
    store = Store(spare_client, StoreOptions(partitions=1), checked=True, now_ms=clock)
    made = Office(store, clock)
    await made.join("n1", "n2")
    await Licensed(store)("CALL_CENTER", 1, id="cc")
    await made.open("alice", "CALL_CENTER", session="alice")
    await spare_client.config_set("maxmemory", "1")
    yield made
    await spare_client.config_set("maxmemory", "0")


async def test_a_full_store_denies_all_the_same(full_store: Office) -> None:
    keys = await full_store.store.client.keys("*:c:*")
    before = {key: await full_store.store.client.dump(key) for key in keys}
    answer = await full_store.ask("bob", "CALL_CENTER")
    assert isinstance(answer, Denied)
    assert answer.code == "no_seat"
    assert {key: await full_store.store.client.dump(key) for key in keys} == before


async def test_a_full_store_takes_seats_back_and_counts_them(full_store: Office) -> None:
    """The first thing that the script does is to delete, so all of it is done."""
    assert await full_store.store.close("acme", session="alice", fence=1)
    _, (meter,) = await full_store.store.meters("acme", [CUSTOMER])
    assert meter
    assert meter.count == 0


async def test_denials_make_only_so_many_meters(late: Office) -> None:
    """Beyond that they count for the customer; and for a product that has its meter already."""
    await late.refused("bob", "EMAIL")
    made_up = [
        {
            "code": "not_licensed",
            "product": f"X{n}",
            "domain": "acme.example",
            "user": person("ann"),
            "times": 1,
        }
        for n in range(3000)
    ]
    for start in range(0, len(made_up), 200):
        await late.store.note_denials("acme", made_up[start : start + 200])
    name = customer_key("meters", late.partition, late.customer)
    assert await late.store.client.hlen(name) <= 5000 + 2 * 200  # type: ignore[misc]
    await late.refused("bob", "EMAIL")
    assert (await row(late, "hour", late.clock.now_ms)).denials == {"not_licensed": 3002}
    email = await row(late, "hour", late.clock.now_ms, Scope("product", product="EMAIL"))
    assert email.denials == {"not_licensed": 2}
