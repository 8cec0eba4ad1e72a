"""Sorting lists that are long: a part at a time, so that clients are heard meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

Row = TypeVar("Row")

AT_ONCE = 1000
"""Rows sorted in one go. (What is sorted already is joined much faster than that.)"""


async def sorted_in_turns(
    rows: Sequence[Row], key: Callable[[Row], Any] | None = None, *, reverse: bool = False
) -> list[Row]:
    """What `sorted` answers: it is stable, too."""
    if key is None:
        return await _sorted(rows, None, reverse)
    keyed: list[tuple[Any, Row]] = []
    for start in range(0, len(rows), AT_ONCE):
        keyed += [(key(row), row) for row in rows[start : start + AT_ONCE]]
        await asyncio.sleep(0)
    return [row for _, row in await _sorted(keyed, itemgetter(0), reverse)]


async def _sorted(rows: Sequence[Any], key: Callable[[Any], Any] | None, reverse: bool) -> list[Any]:
    runs = []
    for start in range(0, len(rows), AT_ONCE):
        runs.append(sorted(rows[start : start + AT_ONCE], key=key, reverse=reverse))
        await asyncio.sleep(0)
    while len(runs) > 1:
        joined = []
        for place in range(0, len(runs), 2):
            joined.append(sorted(chain(*runs[place : place + 2]), key=key, reverse=reverse))
            await asyncio.sleep(0)
        runs = joined
    return runs[0] if runs else []
