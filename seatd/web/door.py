"""A listener that is shut while few descriptors are left: whoever comes then waits in the kernel and takes none.

Connections that are no session yet take descriptors, too: silent ones, half a request, a refusal that nobody reads. Without a
door they would take the last one, and then administrators, Prometheus and a new connection to the store find none.

What is open is not counted connection by connection (TLS alone has many ways to end one early): the process is asked how
many descriptors it has, and after as many connections as there was room for it is asked again.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable

import msgspec
import structlog
from aiohttp import web

from seatd import descriptors
from seatd.hub.admission import Admission
from seatd.web.porter import Porter

log = structlog.get_logger(__name__)

BACKLOG = 4096
"""Connections that may wait in the kernel for the first turn of a reconnecting crowd."""
AT_ONCE = 32
"""So many asyncio's own loop takes in one go, before the door can be shut. (uvloop takes one.)"""
LOOK_S = 0.1
"""How often a door that is shut looks whether it may open."""
LOG_EVERY_S = 60.0
"""A flood of connections makes no flood of lines."""


class Bounds(msgspec.Struct, frozen=True):
    """The door shuts when it counts fewer than `gap` of `most` descriptors that are left, and opens when there are so many."""

    most: int
    gap: int

    @classmethod
    def of(cls, share: int, limit: int) -> Bounds:
        """One `share`th of what is kept back from clients is left for others than those who come through this door."""
        kept = descriptors.kept(limit)
        return cls(limit - kept // share, kept // 8)


class Door(web.TCPSite):
    """Listens at HOST:PORT for `runner`'s application, while there is room. `on_shut` is told each time that it shuts.
    `admission`: who is to be sent away while there is too much to do; None: nobody."""

    def __init__(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        *,
        bounds: Bounds,
        on_shut: Callable[[], None],
        admission: Admission | None = None,
        tls: ssl.SSLContext | None = None,
        shared: bool | None = None,
    ) -> None:
        super().__init__(runner, host, port, ssl_context=tls, backlog=BACKLOG, reuse_port=shared)
        self._bounds = bounds
        self._on_shut = on_shut
        self._admission = admission
        self._porters: set[Porter] = set()
        self._left = 0
        self._listeners: list[socket.socket] = []
        self._servers: list[asyncio.AbstractServer] = []
        self._look_again: asyncio.Handle | None = None
        self._opening: asyncio.Task[None] | None = None
        self._stopped = False
        self._logged_s = -LOG_EVERY_S

    async def start(self) -> None:
        """Listens. Raises OSError when the address cannot be had."""
        await super().start()
        assert self._server is not None
        self._listeners = [listening.dup() for listening in self._server.sockets]  # type: ignore[attr-defined]
        self._server.close()
        self._left = self._room()
        await self._open()
        self._server = self._servers[0]  # whose address aiohttp tells

    async def stop(self) -> None:
        """Listens no more; connections go on."""
        self._stopped = True
        if self._opening is not None:
            await self._opening
        if self._look_again is not None:
            self._look_again.cancel()
        self._close()
        for listener in self._listeners:
            listener.close()
        for porter in tuple(self._porters):
            porter.abort()
        await super().stop()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            self._servers.append(
                await loop.create_server(
                    self._enter, sock=listener.dup(), ssl=self._ssl_context, backlog=AT_ONCE
                )
            )
            listener.listen(BACKLOG)

    def _close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _enter(self) -> asyncio.BaseProtocol:
        """A connection has been taken."""
        self._left -= 1
        if self._left <= 0 and self._look_again is None:
            self._look_again = asyncio.get_running_loop().call_soon(self._look)
        inside = self._runner.server
        assert inside is not None
        if self._admission is not None and self._admission.pressed:
            return Porter(self._admission, inside, self._porters)
        return inside()

    def _look(self) -> None:
        """Counts what is open; shuts, or opens, as there is room."""
        self._look_again = None
        if self._stopped:
            return
        self._left = self._room()
        if self._opening is not None and not self._opening.done():
            self._look_again = asyncio.get_running_loop().call_later(LOOK_S, self._look)
            return
        if self._left >= self._bounds.gap:
            if not self._servers:
                self._opening = asyncio.create_task(self._open_again())
            return
        if self._servers:
            self._close()
            self._note_shut()
        self._look_again = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    async def _open_again(self) -> None:
        try:
            await self._open()
        except OSError:  # somebody was faster, and has taken the descriptor
            self._close()
            if not self._stopped and self._look_again is None:
                self._look_again = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _room(self) -> int:
        return self._bounds.most - descriptors.opened()

    def _note_shut(self) -> None:
        self._on_shut()
        now_s = time.monotonic()
        if now_s - self._logged_s >= LOG_EVERY_S:
            self._logged_s = now_s
            log.warning(
                "few descriptors are left: new connections wait until some are free",
                listener=self.name,
                descriptors=descriptors.limit(),
            )
