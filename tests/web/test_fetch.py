"""Fetching token keys from a real server that answers in every wrong way."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from seatd.hub.jwks import MAX_BYTES, FetchFailed
from seatd.hub.tokens import TokenChecker, TokenOptions
from seatd.web.fetch import fetch
from tests.hub.token_factory import ED25519, NOW_S, jwk, jwks, signed

Servers = Callable[[web.Application], Awaitable[TestServer]]

KEYS = jwks(jwk(ED25519, "k1"))


async def keys(request: web.Request) -> web.StreamResponse:
    """One way to answer per path."""
    match request.path:
        case "/keys":
            return web.Response(body=KEYS, content_type="application/json")
        case "/redirect":
            raise web.HTTPFound("http://169.254.169.254/latest")
        case "/exact":
            return web.Response(body=b"x" * MAX_BYTES)
        case "/huge":
            return web.Response(body=b"x" * (MAX_BYTES + 1))
        case "/bomb":
            return web.Response(body=gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"})
        case "/endless":
            return await _endless(request)
        case "/slow":
            await asyncio.sleep(60)
        case "/empty":
            return web.Response(status=204)
    return web.Response(status=500, body=KEYS)


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)


@pytest.fixture
async def provider(aiohttp_server: Servers) -> str:
    app = web.Application()
    app.router.add_get("/{path}", keys)
    return str((await aiohttp_server(app)).make_url("/"))


async def refusal(url: str, timeout_s: float = 5.0) -> str:
    with pytest.raises(FetchFailed) as failed:
        await fetch(url, MAX_BYTES, timeout_s)
    return str(failed.value)


async def test_a_token_is_checked_with_a_key_that_was_fetched(provider: str) -> None:
    checker = TokenChecker(TokenOptions(jwks_url=f"{provider}keys"), fetch)
    token = signed(ED25519, "EdDSA", header={"kid": "k1"})
    assert (await checker.check(token, NOW_S)).user == "alice@acme.example"


async def test_the_body_up_to_the_limit(provider: str) -> None:
    assert len(await fetch(f"{provider}exact", MAX_BYTES, 5.0)) == MAX_BYTES


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("redirect", "status 302"),
        ("huge", "more than 262144 bytes"),
        ("bomb", "more than 262144 bytes"),
        ("endless", "more than 262144 bytes"),
        ("empty", "status 204"),
        ("broken", "status 500"),
    ],
)
async def test_answers_that_are_refused(provider: str, path: str, reason: str) -> None:
    assert await refusal(f"{provider}{path}") == reason


async def test_an_answer_that_does_not_come(provider: str) -> None:
    assert await refusal(f"{provider}slow", 0.02) == "no answer in time"


async def test_nobody_is_there() -> None:
    assert "ClientConnectorError" in await refusal(f"http://127.0.0.1:{unused_port()}/keys")


async def test_a_name_that_leads_to_a_metadata_address() -> None:
    assert "may not be reached" in await refusal("http://0xa9fea9fe:1/keys")


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "0.0.0.0"])
async def test_an_address_that_no_resolver_is_asked_for(host: str) -> None:
    assert "may not be reached" in await refusal(f"http://{host}:1/keys")


@pytest.mark.parametrize("host", ["2852039166", "169.254.43518", "0251.0376.0251.0376"])
async def test_addresses_in_other_spellings(host: str) -> None:
    assert "not a canonical IPv4 address" in await refusal(f"http://{host}:1/keys")


async def test_a_name_that_leads_nowhere() -> None:
    assert await refusal("https://no-such-host.invalid/keys")
