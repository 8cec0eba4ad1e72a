"""A server as a process: how it says that it is ready and where it is, how signals end it, what systemd is told."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from seatd import descriptors, logs
from seatd.config import Settings
from seatd.notation import mask_passwords
from seatd.service_manager import keep_alive, notify, patience_s

log = structlog.get_logger(__name__)

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


class Server(Protocol):
    """What can be started and stopped; `clients` and `admin` say where it listens, once it is started."""

    clients: str
    admin: str

    async def start(self) -> None:
        """Ready when this returns. On a failure everything started is stopped."""

    async def stop(self) -> None:
        """In order, within its limits."""


def run(
    settings: Settings,
    make: Callable[[], Server],
    failures: tuple[type[Exception], ...],
    loop_factory: LoopFactory | None = None,
) -> int:
    """Runs a server until it is told to stop; the process's exit code. `failures`: what can keep it from starting
    through no fault of the program, told in one sentence."""
    logs.configure(settings.log.level, settings.log.format)
    descriptors.raise_limit()
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(_run(settings, make, failures))
    except KeyboardInterrupt:
        return 0


async def _run(settings: Settings, make: Callable[[], Server], failures: tuple[type[Exception], ...]) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_or_end, stopped)
    try:
        server = make()
        await server.start()
    except failures as error:
        print(f"seatd: {error}", file=sys.stderr)
        return 1
    keep_what_is_here()
    print(f"seatd ready clients={server.clients} admin={server.admin} node={settings.node.name}", flush=True)
    notify("READY=1")
    alive = asyncio.create_task(keep_alive(patience_s()))
    await stopped.wait()
    log.info("stopping")
    notify("STOPPING=1")
    await server.stop()
    alive.cancel()
    return 0


def _stop_or_end(stopped: asyncio.Event) -> None:
    """The first signal stops in order; the second one ends the process now."""
    if stopped.is_set():
        os._exit(1)
    stopped.set()


COLLECTED_AFTER = (2_000, 10, 100)
"""How many new objects make the collector look at them, how many such looks make it look at what has survived one, and
then at everything. By Python's own figures (700, 10, 10) it looked at everything three times in 3,000 sign-ins, 0.2 to 0.4 s
each on a busy machine, and found nothing: sessions leave no rings behind (`tests/web/test_connect_rings.py`). By these the
longest stop was 0.06 to 0.08 s there."""


def keep_what_is_here() -> None:
    """The collector need not look again and again at what stays until the end, nor often at what comes and goes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)


def uvloop_factory() -> LoopFactory | None:
    """The fastest loop that there is; None: asyncio's own."""
    try:
        import uvloop
    except ImportError:  # no wheel for this platform: asyncio's own loop does the same, slower
        return None
    return uvloop.Loop


def write_state(settings: Settings, server: Server, store: str) -> Path:
    """`seatd.json`: where this server is to be found, for the command line and for further nodes; without passwords."""
    path = settings.store.data / "seatd.json"
    state = {
        "clients": server.clients,
        "admin": server.admin,
        "node": settings.node.name,
        "pid": os.getpid(),
        "store": mask_passwords(store),
    }
    draft = path.with_suffix(".new")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(state)) + b"\n")
    draft.replace(path)
    return path


def cannot_listen(address: object, error: OSError) -> OSError:
    """The same in one sentence that names the address."""
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return OSError(f"cannot listen on {address}: {why}")
