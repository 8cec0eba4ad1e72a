"""Seats that are kept for a user, a group or a domain."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.values import Denied, Granted, Queued
from seatd.store.verbs import StoreOptions
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.licenses import DOMAIN, Licensed
from tests.store.office import Office, person

BOSS = {"user": person("boss"), "seats": 1}
SALES = {"group": "sales", "seats": 2}
OTHER = {"domain": "other.test", "seats": 1}


async def has_reserved(licensed: Licensed, limit: int, *reservations: dict[str, Any], **fields: Any) -> None:
    policy = {"reservations": list(reservations)}
    domains = (DOMAIN, "other.test")
    await licensed("CALL_CENTER", limit, id="cc", policy=policy, domains=domains, **fields)


async def test_reserved_seats_are_not_given_to_others(office: Office, licensed: Licensed) -> None:
    await has_reserved(licensed, 3, BOSS, OTHER)
    await office.open("ann", "CALL_CENTER")
    denied = await office.refused("bob", "CALL_CENTER")
    assert (denied.code, denied.limit, denied.used) == ("no_seat", 3, 1)
    await office.open("boss", "CALL_CENTER")
    assert (await office.refused("bob", "CALL_CENTER")).used == 2
    await office.open("eve", "CALL_CENTER", user="eve@other.test")
    assert (await office.refused("zoe", "CALL_CENTER", user="zoe@other.test")).used == 3


async def test_those_entitled_draw_on_their_reservation_first(office: Office, licensed: Licensed) -> None:
    await has_reserved(licensed, 4, SALES)
    for name in ("s1", "s2"):
        await office.open(name, "CALL_CENTER", groups=("staff", "sales"))
    for name in ("ann", "bob"):
        await office.open(name, "CALL_CENTER")
    assert (await office.refused("s3", "CALL_CENTER", groups=("sales",))).used == 4


async def test_and_then_on_what_is_there_for_all(office: Office, licensed: Licensed) -> None:
    await has_reserved(licensed, 4, SALES)
    for name in ("s1", "s2", "s3", "s4"):
        await office.open(name, "CALL_CENTER", groups=("sales",))
    assert (await office.refused("ann", "CALL_CENTER")).used == 4


async def test_a_reserved_seat_that_is_given_back_is_kept_again(office: Office, licensed: Licensed) -> None:
    await has_reserved(licensed, 1, BOSS)
    boss = await office.open("boss", "CALL_CENTER")
    other = await office.open("boss", "CALL_CENTER", device="d2")
    for session in (boss, other):
        assert (await office.refused("ann", "CALL_CENTER")).code == "no_seat"
        await office.close(session)
    assert (await office.refused("ann", "CALL_CENTER")).used == 0
    assert isinstance(await office.ask("boss", "CALL_CENTER"), Granted)


async def test_of_several_licenses_the_reserved_one_comes_first(office: Office, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 5, id="a-common")
    await licensed("CALL_CENTER", 5, id="b-kept", policy={"reservations": [BOSS]})
    boss = await office.open("boss", "CALL_CENTER")
    assert boss.seats[0].license == "b-kept"
    ann = await office.open("ann", "CALL_CENTER")
    assert ann.seats[0].license == "a-common"


async def test_the_overdraft_is_for_all_and_leaves_the_reserved_seats(
    office: Office, licensed: Licensed
) -> None:
    await has_reserved(licensed, 2, BOSS, overdraft=1)
    assert not (await office.open("ann", "CALL_CENTER")).seats[0].overdraft
    assert (await office.open("bob", "CALL_CENTER")).seats[0].overdraft
    assert (await office.refused("eve", "CALL_CENTER")).used == 2
    assert not (await office.open("boss", "CALL_CENTER")).seats[0].overdraft
    assert await office.used("cc") == 3


async def test_acquire_knows_the_groups_too(office: Office, licensed: Licensed) -> None:
    await licensed("EMAIL", 5, id="mail")
    await has_reserved(licensed, 1, {"group": "sales", "seats": 1})
    ann = await office.open("ann", "EMAIL", session="ann")
    assert isinstance(await office.acquire(ann, "ann", "CALL_CENTER"), Denied)
    assert isinstance(await office.acquire(ann, "ann", "CALL_CENTER", groups=("sales",)), Granted)


async def test_a_waiter_does_not_get_what_is_kept_for_others(office: Office, licensed: Licensed) -> None:
    await has_reserved(licensed, 2, SALES | {"seats": 1})
    ann = await office.open("ann", "CALL_CENTER")
    sam = await office.open("sam", "CALL_CENTER", groups=("sales",))
    waiting: dict[str, Any] = {"wait": True}
    assert isinstance(await office.ask("bob", "CALL_CENTER", session="bob", **waiting), Queued)
    assert isinstance(
        await office.ask("sue", "CALL_CENTER", session="sue", groups=("sales",), **waiting), Queued
    )
    await office.close(sam)
    assert await office.states() | {"bob": "", "sue": ""} == {"s1": "attached", "bob": "", "sue": ""}
    assert (await office.states())["sue"] == "attached"
    assert (await office.states())["bob"] == "waiting"
    await office.close(ann)
    assert (await office.states())["bob"] == "attached"


async def test_what_is_promised_to_a_waiter_of_the_group_is_promised_once(
    office: Office, licensed: Licensed
) -> None:
    """A waiter who needs two products has the reserved seat of one promised: it is not kept a second time."""
    await has_reserved(licensed, 2, SALES | {"seats": 1})
    await licensed("EMAIL", 1, id="mail")
    await office.open("ann", "EMAIL")
    queued = await office.ask("sue", "EMAIL", "CALL_CENTER", groups=("sales",), wait=True)
    assert isinstance(queued, Queued)
    assert isinstance(await office.ask("bob", "CALL_CENTER"), Granted)
    assert (await office.refused("eve", "CALL_CENTER")).used == 1
    assert (await office.refused("sam", "CALL_CENTER", groups=("sales",))).used == 1


async def test_a_limit_below_what_is_reserved_is_still_the_limit(office: Office, licensed: Licensed) -> None:
    await has_reserved(licensed, 2, SALES)
    await office.open("s1", "CALL_CENTER", groups=("sales",))
    await has_reserved(licensed, 1, SALES)
    assert (await office.refused("s2", "CALL_CENTER", groups=("sales",))).used == 1


PEOPLE = st.sampled_from(["boss", "s1", "s2", "s3", "ann", "bob", "eve"])
STEPS = st.lists(st.tuples(PEOPLE, st.booleans()), max_size=30)


@settings(
    max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
@given(steps=STEPS, limit=st.integers(3, 5))
@pytest.mark.parametrize("overdraft", [0, 1])
def test_what_is_kept_is_always_there_and_the_limit_always_holds(
    engine: PrivateEngine, steps: list[tuple[str, bool]], limit: int, overdraft: int
) -> None:
    """People come and go at random: whoever has a reservation that is not used up gets a seat, all others what is left."""
    import asyncio

    async def play() -> None:
        store = Store(
            connect(engine.url, ConnectOptions()), StoreOptions(partitions=4), checked=True, now_ms=Clock()
        )
        await store.client.flushall()
        office = Office(store, Clock())
        await office.join("n1")
        await has_reserved(Licensed(store), limit, BOSS, SALES, overdraft=overdraft)
        inside: dict[str, Granted] = {}
        on_reservation: set[str] = set()
        for name, comes in steps:
            groups = ("sales",) if name.startswith("s") else ()
            if not comes or name in inside:
                if name in inside:
                    await office.close(inside.pop(name))
                    on_reservation.discard(name)
                continue
            same = {other for other in on_reservation if other[0] == name[0]}
            entitled = (name == "boss" and not same) or (bool(groups) and len(same) < 2)
            kept = 3 - len(on_reservation)
            room = entitled or len(inside) + kept < limit + overdraft
            answer = await office.ask(name, "CALL_CENTER", groups=groups, session="")
            assert isinstance(answer, Granted) == room, (name, inside, on_reservation)
            if isinstance(answer, Granted):
                inside[name] = answer
                on_reservation |= {name} if entitled else set()
            assert await office.used("cc") == len(inside) <= limit + overdraft
        for session in inside.values():
            await office.close(session)
        left = await store.client.zcard(f"seatd:{{{office.partition:02}}}:c:acme:seats")
        assert left == 0
        await store.close_client()

    asyncio.run(play())
