"""The data folder: one owner at a time, one kind of engine for good, a socket whose path is short enough."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from seatd.store.engine import Engine, EngineError

ALIVE_WAIT_S = 0.5  # not zero: a process that was just killed still seems alive until it is collected
DEAD_WAIT_S = 10.0
LONGEST_SOCKET_PATH = 107  # bytes, without the closing NUL (sun_path holds 108 on Linux)


class FolderBusy(EngineError):
    """Another seatd owns the data folder. `owner` is its process id, when known."""

    def __init__(self, path: Path, owner: int | None) -> None:
        self.owner = owner
        process = f"process {owner}" if owner else "another process"
        super().__init__(
            f"the data folder {path} is in use by {process}: stop that seatd, or name another folder"
        )


class OtherEngine(EngineError):
    """The data was written by an engine whose files this one cannot be trusted to read."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """`engine.json`: the engine that wrote the data and its last run.

    `boot_id` and `replid` (the run's replication id) are empty until that run was ready to serve.
    """

    engine: str
    version: tuple[int, int, int]
    durability: str = ""
    boot_id: str = ""
    replid: str = ""


class DataFolder:
    """A folder that holds an embedded store.

    Made with mode 0700 when it is missing. The mode of an existing one is left alone: it may hold other
    things, and every file of ours in it is private by itself.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.lock_fd: int | None = None

    async def lock(self) -> None:
        """Become the only owner, or raise `FolderBusy`.

        Waits for the engine of an owner that is gone: it holds the lock too, until it has ended.
        """
        self._open()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while not self._locked():
            owner = self._owner()
            if loop.time() - began_s > (ALIVE_WAIT_S if _is_alive(owner) else DEAD_WAIT_S):
                self.unlock()
                raise FolderBusy(self.path, owner)
            await asyncio.sleep(0.02)
        self._sign()

    def unlock(self) -> None:
        """Let the next owner in."""
        if self.lock_fd is not None:
            os.close(self.lock_fd)
            self.lock_fd = None

    @property
    def is_new(self) -> bool:
        """Whether no engine ever wrote here."""
        return not self._mark_file.exists() and not (self.path / "appendonlydir").exists()

    def mark(self) -> Mark | None:
        """The mark of the last run, None in a new folder."""
        try:
            return msgspec.json.decode(self._mark_file.read_bytes(), type=Mark)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as fault:
            raise OtherEngine(
                f"{self._mark_file} cannot be read ({fault}): restore it from a backup"
            ) from None

    def write_mark(self, mark: Mark) -> None:
        """Replace the mark as a whole: a torn one would lock the owner out of the data."""
        fresh = self._mark_file.with_suffix(".new")
        with open(fresh, "wb", opener=_private) as file:
            file.write(msgspec.json.encode(mark))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._mark_file)

    def check(self, engine: Engine) -> None:
        """Raise `OtherEngine` unless `engine` is what wrote the data, in the same release or a newer one."""
        mark = self.mark()
        if mark and (mark.engine != engine.name or mark.version[:2] > engine.version[:2]):
            wrote = Engine(mark.engine, mark.version, engine.path, "")
            raise OtherEngine(
                f"the data in {self.path} was written by {wrote}, which {engine} ({engine.origin}) cannot be "
                "trusted to read: name the right engine in SEATD_STORE_BIN, or another data folder"
            )

    def socket(self, environ: Mapping[str, str] = os.environ, file: str = "store.sock") -> Path:
        """Where the engine listens: in the folder, or in a private one elsewhere if that path is too long. `file`: another
        socket beside it."""
        path = self.path / file
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        name = f"seatd-{os.geteuid()}-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]}"
        for base in (environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir()):
            if base and len(os.fsencode(path := Path(base, name, file))) <= LONGEST_SOCKET_PATH:
                return _in_private_folder(path)
        raise EngineError(
            f"the path of {self.path} is too long for a socket, and so are the temporary folders"
        )

    def remove_socket(self, path: Path) -> None:
        """Remove the socket, and the private folder that was made for it."""
        path.unlink(missing_ok=True)
        if path.parent != self.path:
            with contextlib.suppress(OSError):
                path.parent.rmdir()

    @property
    def _mark_file(self) -> Path:
        return self.path / "engine.json"

    def _open(self) -> None:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.lock_fd = _private(str(self.path / "lock"), os.O_RDWR | os.O_CREAT)
        except OSError as fault:
            raise EngineError(f"the data folder {self.path} cannot be used: {fault.strerror}") from None

    def _sign(self) -> None:
        assert self.lock_fd is not None
        os.ftruncate(self.lock_fd, 0)
        os.pwrite(self.lock_fd, str(os.getpid()).encode(), 0)

    def _locked(self) -> bool:
        assert self.lock_fd is not None
        try:
            fcntl.flock(self.lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _owner(self) -> int | None:
        assert self.lock_fd is not None
        written = os.pread(self.lock_fd, 20, 0)
        return int(written) if written.isdigit() else None


def boot_id() -> str:
    """This boot of the machine, or "" where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _is_alive(process: int | None) -> bool:
    if process is None:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _in_private_folder(path: Path) -> Path:
    """The path, once its folder is surely ours: in a shared /tmp anybody may have made it first."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    found = path.parent.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o170777 != 0o040700:
        raise EngineError(f"{path.parent} is not a private folder of this user: remove it")
    return path
