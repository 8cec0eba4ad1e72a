"""What a run is doing, while it does it: a line that changes on a terminal, a line now and then in a log."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

from loadtest.scenarios.plan import Plan

TERMINAL_S, LOG_S = 0.5, 5.0


class Progress:
    """Tells it for as long as it is entered. `plan.say` then speaks above the line."""

    def __init__(self, about: str, plan: Plan) -> None:
        self._about, self._plan = about, plan
        self._console = Console(stderr=True, highlight=False)
        self._status = Status(about, console=self._console)

    def __enter__(self) -> Self:
        self._plan.say = self._console.print
        self._telling = asyncio.create_task(self._tell())
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._telling.cancel()
        self._status.stop()
        self._plan.say = print

    async def _tell(self) -> None:
        began_s = time.perf_counter()
        while True:
            await asyncio.sleep(TERMINAL_S if self._console.is_terminal else LOG_S)
            line = f"{time.perf_counter() - began_s:4.0f} s  {self._line()}"
            if self._console.is_terminal:
                self._status.update(f"{self._about}\n{line}")
            else:
                self._console.print(line)

    def _line(self) -> str:
        recorder = self._plan.recorder
        done = sum(step.count for step in recorder.steps.values())
        denied = sum(
            number for what, number in recorder.counts.items() if what.startswith(("denied", "refused"))
        )
        return f"{recorder.live:,} sessions, {done:,} steps, {denied:,} denied, {recorder.errors:,} errors"
