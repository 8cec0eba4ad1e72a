"""What was asked for on the command line, and whether it makes sense."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.clients.errors import Unusable

MOST_CLIENTS, MOST_SECONDS, MOST_RATE = 1000, 600, 2000
LEAST_NODES = {"kill": 2, "roaming": 2, "reconnect": 1}
"""Nodes of the load tester's own that a scenario has without a word."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """See `seatd-loadtest --help`."""

    scenario: str
    clients: int
    seconds: float
    rate: float | None
    seats: int | None
    nodes: int | None
    urls: tuple[str, ...]
    ca: Path | None
    admin: str | None
    token: str | None
    secret_file: Path | None
    key_file: Path | None
    kid: str | None
    tokens_file: Path | None
    user: str
    customer: str
    domain: str
    audience: str
    issuer: str | None
    need: tuple[str, ...]
    further: str
    json: bool
    sources: tuple[str, ...]
    no_limits: bool
    report: Path | None

    @property
    def rate_per_s(self) -> float:
        """Things a second; without a word as many as do all clients once."""
        return self.rate or self.clients / self.seconds

    @property
    def free_seats(self) -> int:
        """For `queue`."""
        return self.seats or max(1, self.clients // 2)

    @property
    def own_nodes(self) -> int:
        """How many servers the load tester starts, when it starts any."""
        return self.nodes or LEAST_NODES.get(self.scenario, 1)

    def told(self) -> dict[str, Any]:
        """What the report says of how it was run: no secrets."""
        names = (
            *("clients", "seconds", "rate_per_s", "free_seats", "urls", "user", "customer", "domain", "need"),
            *("further", "json", "sources"),
        )
        own = {} if self.urls else {"own_nodes": self.own_nodes}
        return {name: getattr(self, name) for name in names} | own


def check(options: Options) -> None:
    """Raises `Unusable` with the first thing that makes no sense."""
    for wrong in (*_bounds(options), *_credentials(options), *_scenario(options)):
        raise Unusable(wrong)


def _bounds(options: Options) -> Iterator[str]:
    if not all(map(math.isfinite, (options.seconds, options.rate_per_s))):
        yield "--seconds and --rate are numbers with an end"
    beyond = (
        options.clients > MOST_CLIENTS or options.seconds > MOST_SECONDS or options.rate_per_s > MOST_RATE
    )
    if beyond and not options.no_limits:
        yield (
            f"more than {MOST_CLIENTS:,} clients, {MOST_SECONDS} s or {MOST_RATE:,} things a second: say --no-limits "
            f"if you mean it"
        )


def _credentials(options: Options) -> Iterator[str]:
    given = [one for one in (options.secret_file, options.key_file, options.tokens_file) if one is not None]
    if options.urls and not given:
        yield "with --url give --secret-file, --key or --tokens, for the clients to sign in with"
    if len(given) > 1:
        yield "give one of --secret-file, --key and --tokens"
    if given and not options.urls:
        yield "--secret-file, --key and --tokens belong to a server that you name with --url"
    if options.kid and not options.key_file:
        yield "--kid names the key of --key"


def _scenario(options: Options) -> Iterator[str]:
    if options.scenario == "logout" and options.urls and not (options.admin and options.token):
        yield "`logout` with --url needs --admin and --token: it asks the REST API"
    if options.scenario == "queue" and options.free_seats >= options.clients:
        yield "`queue` needs more --clients than --seats"
    if options.nodes and options.urls:
        yield "--nodes is for servers of the load tester's own; repeat --url for several that are there"
    if options.scenario == "kill" and options.nodes == 1:
        yield "`kill` needs at least two --nodes: one to be killed, and one to come back to"
    if options.scenario == "kill" and len(options.urls) == 1:
        yield "`kill` needs the --url of two nodes at least: the last one is to be killed, the others are come back to"
