"""The processes of which the private stores are made: real servers of the tested engine on free ports."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from seatd.store.engine import Engine
from tests.engine import tied_to
from tests.places import LOOPBACK, Place

GIVE_UP_S = 30.0
EMPTY = '""'
SERVER = {
    "save": "",
    "appendonly": "no",
    "maxmemory-policy": "noeviction",
    "loglevel": "warning",
    "repl-diskless-sync-delay": "0",
    "repl-ping-replica-period": "1",
}


class Server:
    """One process: a server, or a sentinel. `client` is a blocking one of the test's own; it never tries twice."""

    def __init__(
        self, program: Engine, folder: Path, port: int, password: str, place: Place = LOOPBACK
    ) -> None:
        self.program = program
        self.folder = folder
        self.port = port
        self.place = place
        self.client = Redis(place.address, port, password=password, socket_timeout=5, decode_responses=True)

    @property
    def address(self) -> str:
        """Where it serves: `HOST:PORT`."""
        return f"{self.place.address}:{self.port}"

    def start(self, *mode: str) -> None:
        """Starts it, or starts it again with what its folder holds; returns when it answers."""
        self._mode = mode or getattr(self, "_mode", ())
        with self.place.inside():
            self._process = subprocess.Popen(
                [self.program.path, str(self.folder / "server.conf"), *self._mode],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=tied_to(os.getpid()),
            )
        until(self.is_up, f"a server of the tests does not answer at {self.address}")

    def is_up(self) -> bool:
        """Whether it answers."""
        assert self._process.poll() is None, f"the server at {self.address} has ended: its port may be taken"
        return bool(self.client.ping())

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether its process lives (a frozen one does)."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Ends it without a word (SIGKILL)."""
        self._process.kill()
        self._process.wait()
        self.client.close()

    def freeze(self) -> None:
        """Stops it as a stalled machine would (SIGSTOP): it takes what is sent and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen one go on where it was (SIGCONT)."""
        self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While inside, it is frozen."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def ask(self, *words: Any) -> Any:
        """The answer to a command, as the server gives it."""
        return self.client.execute_command(*words)

    def commands_of(self, name: str) -> int:
        """How often it has run a command."""
        return int(self.client.info("commandstats").get(f"cmdstat_{name}", {}).get("calls", 0))


def until(holds: Callable[[], Any], otherwise: str) -> None:
    """Waits until something holds; a server that does not answer is asked again. AssertionError if it never does."""
    give_up_s = time.monotonic() + GIVE_UP_S
    while time.monotonic() < give_up_s:
        try:
            if holds():
                return
        except (RedisError, OSError):
            pass
        time.sleep(0.02)
    raise AssertionError(otherwise)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="seatd-") as folder:
        yield Path(folder)


def _started(
    running: ExitStack,
    program: Engine,
    folder: Path,
    port: int,
    settings: dict[str, str],
    more: str = "",
    *mode: str,
    place: Place = LOOPBACK,
) -> Server:
    own = folder / str(port)
    own.mkdir(exist_ok=True)
    named = {"port": str(port), "dir": str(own), **settings, "bind": place.address}
    if place is not LOOPBACK:
        named["protected-mode"] = "no"  # it serves others than the loopback, without a password
    lines = [f"{name} {value or EMPTY}" for name, value in named.items()]
    (own / "server.conf").write_text("\n".join([*lines, more, ""]))
    server = Server(program, own, port, settings.get("requirepass", ""), place)
    running.callback(lambda: server.kill() if server.is_running else None)
    server.start(*mode)
    return server


def _dashed(settings: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in settings.items()}
