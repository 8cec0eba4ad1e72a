"""Ending a background task for certain."""

from __future__ import annotations

import asyncio

AGAIN_S = 0.2


async def ended(task: asyncio.Task[None]) -> None:
    """Cancels a task until it ends: on Python 3.11 `asyncio.wait_for` can swallow a cancellation, and redis-py uses it."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_S)
