"""Hashes of the engine, as client libraries give them."""

from __future__ import annotations

from typing import Any


def fields_of(reply: Any) -> dict[bytes, bytes]:
    """What HGETALL answered: a map, or a flat list, by the protocol that is spoken."""
    if isinstance(reply, list):
        return dict(zip(reply[::2], reply[1::2], strict=True))
    return dict(reply)
