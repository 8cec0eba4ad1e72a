"""Private stores of several servers for tests: a primary with replicas behind sentinels, and a cluster.

    with sentinel_group() as group:            # 1 primary, 2 replicas, 3 sentinels
        connect(group.url, ...)
        group.primary().kill()                 # SIGKILL; `freeze()` and `thaw()`, or `with server.paused():`
        group.fail_over()                      # planned, as `SENTINEL FAILOVER`
        group.until_primary_is_not(old)

    with cluster() as cluster_:                # 3 primaries, each with a replica
        cluster_.owner(slot).kill()
        cluster_.until_healed()
        cluster_.move_slot(slot, to)           # while others read and write

All are real servers of the tested engine on free ports of the loopback, in a folder that is gone afterwards. The methods
wait for what they do and block: a test that keeps a load running calls them by `asyncio.to_thread`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

from seatd.store.engine import Engine
from seatd.store.redis import Store
from tests.engine import PrivateEngine, _tied_to, tested_engine
from tests.places import LOOPBACK, Place

GIVE_UP_S = 30.0
SLOTS = 16384
NAME = "main"
EMPTY = '""'

SERVER = {
    "bind": "127.0.0.1",
    "save": "",
    "appendonly": "no",
    "maxmemory-policy": "noeviction",
    "loglevel": "warning",
    "repl-diskless-sync-delay": "0",
    "repl-ping-replica-period": "1",
}


class Server:
    """One process: a server, or a sentinel. `client` is a blocking one of the test's own; it never tries twice."""

    def __init__(
        self, program: Engine, folder: Path, port: int, password: str, place: Place = LOOPBACK
    ) -> None:
        self.program = program
        self.folder = folder
        self.port = port
        self.place = place
        self.client = Redis(place.address, port, password=password, socket_timeout=5, decode_responses=True)

    @property
    def address(self) -> str:
        """Where it serves: `HOST:PORT`."""
        return f"{self.place.address}:{self.port}"

    def start(self, *mode: str) -> None:
        """Starts it, or starts it again with what its folder holds; returns when it answers."""
        self._mode = mode or getattr(self, "_mode", ())
        with self.place.inside():
            self._process = subprocess.Popen(
                [self.program.path, str(self.folder / "server.conf"), *self._mode],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_tied_to(os.getpid()),
            )
        until(self.is_up, f"a server of the tests does not answer at {self.address}")

    def is_up(self) -> bool:
        """Whether it answers."""
        assert self._process.poll() is None, f"the server at {self.address} has ended: its port may be taken"
        return bool(self.client.ping())

    @property
    def is_running(self) -> bool:
        """Whether its process lives (a frozen one does)."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Ends it without a word (SIGKILL)."""
        self._process.kill()
        self._process.wait()
        self.client.close()

    def freeze(self) -> None:
        """Stops it as a stalled machine would (SIGSTOP): it takes what is sent and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a frozen one go on where it was (SIGCONT)."""
        self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While inside, it is frozen."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def ask(self, *words: Any) -> Any:
        """The answer to a command, as the server gives it."""
        return self.client.execute_command(*words)

    def commands_of(self, name: str) -> int:
        """How often it has run a command."""
        return int(self.client.info("commandstats").get(f"cmdstat_{name}", {}).get("calls", 0))


def until(holds: Callable[[], Any], otherwise: str) -> None:
    """Waits until something holds; a server that does not answer is asked again. AssertionError if it never does."""
    give_up_s = time.monotonic() + GIVE_UP_S
    while time.monotonic() < give_up_s:
        try:
            if holds():
                return
        except (RedisError, OSError):
            pass
        time.sleep(0.02)
    raise AssertionError(otherwise)


# -- behind sentinels -----------------------------------------------------------------------------


class SentinelGroup:
    """Servers that replicate one of them, and the sentinels that watch over it."""

    def __init__(self, servers: Sequence[Server], sentinels: Sequence[Server]) -> None:
        self.servers = servers
        self.sentinels = sentinels

    @property
    def hosts(self) -> str:
        """Where the sentinels are: `HOST:PORT,HOST:PORT,...`."""
        return ",".join(sentinel.address for sentinel in self.sentinels)

    @property
    def url(self) -> str:
        """The store, as seatd is told of it."""
        return f"redis+sentinel://{self.hosts}/{NAME}"

    def primary(self) -> Server:
        """The server that the sentinels call the primary."""
        port = self._primary_port(self._sentinel())
        return next(server for server in self.servers if server.port == port)

    def replicas(self) -> list[Server]:
        """The other servers."""
        primary = self.primary()
        return [server for server in self.servers if server is not primary]

    def fail_over(self) -> Server:
        """A planned change of the primary: returns the new one once it is in charge.

        The sentinels let the old one believe in itself for some 10 s more (`until_demoted`).
        """
        old = self.primary()
        until(lambda: self._sentinel().ask("SENTINEL", "FAILOVER", NAME), "no sentinel fails over")
        return self.until_primary_is_not(old)

    def until_demoted(self, old: Server) -> None:
        """Waits until a primary that was replaced follows the new one."""
        until(lambda: old.ask("ROLE")[0] == "slave", "the old primary was not demoted")

    def until_primary_is_not(self, old: Server) -> Server:
        """Waits until another server is in charge, and all sentinels say so."""

        def agreed() -> bool:
            said = {self._primary_port(one) for one in self.sentinels if one.is_running}
            return len(said) == 1 and old.port not in said

        until(agreed, "the sentinels promoted nobody")
        new = self.primary()
        until(lambda: new.ask("ROLE")[0] == "master", "the new primary does not know of it")
        return new

    def until_replicated(self) -> None:
        """Waits until all replicas follow the primary, and the sentinels know one another and all of them."""

        def complete() -> bool:
            seen = [sentinel.client.sentinel_master(NAME) for sentinel in self.sentinels]
            others = len(self.servers) - 1, len(self.sentinels) - 1
            known = all((int(one["num-slaves"]), int(one["num-other-sentinels"])) >= others for one in seen)
            # What the primary calls online may still be loading: the replica itself knows.
            roles = [replica.client.info("replication") for replica in self.replicas()]
            return known and all(role.get("master_link_status") == "up" for role in roles)

        until(complete, "the replicas do not follow the primary")

    def _primary_port(self, sentinel: Server) -> int:
        return int(sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1])

    def _sentinel(self) -> Server:
        return next(sentinel for sentinel in self.sentinels if sentinel.is_running)


