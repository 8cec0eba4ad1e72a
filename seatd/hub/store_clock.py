"""Does the store's clock run as this node's does? Leases are sound only while clocks run at nearly the same rate."""

from __future__ import annotations

SPAN_S = 10.0
PRECISE_S = 0.04
"""An answer that took longer tells too little about the moment it was given."""
TOLERATED = 0.01
"""Rate by which two clocks may differ (A1 of the promises in deploy/README.md)."""


class StoreClock:
    """Compares, over spans of 10 s and more. `drift` is the last finding: 0.02 when the store's clock runs 2 % too fast."""

    def __init__(self) -> None:
        self.drift = 0.0
        self._own_s = 0.0
        self._store_ms: int | None = None

    def seen(self, sent_s: float, answered_s: float, store_ms: int) -> None:
        """The store said `store_ms` in answer to a call; the times are this node's own."""
        if answered_s - sent_s > PRECISE_S:
            return
        own_s = (sent_s + answered_s) / 2
        if self._store_ms is not None:
            span_s = own_s - self._own_s
            if span_s < SPAN_S:
                return
            self.drift = (store_ms - self._store_ms) / 1000 / span_s - 1
        self._own_s, self._store_ms = own_s, store_ms

    @property
    def suspect(self) -> bool:
        """Whether the clocks differ by more than is tolerated."""
        return abs(self.drift) > TOLERATED

    def restart(self) -> None:
        """Another server answers: its clock is another clock."""
        self._store_ms = None
