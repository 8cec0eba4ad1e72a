"""A hundred ask at once for five seats: exactly five get one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import pytest

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.values import Due, Granted
from tests.conftest import Clock
from tests.engine import PrivateEngine
from tests.licenses import Licensed
from tests.store.contents import leftovers
from tests.store.office import Office

T = TypeVar("T")
ROUNDS = 50
SEATS = 5
ASKING = 100


@pytest.fixture
async def offices(office: Office, engine: PrivateEngine, clock: Clock) -> AsyncIterator[list[Office]]:
    """Two processes' worth of clients of one store: the same customer, seen from node `n1` and from node `n2`.
    The second has connections of its own."""
    second = Store(connect(engine.url, ConnectOptions()), office.store.options, checked=True, now_ms=clock)
    yield [office, Office(second, clock)]
    await second.close_client()


async def test_exactly_as_many_as_there_are_seats(offices: list[Office], licensed: Licensed) -> None:
    await licensed("CALL_CENTER", SEATS, id="cc")
    for number in range(ROUNDS):
        granted, seen = await race(offices, number)
        assert len(granted) == SEATS
        assert max(seen) <= SEATS
        assert all(await asyncio.gather(*(offices[0].close(session) for session in granted)))
        assert await offices[0].used("cc") == 0
    await all_leave(offices)


async def race(offices: list[Office], number: int) -> tuple[list[Granted], list[int]]:
    """One round: who got a seat, and how many seats were used whenever somebody looked."""

    async def ask(which: int) -> Granted | None:
        office, node = offices[which % 2], f"n{1 + which % 2}"
        answer = await office.ask(f"user{which}", "CALL_CENTER", session=f"s{number}-{which}", node=node)
        return answer if isinstance(answer, Granted) else None

    async def look(office: Office) -> int:
        return await office.used("cc")

    asking = [asyncio.create_task(ask(which)) for which in range(ASKING)]
    looking = [asyncio.create_task(look(offices[which % 2])) for which in range(10)]
    answers = await asyncio.gather(*asking)
    return [answer for answer in answers if answer], list(await asyncio.gather(*looking))


async def test_a_session_that_two_nodes_resume_is_on_one(offices: list[Office], licensed: Licensed) -> None:
    """Both are told that they have it, one after the other; the earlier one is superseded at once."""
    await licensed("CALL_CENTER", SEATS, id="cc")
    first, second = offices
    for number in range(ROUNDS):
        opened = await first.open("alice", "CALL_CENTER", session=f"s{number}")
        answers = await asyncio.gather(
            first.attach(opened.session, node="n1"), second.attach(opened.session, node="n2")
        )
        fences = [answer.fence for answer in answers if isinstance(answer, Granted)]
        assert sorted(fences) == [2, 3]
        ended = [await first.close(answer) for answer in answers if isinstance(answer, Granted)]
        assert Counter(ended) == {True: 1, False: 1}
    assert await first.used("cc") == 0


async def test_a_kick_and_a_resume_have_no_third_outcome(offices: list[Office], licensed: Licensed) -> None:
    """Kicked first: no resume. Resumed first: the kick finds the session on its new node. Never a live one after a kick."""
    await licensed("CALL_CENTER", SEATS, id="cc")
    first, second = offices
    for number in range(ROUNDS):
        opened = await first.open("alice", "CALL_CENTER", session=f"s{number}")
        (kicked,), back = await asyncio.gather(
            first.kick(session=opened.session), second.attach(opened.session, node="n2")
        )
        assert kicked.node == ("n2" if isinstance(back, Granted) else "n1")
        assert await first.states() == {opened.session: "draining"}
        fence = back.fence if isinstance(back, Granted) else opened.fence
        assert await first.store.close("acme", session=opened.session, fence=fence)
    await all_leave(offices)


async def after(turns: int, work: Awaitable[T]) -> T:
    """Begins so many turns of the event loop later: which of two is first is not always the same then."""
    for _ in range(turns):
        await asyncio.sleep(0)
    return await work


async def test_of_an_expiry_and_a_resume_one_wins(offices: list[Office], licensed: Licensed) -> None:
    """Its linger is just over: it is resumed or it is gone, and both sides are told the same."""
    await licensed("CALL_CENTER", SEATS, id="cc")
    first, second = offices
    outcomes = Counter[bool]()
    for number in range(ROUNDS):
        opened = await first.open("alice", "CALL_CENTER", session=f"s{number}")
        assert await first.park(opened)
        await first.pass_ms(first.store.options.linger_ms, "n1", "n2")
        due = [Due(customer="acme", session=opened.session)]
        racing = [after(number % 8, first.sweep(due)), second.attach(opened.session, node="n2")]
        swept, back = (await asyncio.gather(*racing[:: 1 - 2 * (number % 2)]))[:: 1 - 2 * (number % 2)]
        resumed = isinstance(back, Granted)
        assert swept == ([], [] if resumed else [opened.session])
        assert await first.used("cc") == resumed
        outcomes[resumed] += 1
        if isinstance(back, Granted):
            assert await second.close(back)
    assert len(outcomes) == 2
    await all_leave(offices)


async def all_leave(offices: list[Office]) -> None:
    office = offices[0]
    await office.pass_ms(office.store.options.tomb_ms)
    for node in ("n1", "n2"):
        while (await office.beat(node)).orders:
            pass
        await office.beat(node, leave=True)
    assert await leftovers(office.store) == []
