"""What a store has lost: the difference between two servers, and what nodes put back, as their logs tell."""

from __future__ import annotations

import json
import time
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from seatd.store.keys import key, partition_of
from tests.faults.trial import PARTITIONS, Trial
from tests.servers import Server as Node
from tests.topologies import Server


def sessions_on(server: Server, customer: str) -> set[str]:
    """Ids of the sessions that a server knows of."""
    return {
        str(name)
        for name in server.ask("HKEYS", key("sessions", partition_of(customer, PARTITIONS), customer))
    }


def epoch_on(server: Server, customer: str) -> int:
    """The epoch of the customer's partition on a server."""
    return int(server.ask("HGET", key("meta", partition_of(customer, PARTITIONS), None), "epoch") or 0)


def put_back(nodes: list[Node]) -> int:
    """How many sessions nodes have told a store of that it had lost."""
    return sum(
        int(str(entry.get("restored", 0)))
        for node in nodes
        for entry in told(node)
        if entry["event"] == "reasserted"
    )


def told(node: Node) -> list[dict[str, object]]:
    """What a node has logged."""
    lines = [line for line in node.said.splitlines() if line.startswith("{")]
    return [entry for line in lines if "event" in (entry := json.loads(line))]


def note_loss(trial: Trial) -> float:
    """The store has lost writes by now; the moment."""
    return trial.history.note("trial", "ok", "lost").t


class Aftermath:
    """What an old primary still takes after another was promoted, which has what it has from then: all that comes is lost.

    `watch` blocks until the old primary follows the other, and is made for a thread. `grants`, `endings`: sessions that
    began and that ended there meanwhile; `window_s`: how long it went on.
    """

    def __init__(self, old: Server, customer: str) -> None:
        self.grants: set[str] = set()
        self.endings: set[str] = set()
        self.window_s = 0.0
        self._old = old
        self._customer = customer

    def watch(self, most_s: float) -> None:
        """Looks until the old primary is one no more. It may be frozen at first."""
        client: Any = Redis(port=self._old.port, socket_timeout=0.5, decode_responses=True)
        name = key("sessions", partition_of(self._customer, PARTITIONS), self._customer)
        began_s, before = time.monotonic(), None
        while time.monotonic() < began_s + most_s:
            try:
                if client.execute_command("ROLE")[0] not in ("master", b"master"):
                    break
                now = {str(session) for session in client.execute_command("HKEYS", name)}
            except (RedisError, OSError):
                time.sleep(0.05)
                continue
            first = now if before is None else before
            self.grants |= now - first
            self.endings |= first - now
            before = now
            self.window_s = time.monotonic() - began_s
            time.sleep(0.02)
        client.close()
