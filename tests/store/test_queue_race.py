"""A crowd over two nodes comes, waits, gives up and leaves, all at once: never above the limit, nobody served twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable

import pytest

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.values import Granted, Queued
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.licenses import Licensed
from tests.store.contents import leftovers
from tests.store.office import Office

LIMITS = {"CALL_CENTER": 5, "CALL_MANAGER": 4}
KINDS = (("CALL_CENTER",), ("CALL_CENTER",), ("CALL_MANAGER",), ("CALL_CENTER", "CALL_MANAGER"))
PEOPLE, VISITS = 60, 12


class Crowd:
    """What clients believe: who has what, from the moment they hear of it to the moment before they give it back."""

    def __init__(self) -> None:
        self.holding: Counter[str] = Counter()
        self.turns: dict[str, asyncio.Future[None]] = {}
        self.orders: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()

    def take(self, products: tuple[str, ...]) -> None:
        self.holding.update(products)
        assert all(self.holding[product] <= limit for product, limit in LIMITS.items())

    def give_back(self, products: tuple[str, ...]) -> None:
        self.holding.subtract(products)

    def turn(self, session: str) -> None:
        """An order says that a session is served: once, if ever."""
        self.orders[session] += 1
        assert self.orders[session] == 1
        turn = self.turns.setdefault(session, asyncio.get_running_loop().create_future())
        if not turn.done():
            turn.set_result(None)


@pytest.fixture
async def offices(office: Office, engine: PrivateEngine, clock: Clock) -> AsyncIterator[list[Office]]:
    """The same customer, seen from node `n1` and from node `n2` with connections of its own."""
    second = Store(connect(engine.url, ConnectOptions()), office.store.options, checked=True, now_ms=clock)
    yield [office, Office(second, clock)]
    await second.close_client()


async def test_a_crowd_that_comes_and_goes(offices: list[Office], licensed: Licensed) -> None:
    for product, limit in LIMITS.items():
        await licensed(product, limit)
    crowd = Crowd()
    async with asyncio.TaskGroup() as group:
        watch = [group.create_task(hears(offices[n], f"n{n + 1}", crowd)) for n in (0, 1)]
        watch += [group.create_task(looks(office)) for office in offices]
        visits = [group.create_task(comes_and_goes(offices, crowd, which)) for which in range(PEOPLE)]
        await asyncio.wait(visits)
        for task in watch:
            task.cancel()
    assert set(crowd.outcomes) == {"granted", "turn", "gave up", "too late", "hung up"}, crowd.outcomes
    assert +crowd.holding == Counter()
    assert (await offices[0].store.serve("acme")).places == ()
    assert await offices[0].states() == {}
    await all_leave(offices[0])


async def comes_and_goes(offices: list[Office], crowd: Crowd, which: int) -> None:
    chance = random.Random(which)
    for visit in range(VISITS):
        number = chance.randrange(2)
        products, session = chance.choice(KINDS), f"s{which}-{visit}"
        node, priority = f"n{number + 1}", chance.choice((0, 0, 5))
        answer = await offices[number].ask(
            f"user{which}", *products, session=session, node=node, wait=True, priority=priority
        )
        outcome = "granted"
        if isinstance(answer, Queued):
            outcome = await waits(offices[number], crowd, session, chance)
        else:
            assert isinstance(answer, Granted)
        crowd.outcomes[outcome] += 1
        if outcome in ("granted", "turn", "too late"):
            crowd.take(products)
            await asyncio.sleep(chance.random() * 0.005)
            crowd.give_back(products)
            assert await offices[1 - number].store.close("acme", session=session, fence=1)


async def waits(office: Office, crowd: Crowd, session: str, chance: random.Random) -> str:
    """Until its turn, or the end of its patience: then it asks, or just hangs up."""
    turn = crowd.turns.setdefault(session, asyncio.get_running_loop().create_future())
    patience_s = chance.choice((0.0, 0.01, 0.1, None, None))
    await asyncio.wait([turn], timeout=patience_s)
    if turn.done():
        return "turn"
    if chance.random() < 0.3:
        await office.store.close("acme", session=session, fence=1)
        return "hung up"
    seats = await office.store.leave_queue("acme", session=session, fence=1)
    return "gave up" if seats is None else "too late"


async def hears(office: Office, node: str, crowd: Crowd) -> None:
    """A node that reads its orders again and again."""
    while True:
        for order in (await office.beat(node)).orders:
            assert order.type == "granted"
            crowd.turn(order.session)
        await asyncio.sleep(0.001)


async def looks(office: Office) -> None:
    """At no moment more seats than there are."""
    while True:
        used = {row.product: row.used for row in await office.store.registry()}
        assert all(used[product] <= limit for product, limit in LIMITS.items())
        await asyncio.sleep(0.002)


async def test_nobody_is_left_waiting_while_a_seat_is_free(offices: list[Office], licensed: Licensed) -> None:
    """When all is quiet after a storm, the first in line lacks a seat that is taken."""
    for product, limit in LIMITS.items():
        await licensed(product, limit)
    chance = random.Random(1)
    needs: dict[str, tuple[str, ...]] = {}
    for number in range(25):
        inside = [session for session, state in (await offices[0].states()).items() if state == "attached"]
        line = (await offices[0].store.serve("acme")).places
        work: list[Awaitable[object]] = [
            offices[n % 2].store.close("acme", session=s, fence=1) for n, s in enumerate(inside)
        ]
        work += [
            offices[n % 2].store.leave_queue("acme", session=place.session, fence=1)
            for n, place in enumerate(chance.sample(line, k=min(3, len(line))))
        ]
        for n in range(8 if number < 15 else 0):
            session, node = f"s{number}-{n}", f"n{n % 2 + 1}"
            needs[session] = chance.choice(KINDS)
            work.append(offices[n % 2].ask(session, *needs[session], session=session, node=node, wait=True))
        chance.shuffle(work)
        await asyncio.gather(*work)
        await first_lacks_something(offices[0], needs)
    assert (await offices[0].store.serve("acme")).places == ()


async def first_lacks_something(office: Office, needs: dict[str, tuple[str, ...]]) -> None:
    places = (await office.store.serve("acme")).places
    used = {row.product: row.used for row in await office.store.registry()}
    assert all(used[product] <= limit for product, limit in LIMITS.items())
    for place in places[:1]:
        assert any(used[product] == LIMITS[product] for product in needs[place.session])


async def all_leave(office: Office) -> None:
    await office.pass_ms(office.store.options.tomb_ms)
    for node in ("n1", "n2"):
        while (await office.beat(node)).orders:
            pass
        await office.beat(node, leave=True)
    assert await leftovers(office.store) == []
