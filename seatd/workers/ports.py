"""Addresses that several processes listen on (SO_REUSEPORT): the kernel spreads connections over those that listen."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from seatd.notation import Address
from seatd.serving import cannot_listen

Where = tuple[socket.AddressFamily, tuple[object, ...]]


@contextlib.contextmanager
def held(address: Address) -> Iterator[Address]:
    """While this lasts no stranger gets the port, also while no worker listens; a port 0 has become a real one.

    The sockets that hold it do not listen, so no connection ever comes to them. Raises OSError when somebody else listens.
    """
    with contextlib.ExitStack() as stack:
        try:
            port = address.port
            for family, place in _places(address):
                if port:
                    _must_be_free(family, place[0], port)
                wire = stack.enter_context(_bound(family, place[0], port, shared=True))
                port = port or wire.getsockname()[1]
        except OSError as error:
            raise cannot_listen(address, error) from error
        yield Address(address.host, port)


def _must_be_free(family: socket.AddressFamily, host: object, port: int) -> None:
    """Sharing is for our own workers: a port that another server shares already would be taken in silence."""
    with _bound(family, host, port, shared=False) as wire:
        wire.listen(1)


def _places(address: Address) -> list[Where]:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, place) for family, _, _, _, place in found))


def _bound(family: socket.AddressFamily, host: object, port: int, *, shared: bool) -> socket.socket:
    wire = socket.socket(family, socket.SOCK_STREAM)
    try:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            wire.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        wire.bind((host, port))
    except BaseException:
        wire.close()
        raise
    return wire
