"""Primaries that share the slots, each with replicas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from redis import Redis

from seatd.store.engine import Engine
from tests.engine import tested_engine
from tests.topologies.servers import SERVER, Server, _dashed, _folder, _started, free_ports, until

SLOTS = 16384


class Cluster:
    """Primaries that share the slots, each with replicas."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self.servers = servers

    @property
    def url(self) -> str:
        """The store, as seatd is told of it."""
        return f"redis+cluster://{','.join(server.address for server in self.servers)}"

    def primaries(self) -> list[Server]:
        """The servers that have slots now, as one that lives sees it."""
        return [self._at(port) for port in dict.fromkeys(row[2][1] for row in self._slots())]

    def owner(self, slot: int) -> Server:
        """The server that has a slot now."""
        return next(self._at(row[2][1]) for row in self._slots() if row[0] <= slot <= row[1])

    def replica_of(self, primary: Server) -> Server:
        """A server that follows a primary."""
        row = next(row for row in self._slots() if row[2][1] == primary.port)
        return self._at(row[3][1])

    def fail_over(self, primary: Server) -> Server:
        """A planned change: the replica takes its primary's slots over. Returns it once it has them."""
        replica = self.replica_of(primary)
        replica.ask("CLUSTER", "FAILOVER")
        until(lambda: replica in self.primaries(), "the replica did not take over")
        self.until_healed()
        return replica

    def move_slot(self, slot: int, to: Server) -> None:
        """Moves a slot with all it holds to another primary, as `redis-cli --cluster reshard` does."""
        moving = self.begin_move(slot, to)
        while moving.move_keys(100):
            pass
        moving.end()

    def begin_move(self, slot: int, to: Server) -> Move:
        """The first step of moving a slot: calls for it are answered with ASK or TRYAGAIN until the move ends."""
        return Move(self, slot, to)

    def until_healed(self) -> None:
        """Waits until every slot has a server that lives, and all that live agree on it."""

        def healed() -> bool:
            live = [server for server in self.servers if server.is_running]
            whole = all(server.client.cluster("INFO")["cluster_state"] == "ok" for server in live)
            owners = {tuple((row[0], row[1], row[2][1]) for row in slots_of(server)) for server in live}
            ports = {server.port for server in live}
            return whole and len(owners) == 1 and all(port in ports for *_, port in owners.pop())

        until(healed, "the cluster did not heal")

    def _slots(self) -> list[Any]:
        server = next(server for server in self.servers if server.is_running)
        return slots_of(server)

    def _at(self, port: int) -> Server:
        return next(server for server in self.servers if server.port == port)


class Move:
    """A slot on its way from one primary to another."""

    def __init__(self, cluster: Cluster, slot: int, to: Server) -> None:
        self.cluster, self.slot, self.to = cluster, slot, to
        self.source = cluster.owner(slot)
        source_id, to_id = self.source.ask("CLUSTER", "MYID"), to.ask("CLUSTER", "MYID")
        to.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        self.source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", to_id)

    def move_keys(self, count: int) -> int:
        """Moves up to `count` keys; how many it moved."""
        keys = self.source.ask("CLUSTER", "GETKEYSINSLOT", self.slot, count)
        if keys:
            self.source.ask("MIGRATE", "127.0.0.1", self.to.port, "", 0, 5000, "KEYS", *keys)
        return len(keys)

    def end(self) -> None:
        """The slot is its new primary's."""
        to_id = self.to.ask("CLUSTER", "MYID")
        for server in (self.to, self.source):  # in this order no moment is without an owner
            server.ask("CLUSTER", "SETSLOT", self.slot, "NODE", to_id)
        self.cluster.until_healed()


def slots_of(server: Server) -> list[Any]:
    """Who has which slots, as a server sees it: rows of first, last, primary, replicas."""
    raw = Redis(port=server.port, socket_timeout=5)
    try:
        raw.response_callbacks.clear()
        rows: list[Any] = raw.execute_command("CLUSTER", "SLOTS")
        return sorted(rows, key=lambda row: row[0])
    finally:
        raw.close()


@contextmanager
def cluster(
    program: Engine | None = None,
    *,
    primaries: int = 3,
    replicas: int = 1,
    node_timeout_ms: int = 1000,
    **settings: str,
) -> Iterator[Cluster]:
    """Starts a cluster whose primaries share the slots evenly. `settings` are the servers' own, with `_` for `-`."""
    program = program or tested_engine()
    own = {
        "cluster-enabled": "yes",
        "cluster-node-timeout": str(node_timeout_ms),
        "cluster-require-full-coverage": "no",
        "cluster-replica-validity-factor": "0",
        "cluster-allow-replica-migration": "no",
    }
    with _folder() as folder, ExitStack() as running:
        count = primaries * (1 + replicas)
        ports, buses = (lambda free: (free[:count], free[count:]))(free_ports(2 * count))
        servers = []
        for number, (port, bus) in enumerate(zip(ports, buses, strict=True)):
            place = folder / str(port)
            place.mkdir()
            (place / "nodes.conf").write_text(_nodes_conf(number, ports, buses, primaries))
            options = SERVER | own | {"cluster-port": str(bus)} | _dashed(settings)
            servers.append(_started(running, program, folder, port, options))
        made = Cluster(servers)
        made.until_healed()
        yield made


def _nodes_conf(own: int, ports: Sequence[int], buses: Sequence[int], primaries: int) -> str:
    """What a server knows of the cluster when it starts: all of it, so that nothing has to spread first."""
    lines = []
    for number, (port, bus) in enumerate(zip(ports, buses, strict=True)):
        follows = number % primaries
        is_primary = number < primaries
        flags = ("myself," if number == own else "") + ("master" if is_primary else "slave")
        first, last = (SLOTS * n // primaries for n in (follows, follows + 1))
        lines.append(
            f"{number:040x} 127.0.0.1:{port}@{bus} {flags} {'-' if is_primary else f'{follows:040x}'} "
            f"0 0 {follows + 1} connected{f' {first}-{last - 1}' if is_primary else ''}"
        )
    return "\n".join([*lines, f"vars currentEpoch {primaries} lastVoteEpoch 0", ""])
