"""Coming back as the contract says: not before the server has asked for it, and after longer and longer times of one's own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from loadtest.clients.client import VirtualClient
from loadtest.clients.recorder import Recorder
from seatd_protocol.backoff import Backoff
from seatd_protocol.codes import Action

MAY_BE_TOLD = {f"denied {code}" for code in ("unavailable", "recovering", "overloaded")}
"""By a server that cannot say now. Any other denial is false for who has a seat to come back to."""


async def until_back(
    one: VirtualClient, attempt: Callable[[], Awaitable[bool]], *, lost: bool = False
) -> None:
    """Tries until it is there; each further try is counted (`tried again`). With `lost` it waits before the first one, too, as
    clients do whose connection has ended without a close frame."""
    backoff, linger_s = Backoff(random.random), None if one.welcome is None else one.welcome.linger_s
    if lost:
        await asyncio.sleep(backoff.delay_s(Action.RECONNECT, linger_s=linger_s) or 0.0)
    while not await attempt():
        one.terms.recorder.count("tried again")
        wait_s = backoff.delay_s(Action.RECONNECT, linger_s=linger_s) or 0.0
        await asyncio.sleep(max(wait_s, one.asked_to_wait_s))


def note_false_denials(recorder: Recorder) -> None:
    """A denial that should not have been is an error."""
    for what, number in tuple(recorder.counts.items()):
        if what.startswith("denied ") and what not in MAY_BE_TOLD:
            recorder.counts[f"error falsely {what}"] += number
