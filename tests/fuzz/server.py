"""A whole server for the targets that need one, and what it must not do whatever it is sent."""

from __future__ import annotations

import atexit
import socket
from contextlib import ExitStack, suppress
from functools import cache

from tests.servers import NEVER, Server, Servers
from tests.web.fuzzing import seed

PATIENCE_S = 10.0


@cache
def server() -> Server:
    """The server of this process; it ends with it."""
    stack = ExitStack()
    atexit.register(stack.close)
    running = stack.enter_context(Servers()).start("fuzzed")
    seed(running)
    return running


def answer(address: str, *portions: bytes, silence_s: float) -> bytes:
    """What comes back for what is sent, until the server ends the connection, or says nothing for so long."""
    host, _, port = address.rpartition(":")
    got = bytearray()
    with (
        socket.create_connection((host, int(port)), PATIENCE_S) as wire,
        suppress(ConnectionError, TimeoutError),
    ):
        for portion in portions:
            wire.sendall(portion)
        wire.settimeout(silence_s)
        while portion := wire.recv(65536):
            got += portion
    return bytes(got)


class Watch:
    """Reads a server's log as it grows. `look` fails when something stands there that never may, or the server is gone."""

    def __init__(self) -> None:
        self._read = 0

    def look(self) -> None:
        running = server()
        assert running.process.poll() is None, "the server has ended"
        if running.log_file.stat().st_size > self._read:
            with open(running.log_file, "rb") as log:
                log.seek(self._read)
                new = log.read()
            self._read += len(new)
            text = new.decode("utf-8", "replace")
            assert not NEVER.search(text), text
