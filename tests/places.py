"""Where a process of the tests runs and is reached: the loopback of this machine, or a host of a network of the tests' own."""

from __future__ import annotations

import socket
from contextlib import AbstractContextManager, nullcontext


class Place:
    """The loopback. `address`: where others reach what runs there."""

    address = "127.0.0.1"

    def inside(self) -> AbstractContextManager[None]:
        """What this thread starts, and the sockets that it makes, while inside belong there. Nothing may be awaited inside."""
        return nullcontext()

    def socket(self) -> socket.socket:
        """A TCP socket of a client there; it does not block."""
        with self.inside():
            made = socket.socket()
        made.setblocking(False)
        return made


LOOPBACK = Place()
