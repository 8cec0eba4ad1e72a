"""The times that a trial's servers live by: the defaults, or about a fifth of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """Seconds: node lease T and its renewal, client lease C and beat, linger G, recovery window R, Z of a replaced primary."""

    lease: float
    renew: float
    client: float
    beat: float
    linger: float
    recovery: float
    old_primary: float
    scale: float

    @property
    def settings(self) -> dict[str, str]:
        """As a server's variables, without `SEATD_`."""
        return {
            "NODE_LEASE": f"{self.lease}s",
            "NODE_RENEW": f"{self.renew}s",
            "SESSIONS_LEASE": f"{self.client}s",
            "SESSIONS_BEAT": f"{self.beat}s",
            "SESSIONS_LINGER": f"{self.linger}s",
            "STORE_RECOVERY": f"{self.recovery}s",
            "STORE_OLD_PRIMARY": f"{self.old_primary}s",
        }

    @property
    def free(self) -> float:
        """How long at the most until the seat of a client that vanished with its node is free: T + G, and a renewal."""
        return self.lease + self.linger + 2 * self.renew

    @property
    def stop(self) -> float:
        """How long at the most until a client that nobody reaches has stopped by itself: T + C."""
        return self.lease + self.client

    def scaled(self, seconds: float) -> float:
        """A span of the fault matrix, written for the defaults."""
        return seconds * self.scale


FULL = Times(10.0, 2.5, 24.0, 8.0, 30.0, 50.0, 11.0, scale=1.0)
SHORT = Times(2.0, 0.5, 3.0, 1.0, 8.0, 11.0, 2.0, scale=0.2)
"""About a fifth; C leaves three beats and G the 5 s more that the configuration insists on."""
