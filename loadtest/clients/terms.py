"""What all virtual clients of a run have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loadtest.clients.connection import Place
from loadtest.clients.recorder import Recorder

if TYPE_CHECKING:
    from loadtest.clients.client import VirtualClient


@dataclass
class Terms:
    """What all clients of a run have in common. `asked_s`: when an administrator asked for their logout.

    `on_lost`: told of each session whose connection ends without anybody's wish; the scenario that sets it brings it back,
    and to be cut is no error then. `ca`: certificates (PEM file) to trust for wss:// instead of the system's.
    """

    places: tuple[Place, ...]
    token: Callable[[int], str]
    need: tuple[str, ...]
    recorder: Recorder = field(default_factory=Recorder)
    protocol: str = "seatd.v1.msgpack"
    sources: tuple[str, ...] = ()
    asked_s: float = 0.0
    on_welcome: Callable[[VirtualClient], None] | None = None
    on_lost: Callable[[VirtualClient], None] | None = None
    ca: str | None = None
