"""The oldest engine that is supported, where the system has it: every verb once."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatd.store.connect import ConnectOptions, connect
from seatd.store.engine import find_engine
from seatd.store.redis import Store
from seatd.store.verbs import StoreOptions
from tests.conftest import Clock
from tests.engine import private_engine
from tests.store.story import working_day

SYSTEM_REDIS = Path("/usr/bin/redis-server")


@pytest.mark.skipif(not SYSTEM_REDIS.exists(), reason="this system has no redis-server")
async def test_a_working_day_on_the_systems_redis(clock: Clock) -> None:
    with private_engine(find_engine({"SEATD_STORE_BIN": str(SYSTEM_REDIS)})) as engine:
        client = connect(engine.url, ConnectOptions())
        store = Store(client, StoreOptions(partitions=4), checked=True, now_ms=clock)
        try:
            await working_day(store, clock)
        finally:
            await store.close_client()
