"""Hellos are served some at a time, in the order in which they came: who comes back to seats first, then who is new.

All of a crowd's at once would go to the store as one heap: the node has nothing to do while the store works it off, and then
the store has nothing to do while the node tells everybody. And the last of a large heap would be asked for longer than
`store.timeout`. Some at a time keep both at work, and nobody's call waits long in the store.
"""

from __future__ import annotations

import asyncio
from collections import deque

AT_ONCE = 256
"""Inside at the same time: about 0.1 s of a store's work."""
IN_A_TURN = 32
"""Let in in one turn of the event loop: about 10 ms of it. Then others have their turn, and the store has begun."""


class Turnstile:
    """Lets some pass; whoever is in front of it waits."""

    def __init__(self, at_once: int = AT_ONCE, in_a_turn: int = IN_A_TURN) -> None:
        self._free = at_once
        self._in_a_turn = in_a_turn
        self._left_in_turn = in_a_turn
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._next_turn: asyncio.Handle | None = None

    async def enter(self, *, comes_back: bool) -> None:
        """Returns when it is this one's turn. Each that has entered must leave."""
        turn = asyncio.get_running_loop().create_future()
        (self._first if comes_back else self._others).append(turn)
        self._let_in()
        if turn.done():
            return
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # it was its turn just then
            raise

    def leave(self) -> None:
        """Makes room for the next one."""
        self._free += 1
        self._let_in()

    def _let_in(self) -> None:
        while self._free and self._left_in_turn and (turn := self._waiting()) is not None:
            self._free -= 1
            self._left_in_turn -= 1
            turn.set_result(None)
        if self._next_turn is None and self._left_in_turn < self._in_a_turn:
            self._next_turn = asyncio.get_running_loop().call_soon(self._turn_over)

    def _waiting(self) -> asyncio.Future[None] | None:
        for line in (self._first, self._others):
            while line:
                if not (turn := line.popleft()).done():
                    return turn
        return None

    def _turn_over(self) -> None:
        self._next_turn = None
        self._left_in_turn = self._in_a_turn
        self._let_in()
