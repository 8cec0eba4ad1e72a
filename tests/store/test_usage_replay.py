"""Random days at the office, over hours and months: the meters say what a replay of the stream says, to the millisecond."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.values import Granted, Queued
from seatd.store.verbs import StoreOptions
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.licenses import license_claim, license_key
from tests.store.office import Office, person
from tests.store.replay import check_usage

HOUR_MS = 3_600_000
BEGIN_MS = 1_798_761_600_000 - 2 * HOUR_MS
"""Two hours before the year 2027."""

NAMES = ("alice", "bob", "carol")
DOMAINS = ("acme.example", "two.example")
PRODUCTS = ("CALL_CENTER", "EMAIL")

a_step = st.one_of(
    st.tuples(
        st.just("open"),
        st.sampled_from(NAMES),
        st.sampled_from(DOMAINS),
        st.sampled_from((PRODUCTS[:1], PRODUCTS[1:], PRODUCTS)),
        st.booleans(),
    ),
    st.tuples(st.just("close"), st.integers(0, 9)),
    st.tuples(st.just("release"), st.integers(0, 9)),
    st.tuples(st.just("kick"), st.sampled_from(NAMES)),
    st.tuples(st.just("refuse"), st.sampled_from(NAMES), st.sampled_from(("wait_timeout", "unavailable"))),
    st.tuples(
        st.just("pass"),
        st.sampled_from(
            (0, 1, 4_999, 5_000, 5_001, HOUR_MS - 1, HOUR_MS, 3 * HOUR_MS + 7, 30 * HOUR_MS, 800 * HOUR_MS)
        ),
    ),
)
steps = st.lists(a_step, min_size=5, max_size=40)


class Day:
    """Carries the steps out."""

    def __init__(self, url: str) -> None:
        self.clock = Clock(BEGIN_MS)
        options = StoreOptions(partitions=1)
        self.store = Store(connect(url, ConnectOptions()), options, checked=True, now_ms=self.clock)
        self.office = Office(self.store, self.clock)
        self.open_now: list[Granted] = []

    async def begin(self, limit: int) -> None:
        await self.store.client.flushall()
        await self.office.join("n1", "n2")
        claims = (
            license_claim("cc-1", limit=limit, overdraft=1),
            license_claim("cc-2", limit=1),
            license_claim("mail", "EMAIL", limit=1),
        )
        await self.store.put_license(license_key(*claims, domains=DOMAINS))

    async def step(self, step: tuple[Any, ...]) -> None:
        match step:
            case "open", name, domain, products, wait:
                how = {"user": person(name, domain), "device": f"{name}{len(self.open_now)}", "wait": wait}
                answer = await self.office.ask(name, *products, **how)
                if isinstance(answer, Granted | Queued):
                    self.open_now.append(Granted(session=answer.session, fence=1, seats=()))
            case "close", number if self.open_now:
                await self.office.close(self.open_now.pop(number % len(self.open_now)))
            case "release", number if self.open_now:
                one = self.open_now[number % len(self.open_now)]
                await self.store.release("acme", session=one.session, fence=1, products=PRODUCTS[:1])
            case "kick", name:
                await self.office.kick(user=person(name))
            case "refuse", name, code:
                denial = {"product": PRODUCTS[0], "domain": DOMAINS[0], "user": person(name), "code": code}
                await self.store.note_denials("acme", [{**denial, "times": 1 if code[0] == "w" else 3}])
            case "pass", ms:
                self.clock.pass_ms(ms)
                await self.office.beat("n1", joined=False)
                await self.office.sweep((await self.office.beat("n2", joined=False)).due)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 2), steps=steps)
def test_the_meters_follow_from_the_stream(engine: PrivateEngine, limit: int, steps: list[Any]) -> None:
    async def run() -> None:
        day = Day(engine.url)
        try:
            await day.begin(limit)
            for step in steps:
                await day.step(step)
            await check_usage(day.store, "acme", day.clock.now_ms)
            day.clock.pass_ms(HOUR_MS)
            await check_usage(day.store, "acme", day.clock.now_ms)
        finally:
            await day.store.close_client()

    asyncio.run(run())
