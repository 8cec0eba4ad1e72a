"""Whether this node takes newcomers: sessions that it has come first, and who would only wait is told to come back.

Nobody is denied a seat here. Whoever is sent away gets 503 with `Retry-After` before the upgrade, or the close code
`overloaded` after it; both are temporary for every client.
"""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from seatd.hub.lag import Lag
from seatd.hub.turnstile import Turnstile

if TYPE_CHECKING:
    from seatd.hub.hub import Hub

SENT_AWAY = "this node takes no more sessions for now"
"""What goes with the 503."""
RETRY_AFTER_S = (1, 8)
"""Not one number for all: a crowd that is told the same comes back together."""

PATIENCE = 3
"""A client may have waited so many times `max_lag` to be looked at: it is late for it, but the node is not late for others."""

PRESSED_S = 1.0
"""For so long after somebody was sent away the node expects to send away others."""


class Admission:
    """Counts the hellos that wait (`hellos`), for their turn or for the store, and whom it sends away."""

    def __init__(self, hub: Hub) -> None:
        self.lag = Lag()
        self.hellos = 0
        self._hub = hub
        self._turnstile = Turnstile()
        self._pressed_until_s = 0.0
        hub.metrics.hellos_waiting.set_function(lambda: self.hellos)

    def refuses_upgrade(self, *, waited_s: float) -> str:
        """What there is too much of for one more socket, or "". Who is refused is counted. `waited_s`: how long he has waited
        already to be looked at."""
        hub, options = self._hub, self._hub.options
        reasons = {
            "draining": hub.draining,
            "max_sessions": hub.is_full,
            "descriptors": hub.is_crowded,
            "lag": max(self.lag.now_s, waited_s / PATIENCE) > options.max_lag_s,
            "hellos": self.hellos >= options.max_hellos,
        }
        return self._counted(next((reason for reason, holds in reasons.items() if holds), ""))

    def refuses_hello(self, *, comes_back: bool) -> str:
        """The same for a hello. Of the places that there are for hellos, half are only for those who come back: however many
        newcomers there are, who has a seat finds it again."""
        most = self._hub.options.max_hellos
        if self._hub.is_full:
            return self._counted("max_sessions")
        return self._counted("hellos" if self.hellos >= (most if comes_back else most // 2) else "")

    @property
    def pressed(self) -> bool:
        """Whether somebody was sent away just now: the next may be, too, and that should cost little."""
        return time.monotonic() < self._pressed_until_s

    @asynccontextmanager
    async def hello(self, *, comes_back: bool) -> AsyncIterator[None]:
        """Waits until it is a hello's turn; inside, it waits for its answer."""
        self.hellos += 1
        try:
            await self._turnstile.enter(comes_back=comes_back)
            try:
                yield
            finally:
                self._turnstile.leave()
        finally:
            self.hellos -= 1

    def _counted(self, reason: str) -> str:
        if reason:
            self._pressed_until_s = time.monotonic() + PRESSED_S
            self._hub.metrics.shed_total.labels(reason).inc()
        return reason


def retry_after_s() -> int:
    """When to come back, different for each."""
    return random.randint(*RETRY_AFTER_S)  # noqa: S311 -- no secret
