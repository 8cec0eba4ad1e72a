"""Nodes that start quickly: forked from a Python that has imported seatd already.

Of the 0.8 s of CPU that a node takes to start, 0.6 s are imports, and the tests start some hundreds of nodes. A forked one
runs what `python -m seatd` runs, in a process of its own with its own environment, folder, limits and output. Only what others
see of its start differs: its command line and first environment are those of the Python that it comes from, and what Python
itself reads from the environment as it starts (PYTHONWARNINGS and the like) is what that one has read.

As a program (`python -m tests.preloaded SOCKET FD`) it is that Python: each connection asks for one node, and hears its
process id and, when it has ended, how. Every process here ends with the one that has started it.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from tests.engine import tied_to

TOLD_OF_LEAKS = {"PYTHONWARNINGS": "default::ResourceWarning"}
MOST_OPEN = 256
"""No descriptor of a Python that only imports is above it."""


class Forked:
    """A node's process, as far as tests use `subprocess.Popen`."""

    def __init__(self, connection: socket.socket, args: Sequence[str]) -> None:
        self.args = args
        self.returncode: int | None = None
        self._connection = connection
        self.pid = int(connection.recv(64))

    def poll(self) -> int | None:
        """How it has ended, as `Popen` tells it; None: it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end. Raises `subprocess.TimeoutExpired`."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Sends it a signal, if it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended, and nobody has told yet
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tells it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it without a word."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and self._is_told(timeout):
            self.returncode = int(self._connection.recv(64))
            self._connection.close()
        return self.returncode

    def _is_told(self, timeout: float | None) -> bool:
        told = select.poll()  # select() takes no descriptor beyond 1,023
        told.register(self._connection, select.POLLIN)
        return bool(told.poll(None if timeout is None else timeout * 1000))


def started(
    arguments: Sequence[str], *, environ: dict[str, str], folder: Path, log_file: Path, descriptors: int = 0
) -> Forked:
    """A process that runs `seatd` with these arguments, what it says appended to a log file that is there.
    `descriptors`: how many it may have open, 0 for as many as the tests."""
    wanted = {
        "arguments": list(arguments),
        "environ": environ,
        "folder": str(folder),
        "log_file": str(log_file),
        "descriptors": descriptors,
    }
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect(_python())
    connection.send(json.dumps(wanted).encode())
    return Forked(connection, arguments)


@cache
def _python() -> str:
    """Where the Python of this process's nodes listens; it ends with this process."""
    folder = tempfile.TemporaryDirectory(prefix="seatd-preloaded-")
    address = str(Path(folder.name, "socket"))
    ready, told = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.preloaded", address, str(told)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=[told],
        env={**os.environ, **TOLD_OF_LEAKS},
    )
    os.close(told)
    os.read(ready, 1)
    os.close(ready)

    def end() -> None:
        process.communicate()
        folder.cleanup()

    atexit.register(end)
    return address


# -- the Python that they come from --------------------------------------------------------------------


def main(address: str, told: int) -> None:
    """Serves; in a process that has become a node it returns, and the node's exit is this program's."""
    import gc

    import seatd.app
    import seatd.cli.main  # noqa: F401

    gc.collect()
    gc.freeze()  # a node would else copy all of it to look for garbage
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen()
    os.close(told)
    while True:
        asked, _, _ = select.select([listener, sys.stdin], [], [])
        # Whoever has started this is gone. (The kernel's own signal would come at the end of the thread that did.)
        if sys.stdin in asked:
            os._exit(0)
        connection, _ = listener.accept()
        owner = os.getpid()
        if os.fork() == 0:
            tied_to(owner)()
            listener.close()
            keep(connection)
            return
        connection.close()


def keep(connection: socket.socket) -> None:
    """Starts one node and tells about it; returns in the node."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wanted, owner = json.loads(connection.recv(1 << 20)), os.getpid()
    node = os.fork()
    if node == 0:
        tied_to(owner)()
        connection.close()
        become(**wanted)
        return
    connection.send(str(node).encode())
    _, status = os.waitpid(node, 0)
    with suppress(BrokenPipeError):  # nobody asks any more
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def become(
    arguments: Sequence[str], environ: dict[str, str], folder: str, log_file: str, descriptors: int
) -> None:
    """This process is like one that has just been started with these arguments."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.closerange(3, MOST_OPEN)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    log = os.open(log_file, os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    if descriptors:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    sys.argv = ["seatd", *arguments]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
    runpy.run_module("seatd", run_name="__main__", alter_sys=True)
