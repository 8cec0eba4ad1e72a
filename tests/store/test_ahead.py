"""Answers come in order, one ahead, and nothing goes on when nobody wants them any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from functools import partial
from typing import Any

import pytest

from seatd.store.ahead import one_ahead, scanned_ahead


class Calls:
    """Says of each call when it began and ended."""

    def __init__(self) -> None:
        self.under_way = self.most = 0
        self.begun: list[int] = []
        self.done: list[int] = []

    async def call(self, number: int) -> int:
        self.begun.append(number)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(number / 1000)
        finally:
            self.under_way -= 1
        if number == 13:
            raise ValueError("13")
        self.done.append(number)
        return number

    def of(self, *numbers: int) -> list[Callable[[], Coroutine[Any, Any, int]]]:
        return [partial(self.call, number) for number in numbers]


@pytest.mark.parametrize("number", [0, 1, 2, 7])
async def test_answers_come_in_order(number: int) -> None:
    calls = Calls()
    assert [answer async for answer in one_ahead(calls.of(*range(number)))] == list(range(number))
    assert calls.most == min(number, 2)


async def test_what_goes_wrong_is_told_in_its_place() -> None:
    calls = Calls()
    answers = one_ahead(calls.of(1, 2, 13, 400, 5))
    assert [await anext(answers), await anext(answers)] == [1, 2]
    with pytest.raises(ValueError, match="13"):
        await anext(answers)
    await asyncio.sleep(0.01)
    assert (calls.under_way, calls.begun, calls.done) == (0, [1, 2, 13, 400], [1, 2])


async def test_who_has_enough_leaves_nothing_behind() -> None:
    calls = Calls()
    async with aclosing(one_ahead(calls.of(1, 200, 3, 4))) as answers:
        assert await anext(answers) == 1
    await asyncio.sleep(0.01)
    assert (calls.under_way, calls.begun, calls.done) == (0, [1, 200], [1])


async def test_a_scan_asks_for_what_follows_while_one_looks_at_what_has_come() -> None:
    calls, found = Calls(), []
    following = {0: 5, 5: 3, 3: 0}

    async def scan(cursor: int) -> tuple[int, int]:
        return following[cursor], await calls.call(cursor)

    async for answer in scanned_ahead(scan):
        await asyncio.sleep(0)
        found.append((answer, list(calls.begun)))
    assert found == [(0, [0, 5]), (5, [0, 5, 3]), (3, [0, 5, 3])]
    assert calls.most == 1


async def test_nothing_is_scanned_for_who_is_gone() -> None:
    calls = Calls()

    async def scan(cursor: int) -> tuple[int, int]:
        return 50, await calls.call(cursor)

    async with aclosing(scanned_ahead(scan)) as answers:
        async for _ in answers:
            await asyncio.sleep(0)
            break
    await asyncio.sleep(0.1)
    assert (calls.begun, calls.done, calls.under_way) == ([0, 50], [0], 0)


async def test_a_scan_that_fails_says_so() -> None:
    calls = Calls()

    async def scan(cursor: int) -> tuple[int, int]:
        return 13, await calls.call(cursor)

    with pytest.raises(ValueError, match="13"):
        async for _ in scanned_ahead(scan):
            pass
