"""What systemd is told of a process that it has started (sd_notify(3)): ready, stopping, alive."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping

PINGS = 3
"""How often within systemd's patience it hears that the loop turns: twice may be late."""


def notify(state: str) -> None:
    """Tells systemd, when it is the one that started us. For example `READY=1`."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        if address.startswith("@"):
            address = "\0" + address[1:]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire, contextlib.suppress(OSError):
            wire.sendto(state.encode(), address)


def patience_s(environ: Mapping[str, str] = os.environ) -> float | None:
    """How long systemd waits for a sign of life of this process (`WatchdogSec`); None: it does not watch."""
    if environ.get("WATCHDOG_PID") not in (None, str(os.getpid())):
        return None  # it watches who has started us
    with contextlib.suppress(ValueError):
        return int(environ.get("WATCHDOG_USEC", "")) / 1_000_000 or None
    return None


async def keep_alive(patience: float | None) -> None:
    """Says for ever that the event loop turns, where systemd watches. A loop that hangs does not say it, and systemd starts
    the service again."""
    while patience is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(patience / PINGS)
