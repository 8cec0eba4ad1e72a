"""A primary with replicas, and the sentinels that watch over it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from seatd.store.engine import Engine
from tests.engine import tested_engine
from tests.places import LOOPBACK, Place
from tests.topologies.servers import SERVER, Server, _dashed, _folder, _started, free_ports, until

NAME = "main"


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

    def until_caught_up(self) -> None:
        """Waits until all replicas have what the primary has written so far."""
        written = self.primary().client.info("replication")["master_repl_offset"]

        def complete() -> bool:
            read = [replica.client.info("replication")["slave_repl_offset"] for replica in self.replicas()]
            return all(offset >= written for offset in read)

        until(complete, "the replicas are behind")

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
