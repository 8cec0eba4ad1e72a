"""Sorting lists that are long: a part at a time, so that clients are heard meanwhile."""

from __future__ import annotations

import heapq
import operator
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from seatd.turns import Turns, in_turns

Row = TypeVar("Row")

AT_ONCE = 1000
"""Rows sorted in one go."""
KEYED_AT_ONCE = 200
"""Rows whose keys are made in one go: a row may have to be decoded for it."""


async def sorted_in_turns(
    rows: Sequence[Row],
    key: Callable[[Row], Any] | None = None,
    *,
    reverse: bool = False,
    first: int | None = None,
) -> list[Row]:
    """What `sorted` answers, or of that the `first` so many rows: it is stable, too."""
    most = len(rows) if first is None else first
    whole = await _keyed(rows, key)
    by = None if key is None else itemgetter(0)
    if most <= AT_ONCE < len(rows):
        found = await _first(whole, by, reverse, most)
    else:
        found = await _sorted(whole, by, reverse, most)
    return found if key is None else [row for _, row in found]


async def _keyed(rows: Sequence[Any], key: Callable[[Any], Any] | None) -> Sequence[Any]:
    """Each row with its key before it, if there is one."""
    if key is None:
        return rows
    turns, keyed = Turns(), []
    for start in range(0, len(rows), KEYED_AT_ONCE):
        keyed += [(key(row), row) for row in rows[start : start + KEYED_AT_ONCE]]
        await turns.give_way()
    return keyed


async def _first(rows: Sequence[Any], by: Callable[[Any], Any] | None, reverse: bool, most: int) -> list[Any]:
    """Few of many: what comes after the last of those known so far needs no place."""
    turns, known = Turns(), sorted(rows[:AT_ONCE], key=by, reverse=reverse)[:most]
    comes_before = operator.gt if reverse else operator.lt
    for start in range(AT_ONCE, len(rows) if known else 0, AT_ONCE):
        await turns.give_way()
        portion = rows[start : start + AT_ONCE]
        last = by(known[-1]) if by else known[-1]
        if by:
            known += [row for row in portion if comes_before(row[0], last)]
        else:
            known += [row for row in portion if comes_before(row, last)]
        known = sorted(known, key=by, reverse=reverse)[:most]
    return known


async def _sorted(
    rows: Sequence[Any], by: Callable[[Any], Any] | None, reverse: bool, most: int
) -> list[Any]:
    turns, runs = Turns(), []
    for start in range(0, len(rows), AT_ONCE):
        runs.append(sorted(rows[start : start + AT_ONCE], key=by, reverse=reverse))
        await turns.give_way()
    if len(runs) == 1:
        return runs[0][:most]
    joined: list[Any] = []
    async for row in in_turns(heapq.merge(*runs, key=by, reverse=reverse)):
        if len(joined) == most:
            break
        joined.append(row)
    return joined
