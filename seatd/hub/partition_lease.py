"""What a node knows of its lease in one partition."""

from __future__ import annotations

import asyncio

from seatd.hub.store_clock import StoreClock
from seatd.store.values import Beat
from seatd_protocol.lease import NodeLease


class PartitionLease:
    """One partition: the lease, how far its orders are carried out, and whether its sessions must be re-asserted first.

    `doubts` counts the reasons to; `epoch` and `confirmed_s` are those of the last beat that was answered, `last` the answer.
    `registered`: no failover can make the store forget that this node is there.
    """

    def __init__(self, lease_s: float) -> None:
        self.lease = NodeLease(lease_s)
        self.clock = StoreClock()
        self.joined = False
        self.registered = False
        self.last: Beat | None = None
        self.epoch = 0
        self.done = 0
        self.confirmed_s = 0.0
        self.doubts = 0
        self.settled = 0
        self.away_since_s: float | None = None
        self.away_before_s = 0.0
        self.wanted = asyncio.Event()
        self.store_ahead_ms = 0.0
        self.alarm: asyncio.TimerHandle | None = None
        self.beating = asyncio.Lock()
        self.telling = asyncio.Lock()
        self.sweeping = asyncio.Lock()

    @property
    def doubtful(self) -> bool:
        """Whether the store must first say which sessions are still this node's own."""
        return self.settled < self.doubts
