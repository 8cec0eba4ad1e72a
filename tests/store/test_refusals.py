"""An engine that refuses: every call is answered `StoreUnavailable`, nothing is half done, and nothing is tried twice.

Scripts look before they write, and an engine refuses a script's first write or none of them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.values import Granted, StoreUnavailable
from seatd.store.verbs import StoreOptions
from tests.conftest import Clock
from tests.engine import PrivateEngine, private_engine
from tests.licenses import license_claim, license_key
from tests.servers import eventually
from tests.store.office import Office


@pytest.fixture
async def spare_store(spare_engine: PrivateEngine, spare_client: Redis, clock: Clock) -> Store:
    return Store(spare_client, StoreOptions(partitions=1), checked=True, now_ms=clock)


@pytest.fixture
async def busy_office(spare_store: Store, clock: Clock) -> Office:
    """A customer with a license and somebody at work."""
    return await at_work(spare_store, clock)


async def at_work(store: Store, clock: Clock) -> Office:
    office = Office(store, clock)
    await office.join("n1", "n2")
    await store.put_license(license_key(license_claim(limit=5), license_claim(id="mail", product="EMAIL")))
    await office.open("alice", "CALL_CENTER", session="s1")
    return office


@pytest.fixture
async def setting(spare_engine: PrivateEngine) -> AsyncIterator[Callable[[str, str], Awaitable[object]]]:
    """Sets an engine's setting for the time of the test."""
    async with connect(spare_engine.url, ConnectOptions()) as client:
        before: dict[str, str] = {}

        async def change(name: str, value: str) -> None:
            before.setdefault(name, str((await client.config_get(name))[name]))
            await client.config_set(name, value)

        yield change
        for name, value in before.items():
            await client.config_set(name, value)


def all_verbs(office: Office) -> dict[str, Callable[[], Awaitable[object]]]:
    """Everything that writes."""
    alice = Granted(session="s1", fence=1, seats=())
    return {
        "open": lambda: office.ask("bob", "CALL_CENTER", session="s2"),
        "attach": lambda: office.attach("s1"),
        "acquire": lambda: office.acquire(alice, "alice", "EMAIL"),
        "park": lambda: office.park(alice),
        "kick": lambda: office.kick(session="s1"),
        "beat": lambda: office.beat("n3"),
        "close": lambda: office.close(alice),
        "put_license": lambda: office.store.put_license(
            license_key(license_claim(id="other"), jti="key-2", iat=1_700_000_001)
        ),
    }


async def content(client: Redis) -> dict[bytes, object]:
    return {key: await client.dump(key) async for key in client.scan_iter("*")}


async def refused(office: Office, client: Redis) -> set[str]:
    """Tries everything, which must be refused and change nothing; what the refusals said."""
    before = await content(client)
    said: set[str] = set()
    for call in all_verbs(office).values():
        with pytest.raises(StoreUnavailable) as refusal:
            await call()
        said.add(str(refusal.value))
    assert await content(client) == before
    return said


async def test_an_engine_without_memory(
    busy_office: Office, spare_client: Redis, setting: Callable[[str, str], Awaitable[object]]
) -> None:
    """A script that begins by deleting may go on, and does all of it; one that begins by adding is refused."""
    await setting("maxmemory", "1")
    said = set()
    for verb, call in all_verbs(busy_office).items():
        before = await content(spare_client)
        with suppress(StoreUnavailable):
            await call()
            continue
        said.add(verb)
        assert await content(spare_client) == before
    assert {"open", "put_license"} <= said
    await setting("maxmemory", "0")
    await busy_office.open("bob", "CALL_CENTER", session="s9")


async def test_an_engine_that_has_too_few_replicas(
    busy_office: Office, spare_client: Redis, setting: Callable[[str, str], Awaitable[object]]
) -> None:
    await setting("min-replicas-to-write", "1")
    assert await refused(busy_office, spare_client) == {"NOREPLICAS"}
    await setting("min-replicas-to-write", "0")
    await busy_office.open("bob", "CALL_CENTER", session="s9")


async def test_an_engine_that_is_a_replica_now(clock: Clock) -> None:
    """Its primary is dead, but it has not been told so. (Once promoted, it would never be newborn again.)"""
    with private_engine() as engine:
        async with connect(engine.url, ConnectOptions(timeout_s=0.2, connect_timeout_s=0.2)) as client:
            office = await at_work(
                Store(client, StoreOptions(partitions=1), checked=True, now_ms=clock), clock
            )
            await client.slaveof("127.0.0.1", 1)
            said = await refused(office, client)
    assert said <= {"READONLY", "ReadOnlyError", "MASTERDOWN"}


async def test_an_engine_that_somebody_elses_script_blocks(
    busy_office: Office, spare_engine: PrivateEngine, setting: Callable[[str, str], Awaitable[object]]
) -> None:
    await setting("busy-reply-threshold", "1")
    async with connect(spare_engine.url, ConnectOptions(timeout_s=60)) as stranger:
        endless: Any = asyncio.ensure_future(stranger.eval("while true do end", 0))
        try:
            said = set()
            for call in all_verbs(busy_office).values():
                with pytest.raises(StoreUnavailable) as refusal:
                    await until_busy(call)
                said.add(str(refusal.value))
            assert "BUSY" in said
        finally:
            async with connect(spare_engine.url, ConnectOptions()) as killer:
                await killer.script_kill()
            with pytest.raises(ResponseError, match="illed"):
                await endless
    await busy_office.open("bob", "CALL_CENTER", session="s9")


async def until_busy(call: Callable[[], Awaitable[object]]) -> None:
    """The engine takes a moment to see that it is busy; what it did before is no failure of this test."""
    while True:
        await call()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder with room for little."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount a small disk")
    with tempfile.TemporaryDirectory(prefix="seatd-") as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", folder], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("no small disk can be mounted here")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


async def test_an_engine_whose_disk_is_full(small_disk: Path, clock: Clock) -> None:
    with private_engine(appendonly="yes", dir=str(small_disk)) as engine:
        client = connect(engine.url, ConnectOptions())
        office = Office(Store(client, StoreOptions(partitions=1), checked=True, now_ms=clock), clock)
        await office.join("n1", "n2")
        await office.store.put_license(
            license_key(license_claim(limit=5), license_claim(id="mail", product="EMAIL"))
        )
        await office.open("alice", "CALL_CENTER", session="s1")
        filler = small_disk / "filler"
        with pytest.raises(OSError, match="space"), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

        async def says_so() -> bool:
            try:
                await office.beat("n1")
            except StoreUnavailable as error:
                return str(error) == "MISCONF"
            return False

        await eventually(says_so)
        assert await refused(office, client) == {"MISCONF"}
        filler.unlink()

        async def writes_again() -> bool:
            try:
                await office.beat("n1")
            except StoreUnavailable:
                return False
            return True

        await eventually(writes_again)
        await office.open("bob", "CALL_CENTER", session="s9")
        await client.aclose()
