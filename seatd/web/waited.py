"""How long a request has waited before the event loop came to it, as the kernel knows it.

A loop that takes one connection per turn is never late, however many wait for their turn in the kernel: the age of what they
have sent tells it. To serve them in order would be work for clients that have given up meanwhile.
"""

from __future__ import annotations

import socket
import struct
import sys

TCP_INFO: int | None = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
"""What others tell by this name is laid out otherwise."""
_LAST_DATA_RECV_MS = struct.Struct("=52xI")
"""Of struct tcp_info in linux/tcp.h: milliseconds since data came last."""


def waited_s(wire: socket.socket | None) -> float:
    """Seconds since a client has sent the last of what has come; 0 where the system does not tell."""
    if TCP_INFO is None or wire is None:
        return 0.0
    try:
        told = wire.getsockopt(socket.IPPROTO_TCP, TCP_INFO, _LAST_DATA_RECV_MS.size)
        (waited_ms,) = _LAST_DATA_RECV_MS.unpack(told)
    except (OSError, struct.error):  # gone meanwhile, or not TCP, or a kernel that tells less
        return 0.0
    return float(waited_ms) / 1000
