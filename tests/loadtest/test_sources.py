"""Addresses to connect from, and whether there is room for so many clients."""

from __future__ import annotations

import pytest

from loadtest import sources
from loadtest.clients.errors import BadSources


def test_addresses() -> None:
    assert sources.addresses(("127.0.0.9", "127.0.0.8-127.0.0.10")) == (
        "127.0.0.9",
        "127.0.0.8",
        "127.0.0.10",
    )
    assert sources.addresses(("::1-::3",)) == ("::1", "::2", "::3")
    assert sources.addresses(()) == ()


@pytest.mark.parametrize(
    "text", ["here", "300.1.1.1", "127.0.0.9-127.0.0.2", "127.0.0.2-::1", "10.0.0.0-10.255.0.0"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadSources):
        sources.addresses((text,))


def test_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatd.descriptors.limit", lambda: 100_000)
    monkeypatch.setattr(sources, "_ports", lambda: 1000)
    sources.check_room(1000, ())
    sources.check_room(3000, ("127.0.0.2", "127.0.0.3", "127.0.0.4"))
    with pytest.raises(BadSources, match="--source"):
        sources.check_room(1001, ())
    with pytest.raises(BadSources, match="ulimit"):
        sources.check_room(100_000, ())
