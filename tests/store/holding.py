"""A node that tells the store which sessions it holds."""

from __future__ import annotations

from collections.abc import Mapping

from seatd.store.redis import Store
from seatd.store.values import Held


async def lost_by(store: Store, node: str, fences: Mapping[str, int], customer: str = "acme") -> list[str]:
    """Which of the sessions (id -> fence) that a node holds the store calls no longer its own."""
    held = [Held(session=session, fence=fence) for session, fence in fences.items()]
    return list((await store.reassert(customer, node, held)).lost)
