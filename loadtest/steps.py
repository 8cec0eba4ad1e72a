"""What a long measurement is at: a line that changes on a terminal, a line each in a log."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status


class Steps:
    """So many steps (None: nobody knows). `next` begins one, `say` what it does just now; on standard error."""

    def __init__(self, number: int | None = None) -> None:
        self._number, self._place = number, 0
        self._began_s = time.monotonic()
        self._console = Console(stderr=True, highlight=False)
        self._status = Status("", console=self._console)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def next(self) -> None:
        """The one before is done."""
        self._place += 1

    def say(self, what: str) -> None:
        """Tells it, with the seconds so far."""
        place = f"[{self._place}/{self._number}] " if self._number else ""
        line = f"{time.monotonic() - self._began_s:4.0f} s  {place}{what}"
        if self._console.is_terminal:
            self._status.update(line)
        else:
            self._console.print(line, markup=False, soft_wrap=True)
