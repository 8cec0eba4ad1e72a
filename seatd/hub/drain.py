"""Draining: every client is sent to another node, at a rate that the others can take."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seatd_protocol import codes
from seatd_protocol.messages import Moving

if TYPE_CHECKING:
    from seatd.hub.session import Session

MOVES_PER_S = 200
"""A node takes in some 760 upgrades a second (measured with aiohttp on one core); a quarter leaves it room for its own."""
SPREAD_SHARE = 0.8
"""The part of the time for draining in which clients are moved; the rest is for their sockets to close."""
STEP_S = 0.05
AFTER_MS = 250
"""The longest that a client is asked to wait before it comes back elsewhere."""


async def move_all(sessions: Sequence[Session], drain_s: float) -> None:
    """Moves all sessions in a random order, faster than `MOVES_PER_S` only where the time would not do."""
    waiting = random.sample(sessions, len(sessions))
    per_s = max(MOVES_PER_S, len(waiting) / (drain_s * SPREAD_SHARE))
    step = max(1, round(per_s * STEP_S))
    for start in range(0, len(waiting), step):
        if start:
            await asyncio.sleep(step / per_s)
        for session in waiting[start : start + step]:
            _move(session)


def _move(session: Session) -> None:
    if session.beats:
        session.send(Moving(after_ms=random.randrange(AFTER_MS)))  # noqa: S311  # to spread, not to surprise
    session.close(codes.MOVING)
