"""What is sorted in turns is sorted as `sorted` would, and others have their turn meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from seatd.turns import TURN_S
from seatd.web.api.long_lists import AT_ONCE, KEYED_AT_ONCE, sorted_in_turns


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("number", [0, 1, AT_ONCE, AT_ONCE * 5 + 7])
async def test_it_is_stable_as_sorted_is(number: int, reverse: bool) -> None:
    rows = [(place * 7919 % 101, place) for place in range(number)]

    def key(row: tuple[int, int]) -> int:
        return row[0]

    assert await sorted_in_turns(rows, key, reverse=reverse) == sorted(rows, key=key, reverse=reverse)
    assert await sorted_in_turns(rows, reverse=reverse) == sorted(rows, reverse=reverse)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("first", [0, 1, 7, AT_ONCE, AT_ONCE + 1])
async def test_the_first_of_many_are_those_of_all(first: int, reverse: bool) -> None:
    rows = [(place * 7919 % 31, place) for place in range(AT_ONCE * 5 + 7)]

    def key(row: tuple[int, int]) -> int:
        return row[0]

    for how in ({"key": key}, {"keys": lambda some: [key(row) for row in some]}):
        found = await sorted_in_turns(rows, **how, reverse=reverse, first=first)  # type: ignore[arg-type]
        assert found == sorted(rows, key=key, reverse=reverse)[:first]
    found = await sorted_in_turns(rows, reverse=reverse, first=first)
    assert found == sorted(rows, reverse=reverse)[:first]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("first", [None, 7, AT_ONCE])
@pytest.mark.parametrize("number", [9, AT_ONCE * 3])
async def test_those_with_the_same_key_are_never_reversed(
    number: int, first: int | None, reverse: bool
) -> None:
    rows = [(place * 7919 % 31, place * 7 % number) for place in range(number)]
    found = await sorted_in_turns(
        rows, lambda row: row[0], reverse=reverse, first=first, tie=lambda row: row[1]
    )
    expected = sorted(rows, key=lambda row: (-row[0] if reverse else row[0], row[1]))
    assert found == expected[:first]


async def test_others_have_their_turn() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def keys(rows: Sequence[int]) -> list[int]:
        time.sleep(2 * TURN_S)
        return [-row for row in rows]

    other = asyncio.create_task(count())
    await sorted_in_turns(range(AT_ONCE * 4), keys=keys)
    other.cancel()
    assert turns >= AT_ONCE * 4 / KEYED_AT_ONCE
