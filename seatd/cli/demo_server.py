"""The server that a demonstration plays on: the one of the data folder, or a private one that ends with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from seatd.cli.access import Server
from seatd.cli.demo_files import DemoFiles, demo_files, prepare
from seatd.cli.failures import Refused
from seatd.cli.local import Running, admin_token, is_alive, reachable_url, running
from seatd.cli.output import say, visible

START_S = 60.0  # a slow disk and a first start of the embedded store together
STOP_S = 20.0
LOG = "server.log"


class Stage(NamedTuple):
    """A server to play on: its two addresses, and the files of its demo vendor."""

    server: Server
    clients_url: str
    files: DemoFiles


@contextlib.asynccontextmanager
async def stage(data: Path) -> AsyncIterator[Stage]:
    """The server to play on. Raises Refused when none can be had."""
    found = _stage(data)
    if found is not None:
        say(f"Playing on the server in {data}.")
        yield found
        return
    with tempfile.TemporaryDirectory(prefix="seatd-demo-", ignore_cleanup_errors=True) as folder:
        say("Starting a private server for the demonstration.")
        async with _private_server(Path(folder)) as own:
            yield own


def _stage(data: Path) -> Stage | None:
    """The running server of a data folder that was prepared for demonstrations."""
    now, token, files = running(data), admin_token(data), demo_files(data)
    if now is None or token is None or not is_alive(now.pid) or not files.complete():
        return None
    return _of(now, token, files)


def _of(now: Running, token: str, files: DemoFiles) -> Stage:
    return Stage(Server(reachable_url(now.admin, "http"), token), reachable_url(now.clients, "ws"), files)


@contextlib.asynccontextmanager
async def _private_server(folder: Path) -> AsyncIterator[Stage]:
    process = await _start(folder)
    try:
        await _ready(process)
        found = _stage(folder)
        if found is None:
            raise Refused("The private server did not start.\n" + _log_tail(folder))
        yield found
    finally:
        await _stop(process)


async def _start(folder: Path) -> asyncio.subprocess.Process:
    files = prepare(folder)
    with (folder / LOG).open("wb") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "seatd", "serve", "--data", str(folder), "--trust", str(files.trusted),
            "--clients", "127.0.0.1:0", "--admin", "127.0.0.1:0",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log,
            env=_environment(files),
        )  # fmt: skip


def _environment(files: DemoFiles) -> dict[str, str]:
    """Ours, without settings that are meant for another server. Its name is shown to people."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SEATD_") or name == "SEATD_STORE_BIN"
    }
    return kept | {"SEATD_NODE_NAME": "demo", "SEATD_TOKENS_HS256_SECRET_FILE": str(files.secret)}


async def _ready(process: asyncio.subprocess.Process) -> None:
    """Returns when the server says that it is ready, has ended, or takes too long."""
    assert process.stdout is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_S):
            while line := await process.stdout.readline():
                if line.startswith(b"seatd ready"):
                    return
            await process.wait()


def _log_tail(folder: Path) -> str:
    lines = (folder / LOG).read_text("utf-8", "replace").splitlines()[-15:]
    return "\n".join(f"  {visible(line)}" for line in lines)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
