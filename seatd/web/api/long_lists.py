"""Sorting lists that are long: a part at a time, so that clients are heard meanwhile."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from seatd.turns import Turns, in_turns

Row = TypeVar("Row")

AT_ONCE = 1000
"""Rows sorted in one go."""


async def sorted_in_turns(
    rows: Sequence[Row],
    key: Callable[[Row], Any] | None = None,
    *,
    reverse: bool = False,
    first: int | None = None,
) -> list[Row]:
    """What `sorted` answers, or of that the `first` so many rows: it is stable, too."""
    most = len(rows) if first is None else first
    if key is None:
        return await _sorted(rows, None, reverse, most)
    keyed = [(key(row), row) async for row in in_turns(rows)]
    return [row for _, row in await _sorted(keyed, itemgetter(0), reverse, most)]


async def _sorted(
    rows: Sequence[Any], key: Callable[[Any], Any] | None, reverse: bool, most: int
) -> list[Any]:
    turns, runs = Turns(), []
    for start in range(0, len(rows), AT_ONCE):
        runs.append(sorted(rows[start : start + AT_ONCE], key=key, reverse=reverse))
        await turns.give_way()
    if len(runs) == 1:
        return runs[0][:most]
    joined: list[Any] = []
    async for row in in_turns(heapq.merge(*runs, key=key, reverse=reverse)):
        if len(joined) == most:
            break
        joined.append(row)
    return joined
