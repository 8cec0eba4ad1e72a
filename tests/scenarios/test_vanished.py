"""Clients that are gone before they have been answered."""

from __future__ import annotations

import signal
import socket
import struct

from tests.scenarios.company import Company
from tests.scenarios.websocket import KEY
from tests.servers import Server, Servers

RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST


async def test_an_upgrade_that_nobody_waits_for_any_more(servers: Servers) -> None:
    """A node that was held up finds the request and its client's end at one moment: no error of the server's."""
    node = servers.start()
    node.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(20):
            asks_and_goes(node)
    finally:
        node.process.send_signal(signal.SIGCONT)
    company = Company(node)
    await company.licensed("CALL_CENTER:competitive:1")
    client = await company.sign_in(node, "ann", "CALL_CENTER")
    assert await client.bye() == 1000
    assert "Error handling request" not in node.said
    company.leave()


def asks_and_goes(node: Server) -> None:
    """Sends the request for an upgrade and resets the connection."""
    host, _, port = node.clients.rpartition(":")
    request = (
        f"GET /v1/connect HTTP/1.1\r\nHost: {node.clients}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: seatd.v1.json\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        wire.sendall(request.encode())
