"""What a server must be able to do, and what it had better do."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from seatd.store.access_values import EVERYTHING, TokenRecord
from seatd.store.checks import check
from seatd.store.connect import ConnectOptions, connect, subscriber
from seatd.store.engine import Engine
from seatd.store.redis import Store
from seatd.store.values import WrongDeployment
from seatd.store.verbs import StoreOptions
from seatd.store.wakeups import Wakeups
from tests.conftest import Clock
from tests.engine import PrivateEngine, private_engine
from tests.store.story import working_day
from tests.topologies import sentinel_group

DOCUMENTED = Path(__file__).parents[2] / "docs" / "configuration.md"


async def user_of(engine: PrivateEngine, client: Redis, *rules: str) -> Store:
    """The store, as a user with these rights sees it."""
    await client.execute_command("ACL", "SETUSER", "some", "reset", "on", ">pw", "~*", "&*", "+@all", *rules)
    url = engine.url.replace("unix://", "unix://some:pw@")
    return Store(connect(url, ConnectOptions()), StoreOptions(partitions=4))


def documented_rights(program: Engine) -> list[str]:
    """What the documentation says that the store's user must be allowed."""
    (rights,) = re.findall(r"The rights that its user needs: `(.*?)`", DOCUMENTED.read_text(), re.DOTALL)
    return [right for right in rights.split() if right != "+waitaof" or program.version >= (7, 2, 0)]


async def test_scripts_that_may_not_read_info(spare_engine: PrivateEngine, spare_client: Redis) -> None:
    store = await user_of(spare_engine, spare_client, "-info")
    with pytest.raises(WrongDeployment, match="does not let scripts read INFO"):
        await store.join()
    await store.close_client()


async def test_a_server_that_does_not_let_us_look_is_taken_at_its_word(
    spare_engine: PrivateEngine, spare_client: Redis
) -> None:
    store = await user_of(spare_engine, spare_client, "-config")
    await store.join()
    await store.close_client()


async def test_the_rights_that_the_documentation_names_are_enough(
    spare_engine: PrivateEngine, spare_client: Redis, clock: Clock
) -> None:
    rights = documented_rights(spare_engine.program)
    await spare_client.execute_command("ACL", "SETUSER", "least", "reset", "on", ">pw", *rights)
    client = connect(spare_engine.url.replace("unix://", "unix://least:pw@"), ConnectOptions())
    store = Store(client, StoreOptions(partitions=4), now_ms=clock)
    await working_day(store, clock)
    await store.register_token("hash", TokenRecord(name="n", grant=EVERYTHING, created_ms=0))
    own = subscriber(spare_engine.url.replace("unix://", "unix://least:pw@"), ConnectOptions())
    announced = Wakeups(own, "n1", publish=store.publish).announced()
    asked = asyncio.ensure_future(anext(announced))
    while not (await spare_client.publish("seatd:wake:n1", "7")):
        pass
    assert await asyncio.wait_for(asked, 10) == 7
    await announced.aclose()
    await own.aclose()
    await store.close_client()


async def test_a_file_that_is_off_is_told(store: Store) -> None:
    with capture_logs() as events:
        await store.join()
    assert {event["log_level"] for event in events} == {"warning"}
    assert ["append-only file is off" in event["event"] for event in events].count(True) == 1


async def test_a_server_with_its_file_on_is_fine() -> None:
    with private_engine(appendonly="yes") as engine:
        async with connect(engine.url, ConnectOptions()) as client:
            assert await check(client) == set()


async def test_too_few_replicas_for_the_primary_to_fail() -> None:
    with sentinel_group(replicas=1, sentinels=1, appendonly="yes") as group:
        primary = group.primary()
        async with connect(f"redis://{primary.address}", ConnectOptions()) as client:
            (warning,) = await check(client)
            assert "min-replicas-to-write is 0" in warning
            primary.ask("CONFIG", "SET", "min-replicas-to-write", "1")
            (warning,) = await check(client)
            assert "one replica more" in warning
    with sentinel_group(replicas=2, sentinels=1, appendonly="yes", min_replicas_to_write="1") as group:
        async with connect(f"redis://{group.primary().address}", ConnectOptions()) as client:
            assert await check(client) == set()
