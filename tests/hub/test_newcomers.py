"""Who says nothing is closed in time, also when others came and spoke meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from seatd.hub.newcomers import Newcomers
from seatd.hub.session import Session
from tests.servers import eventually


class Silent:
    """A session as far as it matters here."""

    def __init__(self) -> None:
        self.closed: Any = None

    def close(self, code: Any) -> None:
        self.closed = code


async def test_each_has_its_own_time() -> None:
    newcomers = Newcomers(0.05)
    early, spoke, late = Silent(), Silent(), Silent()
    newcomers.add(cast(Session, early))
    newcomers.add(cast(Session, spoke))
    await asyncio.sleep(0.03)
    newcomers.add(cast(Session, late))
    newcomers.remove(cast(Session, spoke))
    await eventually(lambda: early.closed)
    assert early.closed.slug == "hello_timeout"
    await eventually(lambda: late.closed)
    assert spoke.closed is None
    assert not newcomers._due_s
    assert newcomers._timer is None


async def test_it_begins_again_after_a_pause() -> None:
    newcomers = Newcomers(0.01)
    for _ in range(2):
        silent = Silent()
        newcomers.add(cast(Session, silent))
        await eventually(lambda silent=silent: silent.closed)  # type: ignore[misc]
