"""The clock and the waits of a client, in one place, so that whoever tests one can pass others."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


def steady_s() -> float:
    """Seconds on a clock that never goes back and goes on while the machine sleeps.

    A laptop that wakes must see that its lease has ended. Linux stops `CLOCK_MONOTONIC` during sleep
    and has `CLOCK_BOOTTIME` beside it; where that is missing, the monotonic clock is what there is.
    """
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


@dataclass(frozen=True, slots=True)
class Timing:
    """How a client measures and waits.

    `connect_s` bounds the upgrade, `answer_s` the wait for the first answer to `hello`, `bye_s` the
    wait for the server's close after `bye`. `silence_s` is how long a connection may be silent before
    it counts as dead; without it, one and a half times the beat that the server named.
    """

    clock: Callable[[], float] = steady_s
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
    connect_s: float = 10.0
    answer_s: float = 20.0
    bye_s: float = 2.0
    silence_s: float | None = None
