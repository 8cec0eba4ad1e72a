"""What the table's rows are measured by: each measurement gives one row or several."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import NamedTuple

from loadtest.clients.errors import Unusable
from loadtest.rows import crowd, fairness, grants, kill, logout, pages, queue, two_nodes
from loadtest.rows.goals import GOALS
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale

Measure = Callable[[Scale, Collection[str], Callable[[str], None]], Awaitable[list[Row]]]


class Measurement(NamedTuple):
    """`names`: the rows that it gives; it is told which of them are wanted."""

    names: tuple[str, ...]
    run: Measure


MEASUREMENTS = (
    Measurement(
        ("sign-in", "acquire", "memory", "store-memory", "idle", "idle-store", "logout-all"), crowd.measured
    ),
    Measurement(("queue",), queue.measured),
    Measurement(("logout",), logout.measured),
    Measurement(("fairness",), fairness.measured),
    Measurement(("kill",), kill.measured),
    Measurement(("two-nodes",), two_nodes.measured),
    Measurement(("grants",), grants.measured),
    Measurement(("pages", "pages-grants"), pages.measured),
)


def chosen(names: Iterable[str]) -> list[str]:
    """Those rows, in the table's order; without a name all. Raises `Unusable` for a name that no row has."""
    wanted = set(names)
    for name in sorted(wanted - GOALS.keys()):
        raise Unusable(f"there is no row {name!r}; the rows are {', '.join(GOALS)}")
    return [name for name in GOALS if not wanted or name in wanted]