@contextmanager
def sentinel_group(
    program: Engine | None = None,
    *,
    replicas: int = 2,
    sentinels: int = 3,
    down_after_ms: int = 500,
    password: str = "",
    places: Sequence[Place] = (),
    **settings: str,
) -> Iterator[SentinelGroup]:
    """Starts a primary, its replicas and its sentinels. `settings` are the servers' own, with `_` for `-`.

    With a `password` the servers want it; the sentinels do not. `places`: one for each server, then one for each sentinel.
    """
    program = program or tested_engine()
    if password:
        settings |= {"requirepass": password, "masterauth": password}
    with _folder() as folder, ExitStack() as running:
        count = 1 + replicas + sentinels
        spots = list(zip(places or [LOOPBACK] * count, free_ports(count), strict=True))
        at = [f"{place.address} {port}" for place, port in spots]
        servers: list[Server] = []
        for place, port in spots[: 1 + replicas]:
            options = SERVER | ({"replicaof": at[0]} if servers else {}) | _dashed(settings)
            servers.append(_started(running, program, folder, port, options, place=place))
        watchers = []
        for number, (place, port) in enumerate(spots[1 + replicas :]):
            text = _sentinel_conf(number, at[0], at[1 : 1 + replicas], at[1 + replicas :], down_after_ms)
            text += f"\nsentinel auth-pass {NAME} {password}" if password else ""
            watchers.append(_started(running, program, folder, port, {}, text, "--sentinel", place=place))
        group = SentinelGroup(servers, watchers)
        group.until_replicated()
        yield group


def _sentinel_conf(
    own: int, primary: str, others: Sequence[str], sentinels: Sequence[str], down_ms: int
) -> str:
    """They (`HOST PORT`) are introduced to one another here: to find out by themselves takes them several seconds."""
    lines = [
        f"sentinel myid {own:040x}",
        f"sentinel monitor {NAME} {primary} {len(sentinels) // 2 + 1}",
        f"sentinel down-after-milliseconds {NAME} {down_ms}",
        f"sentinel failover-timeout {NAME} 5000",
    ]
    lines += [f"sentinel known-replica {NAME} {other}" for other in others]
    lines += [
        f"sentinel known-sentinel {NAME} {other} {number:040x}"
        for number, other in enumerate(sentinels)
        if number != own
    ]
    return "\n".join(lines)


# -- clusters -------------------------------------------------------------------------------------


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


class ClusterAsEngine(PrivateEngine):
    """A cluster where a test expects one engine. A test that needs the one process is skipped."""

    def __init__(self, servers: Cluster) -> None:
        self.servers = servers

    @property
    def url(self) -> str:
        """The store, as seatd is told of it."""
        return self.servers.url

    def __getattr__(self, name: str) -> Any:
        pytest.skip(f"a cluster has no {name} of its own")


@asynccontextmanager
async def watching(engine: PrivateEngine, store: Store) -> AsyncIterator[None]:
    """While inside, tests may look into the store by `store.client` on a cluster too: by redis-py's own client of it."""
    if not isinstance(engine, ClusterAsEngine):
        yield
        return
    own = store.client
    address = engine.servers.servers[0]
    async with RedisCluster(host="127.0.0.1", port=address.port) as watcher:
        store.client = watcher  # type: ignore[assignment]  # it has the methods that tests call
        try:
            yield
        finally:
            store.client = own


# -- processes ------------------------------------------------------------------------------------


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="seatd-") as folder:
        yield Path(folder)


def _started(
    running: ExitStack,
    program: Engine,
    folder: Path,
    port: int,
    settings: dict[str, str],
    more: str = "",
    *mode: str,
    place: Place = LOOPBACK,
) -> Server:
    own = folder / str(port)
    own.mkdir(exist_ok=True)
    named = {"port": str(port), "dir": str(own), **settings, "bind": place.address}
    if place is not LOOPBACK:
        named["protected-mode"] = "no"  # it serves others than the loopback, without a password
    lines = [f"{name} {value or EMPTY}" for name, value in named.items()]
    (own / "server.conf").write_text("\n".join([*lines, more, ""]))
    server = Server(program, own, port, settings.get("requirepass", ""), place)
    running.callback(lambda: server.kill() if server.is_running else None)
    server.start(*mode)
    return server


def _dashed(settings: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in settings.items()}
