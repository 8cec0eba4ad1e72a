"""Addresses of nodes, and connections over TLS."""

from __future__ import annotations

import pytest

from loadtest.clients.connection import Place, tls_context
from loadtest.clients.errors import BadPlace


@pytest.mark.parametrize(
    ("url", "authority", "tls"),
    [
        ("ws://127.0.0.1:8470", "127.0.0.1:8470", False),
        ("ws://staging.example", "staging.example:80", False),
        ("wss://staging.example/v1/connect", "staging.example:443", True),
        ("ws://[::1]:8470", "[::1]:8470", False),
    ],
)
def test_where_a_node_is(url: str, authority: str, tls: bool) -> None:
    place = Place.of(url)
    assert (place.authority, place.tls) == (authority, tls)


@pytest.mark.parametrize("url", ["http://a", "a:8470", "", "ws://", "ws://a:99999", "ws://[::1"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(BadPlace):
        Place.of(url)


def test_certificates_are_read_once() -> None:
    assert tls_context() is tls_context()
