"""The store dies, forgets, or is replaced: nobody loses a seat, nobody gets a second one, and grants go on soon."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from seatd_protocol.messages import Denied, Welcome
from tests.engine import _tied_to, tested_engine
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.servers import Server, Servers, free_port

WAIT_S = 60.0


@contextmanager
def engine(folder: Path, port: int, *lines: str, sentinel: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """A server of the engine on a loopback port, killed afterwards."""
    folder.mkdir()
    config = folder / "engine.conf"
    config.write_text("\n".join([f"port {port}", "bind 127.0.0.1", f"dir {folder}", *lines]) + "\n")
    command = [str(tested_engine().path), str(config), *(["--sentinel"] if sentinel else [])]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=_tied_to(os.getpid()))
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()


async def until(port: int, command: str, wanted: str) -> None:
    """Waits for a server to say something."""
    with Redis(port=port, socket_timeout=5) as client:
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    if wanted in str(client.execute_command(*command.split())):
                        return
                except RedisError:
                    pass
                await asyncio.sleep(0.05)


async def eight(company: Company) -> list[Client]:
    """Eight people at work, over both nodes."""
    return [await company.sign_in(company.nodes[n % 2], f"user{n}", "CALL_CENTER") for n in range(8)]


async def let_in(company: Company) -> float:
    """Seconds until a newcomer gets a seat; what he is told meanwhile must be temporary."""
    began_s = time.monotonic()
    async with asyncio.timeout(WAIT_S):
        while True:
            new = await company.sign_in(company.nodes[0], "new", "CALL_CENTER")
            if isinstance(new.first, Welcome):
                return time.monotonic() - began_s
            assert isinstance(new.first, Denied), new.first
            assert new.first.code in ("unavailable", "recovering")
            await asyncio.sleep(0.1)


async def test_a_killed_engine_costs_nobody_a_seat(servers: Servers) -> None:
    a = servers.start("a")
    company = Company(a, servers.start("b", store=a.store))
    await company.licensed("CALL_CENTER:competitive:9")
    people = await eight(company)
    os.kill(a.engine_pid(), signal.SIGKILL)
    await let_in(company)
    assert await company.used() == 9
    last = await company.sign_in(company.nodes[1], "last", "CALL_CENTER")
    assert last.denied.code == "no_seat"
    assert all(person.heard_nothing() for person in people)


async def test_a_store_that_has_forgotten_its_sessions_is_told_again(servers: Servers) -> None:
    """As after a restored backup: the licenses are there, the morning's sessions are not."""
    a = servers.start("a")
    company = Company(a, servers.start("b", store=a.store))
    await company.licensed("CALL_CENTER:competitive:9")
    people = await eight(company)
    ended = people.pop()
    await ended.bye()
    _forget_sessions(a, company.name)
    await let_in(company)
    assert await company.used() == 8
    assert all(person.heard_nothing() for person in people)


def _forget_sessions(node: Server, customer: str) -> None:
    with Redis(unix_socket_path=node.store.removeprefix("unix://")) as client:
        keys = [key.decode() for key in client.scan_iter(f"*:c:{customer}:*")]
        meta = {key.split(":c:")[0] + ":meta" for key in keys}
        pipe = client.pipeline()
        pipe.delete(*(key for key in keys if key.endswith((":seats", ":sessions", ":by_user"))))
        for key in meta:
            pipe.hset(key, "replid", "another")
        pipe.execute()


@pytest.mark.parametrize("planned", [False, True], ids=["crash", "planned"])
async def test_a_failover_by_sentinel(servers: Servers, planned: bool) -> None:
    primary, replica, *watching = (free_port() for _ in range(5))
    kept = ("appendonly yes", 'save ""')
    watch = (
        f"sentinel monitor main 127.0.0.1 {primary} 2",
        "sentinel down-after-milliseconds main 1000",
        "sentinel failover-timeout main 5000",
    )
    with tempfile.TemporaryDirectory(prefix="seatd-") as name:
        root = Path(name)
        with (
            engine(root / "primary", primary, *kept) as first,
            engine(root / "replica", replica, *kept, f"replicaof 127.0.0.1 {primary}"),
            engine(root / "s1", watching[0], *watch, sentinel=True),
            engine(root / "s2", watching[1], *watch, sentinel=True),
            engine(root / "s3", watching[2], *watch, sentinel=True),
        ):
            await until(primary, "INFO replication", "'connected_slaves': 1")
            for port in watching:
                await until(port, "SENTINEL REPLICAS main", str(replica))
                await until(port, "SENTINEL MASTER main", "'num-other-sentinels': 2")
            hosts = ",".join(f"127.0.0.1:{port}" for port in watching)
            url = f"redis+sentinel://{hosts}/main"
            company = Company(servers.start("a", store=url), servers.start("b", store=url))
            await company.licensed("CALL_CENTER:competitive:9")
            people = await eight(company)
            if planned:
                Redis(port=watching[0]).execute_command("SENTINEL", "FAILOVER", "main")
            else:
                first.kill()
            await until(watching[0], "SENTINEL GET-MASTER-ADDR-BY-NAME main", str(replica))
            await let_in(company)
            assert await company.used() == 9
            assert all(person.heard_nothing() for person in people)
            for node in company.nodes:
                assert node.stop() == 0
