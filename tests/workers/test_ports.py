"""A port that is held for several processes, and for nobody else."""

from __future__ import annotations

import socket

import pytest

from seatd.notation import Address
from seatd.workers.ports import held

LOOPBACK = "127.0.0.1"


def shared(address: Address) -> socket.socket:
    return socket.create_server(address, reuse_port=True)


def test_several_listen_on_it_one_after_the_other_and_together() -> None:
    with held(Address(LOOPBACK, 0)) as address:
        assert address.port
        for _ in range(2):
            with shared(address), shared(address):
                socket.create_connection(address).close()
            with pytest.raises(ConnectionRefusedError):  # what holds the port takes no connections
                socket.create_connection(address)
    with socket.create_server(address):
        pass  # and it is free again


def test_a_port_that_is_taken() -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        address = Address(*other.getsockname())
        with (
            pytest.raises(OSError, match=rf"cannot listen on {address}: Address already in use"),
            held(address),
        ):
            pass


def test_a_port_that_others_share_already() -> None:
    with held(Address(LOOPBACK, 0)) as address, shared(address):
        with pytest.raises(OSError, match="Address already in use"), held(address):
            pass
        with pytest.raises(OSError, match="Address already in use"):
            socket.create_server(address)


@pytest.mark.parametrize("host", ["192.0.2.1", "nobody.invalid"])
def test_an_address_that_is_not_ours(host: str) -> None:
    with pytest.raises(OSError, match=f"cannot listen on {host}:0: "), held(Address(host, 0)):
        pass
