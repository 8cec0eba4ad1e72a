"""How late the loop is, told while it is late and until the next look after it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from seatd.hub.lag import EVERY_S, Lag
from tests.servers import eventually


class Clock:
    """Stands still until it is moved."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def lag(clock: Clock) -> AsyncIterator[Lag]:
    """It has begun to look."""
    lag = Lag(clock)
    watch = asyncio.create_task(lag.watch())
    await asyncio.sleep(0)
    yield lag
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch


def test_nothing_is_known_before_it_looks(clock: Clock) -> None:
    assert Lag(clock).now_s == 0.0


async def test_it_is_known_while_it_lasts_and_over_with_the_look_after(lag: Lag, clock: Clock) -> None:
    clock.now_s += EVERY_S / 2
    assert lag.now_s == 0.0
    clock.now_s += EVERY_S / 2 + 3
    assert lag.now_s == pytest.approx(3)  # the look is late, and has not come yet
    await eventually(lambda: lag._due_s == clock.now_s + EVERY_S)
    assert lag.now_s == pytest.approx(3)  # it has come, and was so late
    clock.now_s += EVERY_S
    await eventually(lambda: lag.now_s < 1)
    assert lag.now_s == pytest.approx(0)
