"""Whom the clients talk to: servers of the load tester's own, or those that were named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from os import kill
from signal import SIGKILL

from loadtest.clients import tokens
from loadtest.clients.connection import Place
from loadtest.clients.errors import BadTokens
from loadtest.options import Options
from loadtest.own import CUSTOMER, DOMAIN, own_servers
from loadtest.registry import Registry
from seatd.cli.failures import Refused
from seatd.cli.token import signer_of


@dataclass(frozen=True)
class Target:
    """`registry`: where the REST API is known. `kill`: ends the last node, where that may be done."""

    places: tuple[Place, ...]
    token_of: Callable[[int], str]
    registry: Registry | None
    kill: Callable[[], None] | None = None


@asynccontextmanager
async def target(options: Options) -> AsyncIterator[Target]:
    """Servers that are there for as long as it lasts. Raises `Unusable`."""
    if options.urls:
        yield _named(options)
        return
    seats = options.free_seats if options.scenario == "queue" else options.clients
    async with own_servers(options.own_nodes, seats, options.need, options.further) as servers:
        token_of = tokens.signed(
            *(servers[0].secret,),
            customer=CUSTOMER,
            domain=DOMAIN,
            audience="seatd",
            issuer=None,
            user=options.user,
        )
        yield Target(
            tuple(Place.of(f"ws://{server.clients}") for server in servers),
            token_of,
            Registry(f"http://{servers[0].admin}", servers[0].token, CUSTOMER),
            lambda: kill(servers[-1].pid, SIGKILL),
        )


def _named(options: Options) -> Target:
    registry = None
    if options.admin and options.token:
        registry = Registry(options.admin.rstrip("/"), options.token, options.customer)
    return Target(tuple(map(Place.of, options.urls)), _tokens(options), registry)


def _tokens(options: Options) -> Callable[[int], str]:
    if options.tokens_file is not None:
        return tokens.read(options.tokens_file, options.clients)
    secret, algorithm, kid = _signer(options)
    return tokens.signed(
        secret,
        customer=options.customer,
        domain=options.domain,
        audience=options.audience,
        issuer=options.issuer,
        user=options.user,
        algorithm=algorithm,
        kid=kid,
    )


def _signer(options: Options) -> tuple[str | bytes, str, str | None]:
    """What tokens are signed with, how, and the name of the key."""
    if options.key_file is not None:
        try:
            signer = signer_of(options.key_file, options.kid)
        except Refused as error:
            raise BadTokens(error.message.rstrip(".")) from None
        return signer.key, signer.algorithm, signer.kid
    assert options.secret_file is not None
    return tokens.text_of(options.secret_file), "HS256", None
