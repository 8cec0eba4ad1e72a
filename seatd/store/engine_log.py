"""What the engine said, run by run, and what it tells about the data.

An engine that was killed may have acknowledged writes that never reached its append-only file: under
`everysec` it holds writes back in its own memory for up to two seconds while a background fsync is running.
(Measured on Valkey 9.1.2 with fsync slowed to 1.5 s: a SIGKILL lost 4,901 of 13,456 acknowledged writes.)
An engine that ended in order has written and synced everything. Its log says which of the two it was.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

KEPT_BYTES = 4 * 1024 * 1024
"""A log larger than this is set aside as `store.log.1` at the next start."""

_RUN = b"--- seatd starts "
_ENDED = b"is now ready to exit, bye bye"
_NOT_WRITTEN = (
    b"Error writing to the AOF",
    b"Short write while writing to the AOF",
    b"Fail to fsync the AOF",
)
_CUT = (b"short read while loading", b"Truncating the AOF", b"aof-load-truncated")


class EngineLog:
    """The file `store.log` in the data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, title: str) -> int:
        """Start a run; answers a file descriptor for the engine to write to, which the caller closes."""
        if self.path.exists() and self.path.stat().st_size > KEPT_BYTES:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        log = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.write(log, _RUN + f"{title}, {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n".encode())
        return log

    def ended_in_order(self) -> bool:
        """Whether the last run wrote everything before it ended."""
        run = self._last_run()
        return _ENDED in run and not any(sign in run for sign in _NOT_WRITTEN)

    def cut_the_data(self) -> bool:
        """Whether the last run found the end of its data torn and left it out."""
        run = self._last_run()
        return any(sign in run for sign in _CUT)

    def tail(self, lines: int = 3) -> str:
        """The last lines, for an error message."""
        return "\n".join(self._last_run().decode("utf-8", "replace").splitlines()[-lines:])

    def _last_run(self) -> bytes:
        return self.path.read_bytes().rpartition(_RUN)[2] if self.path.exists() else b""
