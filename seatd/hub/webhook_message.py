"""What a receiver gets: a JSON body, and a signature over it and the time (docs/webhooks.md)."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import msgspec

from seatd.store.webhook_values import Delivery

FACTS = ("license", "product", "kind", "domain", "user", "session", "code", "by", "reason")
"""What is told of an event as it is in the stream, null where it does not apply."""


def message(customer: str, delivery: Delivery) -> bytes:
    """The body: the same to the byte, however often the delivery is sent."""
    event = delivery.event
    until_ms = event.get("until_ms")
    return msgspec.json.encode(
        {
            "id": delivery.id,
            "type": delivery.type,
            "customer": customer,
            "at": _written(delivery.at_ms),
            "seq": delivery.seq,
            "times": event.get("times", 1),
            **{name: event.get(name) for name in FACTS},
            "until": None if until_ms is None else _written(until_ms),
        }
    )


def trial(customer: str, webhook: str, at_ms: int) -> tuple[str, bytes]:
    """Id and body of what is sent to try a webhook out: of the type `test`, about nothing."""
    id = f"{webhook}.test-{at_ms}"
    body: dict[str, Any] = {"id": id, "type": "test", "customer": customer, "at": _written(at_ms)}
    return id, msgspec.json.encode(body)


def signature(secret: str, at_s: int, body: bytes) -> str:
    """The header `Seatd-Signature`: HMAC-SHA256 over the time and the body, so that nobody can send an old one again later."""
    signed = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256)
    return f"t={at_s},v1={signed.hexdigest()}"


def _written(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
