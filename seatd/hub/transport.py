"""What the hub needs of a socket. The web layer has the real one."""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """One client's socket: frames out, and its end."""

    @property
    def lost(self) -> bool:
        """Whether the socket is known to be gone."""

    async def send(self, frame: bytes | str) -> None:
        """Sends a frame; waits while the client reads too slowly. Raises ConnectionError when the socket is gone."""

    async def close(self, number: int, reason: str) -> None:
        """Closes with a code and a reason of at most 123 bytes; returns when the socket is gone."""

    def abort(self) -> None:
        """Cuts the connection, whatever is still unsent."""
