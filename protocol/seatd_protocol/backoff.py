"""How long a client waits before it comes back.

Full jitter, between 0.5 s and a ceiling that doubles from 1 s to 30 s: a crowd that lost its node at
one moment comes back spread out. Whoever still has a session to come back to tries several times before
its seats are given away. Where the server asks for it (40xx, 42xx) the first return is at once;
only a connection that lasted for a beat earns that again, so a fault that shows on every node cannot
turn into a tight loop.
"""

from collections.abc import Callable

from seatd_protocol.codes import Action

SHORTEST_S = 0.5
LONGEST_S = 30.0
TRIES_WHILE_KEPT = 4
"""So many of the longest waits fit into the time for which a session without a connection keeps its seats."""

_DOUBLINGS = 6  # 0.5 s << 6 is beyond the longest


class Backoff:
    """The waits of one client. `random` answers numbers from 0 to 1."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._attempt = 0

    def settled(self) -> None:
        """A connection has proved to work."""
        self._attempt = 0

    def delay_s(self, action: Action, *, linger_s: float | None = None) -> float | None:
        """Seconds to wait before the next attempt; None: do not come back.

        `linger_s`: how long the server keeps the session that is to be resumed; None: there is none.
        """
        if action in (Action.DONE, Action.TELL, Action.NEVER):
            return None
        first, self._attempt = self._attempt == 0, min(self._attempt + 1, _DOUBLINGS)
        if first and action in (Action.RESUME, Action.NEW_TOKEN):
            return 0.0
        longest_s = LONGEST_S if linger_s is None else min(LONGEST_S, linger_s / TRIES_WHILE_KEPT)
        ceiling_s = max(SHORTEST_S, min(longest_s, SHORTEST_S * (1 << self._attempt)))
        return SHORTEST_S + self._random() * (ceiling_s - SHORTEST_S)
