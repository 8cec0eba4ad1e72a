"""Whether others could do to the store what only seatd should."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from seatd.store.connect import ConnectOptions, connect
from seatd.store.exposure import _without_tls, exposure, is_mended
from tests.topologies import sentinel_group


@pytest.mark.parametrize(
    ("name", "text", "mended"),
    [
        ("Valkey", "9.1.2", True),
        ("Valkey", "8.1.4", True),
        ("Valkey", "8.1.3", False),
        ("Valkey", "8.0.6", True),
        ("Valkey", "7.2.10", False),
        ("Valkey", "7.0.0", False),
        ("Redis", "8.2.2", True),
        ("Redis", "8.3.0", True),
        ("Redis", "8.0.3", False),
        ("Redis", "7.0.15", False),
        ("Redis", "6.2.20", True),
        ("Redis", "unstable", True),
    ],
)
def test_versions(name: str, text: str, mended: bool) -> None:
    assert is_mended(name, text) is mended


async def test_a_server_that_lets_anybody_in() -> None:
    with sentinel_group(replicas=0, sentinels=1) as group:
        primary = group.primary()
        async with connect(f"redis://{primary.address}", ConnectOptions()) as client:
            assert isinstance(client, Redis)
            assert any("asks for no password" in sentence for sentence in await exposure(client))
        primary.ask("CONFIG", "SET", "requirepass", "pw")
        async with connect(f"redis://:pw@{primary.address}", ConnectOptions()) as client:
            assert isinstance(client, Redis)
            assert not any("password" in sentence for sentence in await exposure(client))


async def test_a_way_that_others_can_read() -> None:
    """(Nothing is asked of these servers but their settings.)"""
    for url, told in (
        ("redis://:pw@store.example:6379", True),
        ("rediss://:pw@store.example:6379", False),
        ("redis://:pw@127.0.0.1:6379", False),
        ("unix:///tmp/store.sock", False),
    ):
        client = connect(url, ConnectOptions())
        assert isinstance(client, Redis)
        assert bool(_without_tls(client)) is told
        await client.aclose()
