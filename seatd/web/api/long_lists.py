"""Sorting lists that are long: a part at a time, so that clients are heard meanwhile."""

from __future__ import annotations

import heapq
import operator
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from seatd.turns import Turns, in_turns

Row = TypeVar("Row")
Keyed = tuple[Any, Any]
"""The key of a row, and the row."""

AT_ONCE = 1000
"""Rows sorted in one go."""
KEYED_AT_ONCE = 200
"""Rows whose keys are made in one go: a row may have to be decoded for it."""


async def sorted_in_turns(
    rows: Sequence[Row],
    key: Callable[[Row], Any] | None = None,
    *,
    keys: Callable[[Sequence[Row]], Iterable[Any]] | None = None,
    reverse: bool = False,
    first: int | None = None,
    tie: Callable[[Row], Any] | None = None,
) -> list[Row]:
    """What `sorted` answers, or of that the `first` so many rows: it is stable, too. Rows with the same key come in the order
    of `tie` if there is one, whether the others are reversed or not. `keys`, in the place of `key`, answers those of some rows
    together."""
    most = len(rows) if first is None else first
    is_few = most <= AT_ONCE < len(rows)
    if tie is not None and not is_few:
        rows = await sorted_in_turns(rows, tie)
    keyed = await _keyed(rows, (lambda some: map(key, some)) if key else keys)
    found = await (_first(keyed, reverse, most, tie) if is_few else _sorted(keyed, reverse, most))
    return [row for _, row in found]


async def _keyed(
    rows: Sequence[Any], keys: Callable[[Sequence[Any]], Iterable[Any]] | None
) -> Sequence[Keyed]:
    if keys is None:
        return list(zip(rows, rows, strict=True))
    turns = Turns()
    keyed: list[Keyed] = []
    for start in range(0, len(rows), KEYED_AT_ONCE):
        some = rows[start : start + KEYED_AT_ONCE]
        keyed += zip(keys(some), some, strict=True)
        await turns.give_way()
    return keyed


async def _first(
    keyed: Sequence[Keyed], reverse: bool, most: int, tie: Callable[[Any], Any] | None
) -> list[Keyed]:
    """Few of many: what comes after the last of those known so far needs no place."""
    turns, known = Turns(), _ordered(keyed[:AT_ONCE], reverse, tie)[:most]
    before, before_or_equal = (operator.gt, operator.ge) if reverse else (operator.lt, operator.le)
    may_come_before = before if tie is None else before_or_equal
    for start in range(AT_ONCE, len(keyed) if known else 0, AT_ONCE):
        await turns.give_way()
        last = known[-1][0]
        known += [row for row in keyed[start : start + AT_ONCE] if may_come_before(row[0], last)]
        known = _ordered(known, reverse, tie)[:most]
    return known


def _ordered(keyed: Sequence[Keyed], reverse: bool, tie: Callable[[Any], Any] | None) -> list[Keyed]:
    rows = keyed if tie is None else sorted(keyed, key=lambda row: tie(row[1]))
    return sorted(rows, key=itemgetter(0), reverse=reverse)


async def _sorted(keyed: Sequence[Keyed], reverse: bool, most: int) -> list[Keyed]:
    turns, runs = Turns(), []
    for start in range(0, len(keyed), AT_ONCE):
        runs.append(sorted(keyed[start : start + AT_ONCE], key=itemgetter(0), reverse=reverse))
        await turns.give_way()
    if len(runs) == 1:
        return runs[0][:most]
    joined: list[Keyed] = []
    async for row in in_turns(heapq.merge(*runs, key=itemgetter(0), reverse=reverse)):
        if len(joined) == most:
            break
        joined.append(row)
    return joined
