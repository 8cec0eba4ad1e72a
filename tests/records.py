"""A session's record as the store keeps it (`seatd/store/lua/shared/records.lua`), as tests look at it."""

from __future__ import annotations

from typing import Any

import msgpack


def session_record(packed: bytes) -> dict[str, Any]:
    """The record, each of its seats a map."""
    record: dict[str, Any] = msgpack.unpackb(packed)
    record["seats"] = [_seat(kept, record["user"]) for kept in record["seats"]]
    return record


def _seat(kept: list[Any], user: str) -> dict[str, Any]:
    product, license_, nominal, since_ms, holder, overdraft, *reserved = kept
    seat = {
        "product": product,
        "license": license_,
        "kind": "nominal" if nominal else "competitive",
        "since_ms": since_ms,
        "holder": holder or user,
        "overdraft": overdraft,
    }
    return seat | ({"reserved": reserved[0]} if reserved else {})
