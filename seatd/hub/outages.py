"""When the store was away: partition by partition, by this machine's own clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from seatd.hub.partition_lease import PartitionLease

log = structlog.get_logger(__name__)


class Outages:
    """Notes from when to when each partition did not answer; the first and the last of it are logged."""

    def __init__(self, partitions: Sequence[PartitionLease], clock: Callable[[], float]) -> None:
        self._partitions = partitions
        self._clock = clock

    def began(self, number: int, since_s: float, reason: str) -> None:
        """A partition does not answer: it was asked at `since_s`."""
        partition = self._partitions[number]
        if partition.away_since_s is None:
            partition.away_since_s = since_s
            if self._away == 1:
                log.warning("store away", reason=reason, partition=number)

    def over(self, number: int) -> None:
        """A partition has answered."""
        partition = self._partitions[number]
        if partition.away_since_s is not None:
            away_s = self._away_s(partition)
            partition.away_before_s += away_s
            partition.away_since_s = None
            if self._away == 0:
                log.info("store back", away_s=round(away_s, 1))

    @property
    def shortest_s(self) -> float:
        """For how long no partition has answered; 0 when one does."""
        return min(self._away_s(partition) for partition in self._partitions)

    def served_s(self, number: int) -> float:
        """A clock in seconds that stands still while a partition is away."""
        partition = self._partitions[number]
        return self._clock() - partition.away_before_s - self._away_s(partition)

    def _away_s(self, partition: PartitionLease) -> float:
        return 0.0 if partition.away_since_s is None else self._clock() - partition.away_since_s

    @property
    def _away(self) -> int:
        return sum(partition.away_since_s is not None for partition in self._partitions)
