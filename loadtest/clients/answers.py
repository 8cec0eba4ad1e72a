"""Who has asked what, and waits for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from loadtest.clients.recorder import Recorder
from seatd_protocol.messages import ServerMessage

ANSWER_S = 30.0

Answer = asyncio.Future[ServerMessage | None]


class Answers:
    """By the `ref` of what was asked; None is the hello's."""

    __slots__ = ("_waited_for",)

    def __init__(self) -> None:
        self._waited_for: dict[int | None, Answer] = {}

    async def after(
        self, ref: int | None, ask: Callable[[], None], recorder: Recorder
    ) -> ServerMessage | None:
        """Asks, and waits for the answer; None when the connection ends first, or nothing comes."""
        answer: Answer = asyncio.get_running_loop().create_future()
        self._waited_for[ref] = answer
        ask()
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError:
            recorder.count("error no answer")
            return None
        finally:
            self._waited_for.pop(ref, None)

    def give(self, ref: int | None, message: ServerMessage) -> None:
        """It has come."""
        answer = self._waited_for.get(ref)
        if answer is not None and not answer.done():
            answer.set_result(message)

    def none(self) -> None:
        """No more will come."""
        for answer in self._waited_for.values():
            if not answer.done():
                answer.set_result(None)
        self._waited_for.clear()
