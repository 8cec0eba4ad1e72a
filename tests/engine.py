"""A private engine for tests: a real Valkey or Redis on a Unix socket, which keeps nothing and leaves nothing."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from seatd.store.engine import Engine, find_engine

START_TIMEOUT_S = 15.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h
# Looked up here: between fork and exec a look-up could wait for ever for a lock that another thread held.
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class PrivateEngine:
    """A running engine. `paused()` freezes it as a stalled machine would; `kill()` ends it at once. `login` is what a URL has
    before the address: nothing, or `USER:PASSWORD@`."""

    login = ""

    def __init__(self, process: subprocess.Popen[bytes], socket: Path, program: Engine) -> None:
        self.process = process
        self.socket = socket
        self.program = program

    @property
    def url(self) -> str:
        """Where it serves: `unix:///...`."""
        return f"unix://{self.login}{self.socket}"

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While inside, the engine takes what is sent and answers nothing; afterwards it goes on where it was."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends it without a word."""
        self.process.kill()
        self.process.wait()


def tested_engine() -> Engine:
    """The engine that the tests run on: what SEATD_TEST_ENGINE names, or the one that seatd itself would choose."""
    if chosen := os.environ.get("SEATD_TEST_ENGINE"):
        return find_engine({**os.environ, "SEATD_STORE_BIN": chosen})
    return find_engine()


@contextmanager
def private_engine(program: Engine | None = None, **settings: str) -> Iterator[PrivateEngine]:
    """Starts an engine in a folder of its own; both are gone afterwards. `settings` as in its configuration file,
    with `_` for `-`."""
    program = program or tested_engine()
    with tempfile.TemporaryDirectory(
        prefix="seatd-"
    ) as folder:  # short: a socket's path has at most 107 bytes
        socket = Path(folder, "s")
        process = subprocess.Popen(
            [program.path, *_options(folder, socket, settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C ends the tests, and the tests end the engine
            preexec_fn=tied_to(os.getpid()),
        )
        try:
            _wait(process, socket)
            yield PrivateEngine(process, socket, program)
        finally:
            process.kill()  # works on a stopped process too, and there is nothing to save
            process.wait()


def _options(folder: str, socket: Path, settings: dict[str, str]) -> list[str]:
    all_settings = {
        "port": "0",
        "unixsocket": str(socket),
        "dir": folder,
        "save": "",
        "appendonly": "no",
        "loglevel": "warning",
        "maxmemory-policy": "noeviction",
        **{name.replace("_", "-"): value for name, value in settings.items()},
    }
    return [word for name, value in all_settings.items() for word in (f"--{name}", value)]


def _wait(process: subprocess.Popen[bytes], socket: Path) -> None:
    give_up_s = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < give_up_s:
        try:
            with Redis(unix_socket_path=str(socket)) as client:
                client.ping()
                return
        except AuthenticationError:  # it serves, but not anybody
            return
        except (RedisError, OSError):
            time.sleep(0.01)
    raise RuntimeError("the engine for the tests did not start")


def tied_to(owner: int) -> Callable[[], None]:
    """The engine ends with the tests, however they end."""

    def tie() -> None:
        if _PRCTL is not None:
            _PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != owner:
                os._exit(1)

    return tie
