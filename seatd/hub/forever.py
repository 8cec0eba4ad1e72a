"""Work that goes on for as long as the node does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

PAUSE_S = 1.0
"""After a fault, so that one that stays does not fill the log."""


async def forever(work: Callable[[], Awaitable[object]], pause_s: float = PAUSE_S) -> None:
    """Runs `work`, again and again; a fault of ours is logged, and costs a pause, not the work."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("background work failed", work=work.__qualname__)
            await asyncio.sleep(pause_s)
