"""Tickets that a client shows, on a server whose keys it does not know."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from seatd.hub.tickets import Tickets
from seatd.hub.tokens import Identity
from seatd_protocol.messages import Device, Resume
from tests.fuzz.target import Target

# All that reading a ticket needs of a hub are the deployment's keys.
HUB: Any = SimpleNamespace(store=SimpleNamespace(ticket_keys=(b"k" * 32, b"o" * 32)))
ANN = Identity(user="ann@acme.example", domain="acme.example", customer="acme", expires_s=2_000_000_000)


def run(data: bytes) -> None:
    """Never believed."""
    resume = Resume(session="s" * 22, secret="t" * 43, ticket=data.decode("utf-8", "replace"))
    assert Tickets(HUB).read(resume, ANN, Device(kind="desktop", id="d1")) is None


def seeds() -> Iterator[bytes]:
    yield b""
    yield base64.urlsafe_b64encode(bytes(range(120))).rstrip(b"=")


TARGET = Target("tickets", run, seeds, ("\u20ac".encode(), b"=", b"-_", b"+/"))
