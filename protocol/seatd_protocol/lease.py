"""Who may believe what, and until when.

A lease is always counted from a moment *before* a message left, on the clock of whoever relies on it,
and only once the other side has answered. No two clocks are compared, and delay can only shorten what
one believes (Gray and Cheriton, "Leases", 1989). Time is passed in: any clock in seconds that never
goes back and goes on while the machine sleeps.
"""

import math


class ClientLease:
    """A client's right to use its seats.

    `beat n` tells the client that its `alive n-1` has arrived, so its lease runs to the moment it sent
    that `alive` + C. The first beat, and `welcome`, tell it that its `hello` has arrived. A lease never
    shortens.
    """

    def __init__(self, lease_s: float = 0.0) -> None:
        """`lease_s` is C as far as it is known; `welcome` and every `beat` bring the current one."""
        self.lease_s = lease_s
        self.until_s = -math.inf
        self._hello_s: float | None = None
        self._alive: tuple[int, float] | None = None

    def hello_sent(self, now_s: float) -> None:
        """A new connection begins: what was sent on an older one says nothing about this one."""
        self._hello_s = now_s
        self._alive = None

    def welcomed(self, lease_s: float | None = None) -> None:
        """`welcome` has come: the hello has arrived."""
        if self._hello_s is not None:
            self._run(self._hello_s, lease_s)

    def alive_sent(self, n: int, now_s: float) -> None:
        """`alive n` leaves; `now_s` is taken before it is sent. This alone extends nothing."""
        self._alive = (n, now_s)

    def beat_received(self, n: int, lease_s: float, now_s: float) -> None:
        """`beat n` has come at `now_s`: the `alive` of the beat before, or the hello, has arrived."""
        sent_s = self._confirmed_by(n)
        if sent_s is not None and sent_s <= now_s:
            self._run(sent_s, lease_s)

    def end(self) -> None:
        """It is over at once. What is said on this connection from now on may begin it anew."""
        self.until_s = -math.inf

    def valid(self, now_s: float) -> bool:
        """Whether the seats may be used at `now_s`."""
        return now_s < self.until_s

    def _confirmed_by(self, n: int) -> float | None:
        if self._alive is None:
            return self._hello_s
        number, sent_s = self._alive
        return sent_s if number == n - 1 else None

    def _run(self, from_s: float, lease_s: float | None) -> None:
        if lease_s is not None:
            self.lease_s = lease_s
        self.until_s = max(self.until_s, from_s + self.lease_s)


class NodeLease:
    """A node's right to speak for its sessions in one partition."""

    def __init__(self, lease_s: float) -> None:
        self.lease_s = lease_s
        self.until_s = -math.inf

    def renewed(self, sent_s: float) -> None:
        """A renewal was confirmed; `sent_s` is the moment before it was sent."""
        self.until_s = max(self.until_s, sent_s + self.lease_s)

    def valid(self, now_s: float) -> bool:
        """Whether the node may speak for its sessions at `now_s`."""
        return now_s < self.until_s

    def lapse(self) -> None:
        """Give the lease up at once: only a renewal that is confirmed from now on brings it back."""
        self.until_s = -math.inf
