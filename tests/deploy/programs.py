"""Real programs with the files of `deploy/`: found on this machine, given other addresses, started, and gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine import tied_to

DEPLOY = Path(__file__).parents[2] / "deploy"
START_S = 30.0


def program(name: str, package: str = "") -> str:
    """The path of a program; a test whose program is missing is skipped, and says what to install."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"there is no {name} here (on Debian: apt-get install {package or name})")
    return path


def rewritten(file: Path, changes: Mapping[str, str]) -> str:
    """The text of a file with other addresses and paths in it. What is to be changed must be there."""
    text = file.read_text()
    for old, new in changes.items():
        assert old in text, f"{file.name} has no {old}"
        text = text.replace(old, new)
    return text


def free_ports(number: int) -> list[int]:
    """Ports of the loopback that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [wire.getsockname()[1] for wire in sockets]
    for wire in sockets:
        wire.close()
    return ports


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as wire:
        return wire.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(
    command: Sequence[str | Path], log: Path, is_ready: Callable[[], bool], **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """While inside, the program runs and is ready; what it says goes to `log`."""
    with open(log, "ab") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            preexec_fn=tied_to(os.getpid()),
            **options,  # type: ignore[call-overload]
        )
    try:
        give_up_s = time.monotonic() + START_S
        while not is_ready():
            assert process.poll() is None, f"it has ended: {log.read_text()}"
            assert time.monotonic() < give_up_s, f"it is not ready: {log.read_text()}"
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def checked(*command: str | Path, **options: object) -> str:
    """What a command says; it must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return str(done.stdout)
