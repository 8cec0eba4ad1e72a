"""Each customer's share of what is under way: as many at once as there may be, in their order, and nothing kept afterwards."""

from __future__ import annotations

import asyncio

import pytest

from seatd.hub import shares
from seatd.hub.shares import Shares

AT_ONCE = 3


class Office:
    """Requests that begin when it is their turn and end when they are told to."""

    def __init__(self) -> None:
        self.alone = False
        self.shares = Shares(AT_ONCE, lambda: self.alone)
        self.under_way: list[str] = []
        self.end = asyncio.Event()

    async def request(self, customer: str) -> None:
        async with self.shares.of(customer):
            self.under_way.append(customer)
            await self.end.wait()

    async def asked(self, *customers: str) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.request(customer)) for customer in customers]
        for _ in range(5):
            await asyncio.sleep(0)
        return tasks


async def test_the_requests_of_one_do_not_keep_another_waiting() -> None:
    office = Office()
    tasks = await office.asked(*["noisy"] * 100, "quiet")
    assert office.under_way.count("noisy") == AT_ONCE
    assert office.under_way.count("quiet") == 1
    office.end.set()
    await asyncio.gather(*tasks)
    assert office.under_way.count("noisy") == 100
    assert office.shares._shares == {}


async def test_a_request_that_is_given_up_leaves_its_place() -> None:
    office = Office()
    tasks = await office.asked(*["noisy"] * (AT_ONCE + 2))
    for given_up in (tasks[0], tasks[-1]):
        given_up.cancel()
    await asyncio.wait([tasks[0], tasks[-1]])
    await office.asked()
    assert len(office.under_way) == AT_ONCE + 1
    office.end.set()
    await asyncio.gather(*tasks[1:-1])
    assert office.shares._shares == {}


async def test_who_is_alone_has_more_until_somebody_comes() -> None:
    office = Office()
    office.alone = True
    tasks = await office.asked(*["busy"] * (shares.ALONE + 1))
    assert len(office.under_way) == shares.ALONE
    office.alone = False
    ended = tasks[0]
    office.end.set()
    await ended
    office.end.clear()
    tasks += await office.asked(*["busy"] * AT_ONCE, "quiet")
    assert office.under_way.count("quiet") == 1
    assert office.under_way.count("busy") == shares.ALONE + AT_ONCE
    office.end.set()
    await asyncio.gather(*tasks)


async def test_those_who_wait_go_before_those_who_come_when_there_is_more_room() -> None:
    office = Office()
    tasks = await office.asked(*["busy"] * (AT_ONCE + 2))
    office.alone = True
    tasks += await office.asked("busy")
    assert len(office.under_way) == AT_ONCE + 3
    office.end.set()
    await asyncio.gather(*tasks)
    assert office.shares._shares == {}


async def test_a_turn_that_comes_as_its_request_is_given_up_goes_on() -> None:
    office = Office()
    first, *others = await office.asked(*["noisy"] * (AT_ONCE + 2))
    first.cancel()
    await asyncio.sleep(0)
    others[AT_ONCE - 1].cancel()  # its turn has come, and it does not know yet
    await office.asked()
    assert len(office.under_way) == AT_ONCE + 1  # the last one's instead
    office.end.set()
    await asyncio.gather(*others, return_exceptions=True)
    assert office.shares._shares == {}


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "PATIENCE_S", 0.01)
    office = Office()
    tasks = await office.asked(*["noisy"] * (AT_ONCE + 1))
    while len(office.under_way) <= AT_ONCE:
        await asyncio.sleep(0.005)
    office.end.set()
    await asyncio.gather(*tasks)
    assert office.shares._shares == {}


async def test_who_gives_up_as_all_others_end_takes_no_share_away() -> None:
    office = Office()
    *_, waits = tasks = await office.asked(*["noisy"] * (AT_ONCE + 1))
    office.end.set()  # in the loop's next turn those under way end,
    office.end.clear()
    following = asyncio.create_task(office.request("noisy"))  # then somebody comes,
    waits.cancel()  # and only then this one learns that it waits no more
    await asyncio.wait(tasks)
    await office.asked()
    (share,) = office.shares._shares.values()
    assert (share.present, share.under_way) == (1, 1)
    office.end.set()
    await following
    assert office.shares._shares == {}
