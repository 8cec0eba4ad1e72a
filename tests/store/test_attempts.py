"""Throttling of sign-ins: who has failed waits longer and longer, who has not is let in, and one-time codes are good once."""

from __future__ import annotations

import asyncio

import pytest

from seatd.store.keys import deployment_key
from seatd.store.redis import Store

HOME, STRANGER = "192.0.2.1", "198.51.100.7"
MINUTE_MS = 60_000
T = 30_000_000 * MINUTE_MS  # a minute begins


async def fail(store: Store, name: str, address: str, times: int, at_ms: int = T) -> list[int]:
    return [await store.attempt(name, address, at_ms=at_ms) for _ in range(times)]


async def test_after_a_few_failures_each_further_one_waits_twice_as_long(store: Store) -> None:
    assert await fail(store, "root", HOME, 6) == [0, 0, 0, 0, 0, 1000]
    at_ms, waits = T, []
    for _ in range(14):
        waits.append(await store.attempt("root", HOME, at_ms=at_ms))
        at_ms += waits[-1]
        assert await store.attempt("root", HOME, at_ms=at_ms) == 0
    assert waits[:4] == [1000, 2000, 4000, 8000]
    assert waits[-1] == 15 * MINUTE_MS


async def test_what_lies_an_hour_back_is_forgotten(store: Store) -> None:
    await fail(store, "root", HOME, 5)
    assert await fail(store, "root", HOME, 5, at_ms=T + 60 * MINUTE_MS) == [0] * 5


async def test_many_at_once_are_no_way_around(store: Store) -> None:
    answers = await asyncio.gather(*(store.attempt("root", HOME, at_ms=T) for _ in range(50)))
    assert answers.count(0) == 5


async def test_a_place_that_fails_with_many_names_waits_as_well(store: Store) -> None:
    answers = [await store.attempt(f"name {number}", HOME, at_ms=T) for number in range(7)]
    assert answers[5:] == [1000, 1000]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "192.0.2.2", False),
    ],
)
async def test_what_counts_as_one_place(store: Store, one: str, other: str, same: bool) -> None:
    for number in range(5):
        await store.attempt(f"name {number}", one, at_ms=T)
    assert (await store.attempt("another", other, at_ms=T) > 0) == same


async def test_strangers_lock_nobody_out(store: Store) -> None:
    await fail(store, "root", STRANGER, 5)
    assert await store.attempt("root", STRANGER, at_ms=T) > 0
    assert await store.attempt("root", HOME, at_ms=T) == 0


async def test_many_strangers_together_have_a_bound(store: Store) -> None:
    await fail(store, "root", STRANGER, 5)
    crowd = [f"203.0.113.{number}" for number in range(40)]
    answers = [await store.attempt("root", address, at_ms=T) for address in crowd]
    assert answers.count(0) == 10
    later = [await store.attempt("root", f"{address}0", at_ms=T + MINUTE_MS) for address in crowd[10:20]]
    assert later.count(0) == 10


async def test_success_takes_back_its_own_attempt_and_no_other(store: Store) -> None:
    for _ in range(20):
        assert await store.attempt("root", HOME, at_ms=T) == 0
        await store.forgive("root", HOME)
    assert await store.client.hlen(deployment_key("attempts")) == 0
    await fail(store, "root", HOME, 4)
    assert await store.attempt("mine", HOME, at_ms=T) == 0
    await store.forgive("mine", HOME)
    assert await fail(store, "root", HOME, 2) == [0, 1000]


async def test_an_own_account_gives_no_further_guesses(store: Store) -> None:
    guesses = 0
    for number in range(40):
        name = "mine" if number % 2 else "root"
        if await store.attempt(name, HOME, at_ms=T) == 0:
            if name == "mine":
                await store.forgive("mine", HOME)
            else:
                guesses += 1
    assert guesses == 5


async def test_made_up_names_do_not_fill_the_store(store: Store) -> None:
    key = deployment_key("attempts")
    rows = {f"name:{n}": f'{{"count":1,"last_ms":{n},"until_ms":0}}' for n in range(20_000)}
    await store.client.hset(key, mapping={**rows, "code:x": '{"step":5}'})
    assert await store.attempt("root", HOME, at_ms=T) == 0
    assert await store.client.hlen(key) == 10_003
    assert await store.client.hexists(key, "name:19999")
    assert await store.client.hexists(key, "code:x")


async def test_names_are_not_kept_as_they_were_typed(store: Store) -> None:
    await store.attempt("my password", HOME, at_ms=T)
    assert "my password" not in str(await store.client.hgetall(deployment_key("attempts")))


async def test_a_code_is_good_once_and_so_is_every_older_one(store: Store) -> None:
    assert [await store.use_code("root", step) for step in (7, 7, 6, 8)] == [True, False, False, True]
    assert await store.use_code("other", 7)
    at_once = await asyncio.gather(*(store.use_code("root", 9) for _ in range(20)))
    assert at_once.count(True) == 1
