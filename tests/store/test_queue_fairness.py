"""Nobody starves: whoever stays in the queue is served, as soon as those are gone who were there before him."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.values import Granted, Queued
from seatd.store.verbs import StoreOptions
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.licenses import Licensed
from tests.store.office import NODE, Office

PRODUCTS = ("CALL_CENTER", "CALL_MANAGER", "QUALITY_AUDITOR")
ALL = frozenset(PRODUCTS)
products = st.frozensets(st.sampled_from(PRODUCTS), min_size=1)
comes = st.tuples(st.just("comes"), products, st.sampled_from((0, 0, 0, 5)))
other = st.tuples(st.sampled_from(("leaves", "leaves", "gives up")), st.integers(0, 50))
steps = st.lists(st.one_of(comes, other), max_size=60)
Step = tuple[str, frozenset[str], int] | tuple[str, int]


class Somebody:
    """A session and what it asked for; `before` are those who were there when it came, and are not gone yet."""

    def __init__(
        self, session: str, needs: frozenset[str], priority: int, before: Iterable[Somebody]
    ) -> None:
        self.session = session
        self.needs = needs
        self.priority = priority
        self.before = set(before)


class Churn:
    """People come, leave and give up; after every step the rules are looked at."""

    def __init__(self, office: Office, limits: dict[str, int]) -> None:
        self.office = office
        self.limits = limits
        self.inside: list[Somebody] = []
        self.line: list[Somebody] = []
        self.came = 0

    async def take(self, step: Step) -> None:
        match step:
            case ("comes", frozenset() as needs, int(priority)):
                await self.comes(needs, priority)
            case ("leaves", int(pick)) if self.inside:
                await self.leaves(self.inside[pick % len(self.inside)])
            case ("gives up", int(pick)) if self.line:
                await self.gives_up(self.line[pick % len(self.line)])
        await self.look()

    async def comes(self, needs: frozenset[str], priority: int) -> None:
        self.came += 1
        name = f"u{self.came:03}"
        ahead = [other for other in self.line if other.priority >= priority]
        new = Somebody(name, needs, priority, [*self.inside, *ahead])
        answer = await self.office.ask(name, *sorted(needs), session=name, wait=True, priority=priority)
        for behind in self.line:  # a higher priority goes before them, also to what they were promised
            if behind.priority < priority:
                behind.before.add(new)
        if isinstance(answer, Granted):
            self.inside.append(new)
        else:
            assert isinstance(answer, Queued)
            self.line.append(new)
            self.line.sort(key=lambda somebody: -somebody.priority)

    async def leaves(self, somebody: Somebody) -> None:
        self.inside.remove(somebody)
        assert await self.office.store.close(self.office.customer, session=somebody.session, fence=1)
        self.forget(somebody)

    async def gives_up(self, somebody: Somebody) -> None:
        self.line.remove(somebody)
        store = self.office.store
        assert await store.leave_queue(self.office.customer, session=somebody.session, fence=1) is None
        self.forget(somebody)

    def forget(self, gone: Somebody) -> None:
        for other in (*self.inside, *self.line):
            other.before.discard(gone)

    async def look(self) -> None:
        for order in (await self.office.beat(NODE)).orders:
            assert order.type == "granted"
            self.served(order.session)
        page = await self.office.store.sessions(customer=self.office.customer, size=1000)
        held = {row.session: frozenset(seat.product for seat in row.seats) for row in page.items}
        nobody: frozenset[str] = frozenset()
        assert held == {s.session: s.needs for s in self.inside} | {s.session: nobody for s in self.line}
        for row in await self.office.store.registry():
            assert row.used <= self.limits[row.product]
        for waiting in self.line:
            assert waiting.before, f"{waiting.session} waits for nobody"

    def served(self, session: str) -> None:
        """First come first served among those who ask for the same with the same priority."""
        (turn,) = [somebody for somebody in self.line if somebody.session == session]
        like = [s for s in self.line if (s.needs, s.priority) == (turn.needs, turn.priority)]
        assert like[0] is turn
        self.line.remove(turn)
        self.inside.append(turn)


@given(limits=st.lists(st.integers(1, 3), min_size=3, max_size=3), steps=steps)
@example(  # he who needs all, while those who need one come and go
    limits=[1, 1, 1],
    steps=[
        ("comes", frozenset({PRODUCTS[0]}), 0),
        ("comes", frozenset({PRODUCTS[1]}), 0),
        ("comes", ALL, 0),
        *[("comes", frozenset({PRODUCTS[number % 3]}), 0) for number in range(12)],
        *[("leaves", 0)] * 6,
    ],
)
@settings(
    max_examples=int(os.environ.get("SEATD_TEST_EXAMPLES", "40")),
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=list(HealthCheck),
)
def test_whoever_stays_is_served(engine: PrivateEngine, limits: list[int], steps: list[Step]) -> None:
    """In the end all leave one by one, and the last who waited has had his turn."""

    async def run() -> None:
        clock = Clock()
        store = Store(connect(engine.url, ConnectOptions()), StoreOptions(partitions=1), now_ms=clock)
        try:
            await churned(store, clock)
        finally:
            await store.close_client()

    async def churned(store: Store, clock: Clock) -> None:
        await store.client.flushall()
        office = Office(store, clock)
        await office.join(NODE)
        licensed = Licensed(store)
        for product, limit in zip(PRODUCTS, limits, strict=True):
            await licensed(product, limit)
        churn = Churn(office, dict(zip(PRODUCTS, limits, strict=True)))
        for step in (*steps, *[("leaves", 0)] * len(steps)):
            await churn.take(step)
        assert (churn.inside, churn.line) == ([], [])

    asyncio.run(run())
