"""A seatd server of the bench's own, with its own store, in a folder that is gone afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

READY_S = 30
STOP_S = 30


@dataclass(frozen=True)
class Server:
    """Where it is to be found, an operator's token for it, and the secret for clients' tokens."""

    admin: str
    clients: str
    store: str
    token: str
    secret: str
    pid: int


@asynccontextmanager
async def running_server(peer: Server | None = None) -> AsyncIterator[Server]:
    """A server that is ready; one that shares the store of `peer`, if there is one.

    What it logs goes to the folder, and to standard error when it does not start. It has a session of its own: Ctrl-C in a
    terminal reaches the load tester only, which ends it in order.
    """
    with tempfile.TemporaryDirectory(prefix="seatd-bench-") as folder, _log(folder).open("wb") as log:
        secret = peer.secret if peer else secrets.token_hex(32)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "seatd", "serve", "--data", folder),
            *(("--store", peer.store) if peer else ("--node", "served")),
            env=_environment(secret),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        try:
            if not await _ready(process):
                sys.exit(f"the server does not start:\n{_said(folder)}")
            yield _found(folder, secret, process.pid)
        finally:
            await _stop(process)


def _log(folder: str) -> Path:
    return Path(folder, "log")


def _said(folder: str) -> str:
    return _log(folder).read_text("utf-8", "replace")


def _found(folder: str, secret: str, pid: int) -> Server:
    state = json.loads(Path(folder, "seatd.json").read_text())
    token = Path(folder, "admin.token").read_text().strip()
    return Server(state["admin"], state["clients"], state["store"], token, secret, pid)


def _environment(secret: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "SEATD_STORE_BIN" or not name.startswith("SEATD_")
    }
    return kept | {
        "SEATD_CLIENTS_LISTEN": "127.0.0.1:0",
        "SEATD_ADMIN_LISTEN": "127.0.0.1:0",
        "SEATD_TOKENS_HS256_SECRET": secret,
        "SEATD_SESSIONS_MESSAGES_PER_S": "100000",  # the clients ask more often than people do
        "SEATD_SESSIONS_MESSAGES_BURST": "100000",
    }


async def _ready(process: asyncio.subprocess.Process) -> bool:
    """Whether it says that it is ready before it ends."""
    assert process.stdout is not None
    async with asyncio.timeout(READY_S):
        while line := await process.stdout.readline():
            if line.startswith(b"seatd ready"):
                return True
    return False


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):  # a scenario has killed it
        process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
