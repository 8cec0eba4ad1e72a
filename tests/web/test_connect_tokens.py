"""Tokens that are not good: every kind of refusal as it is seen on the socket."""

from __future__ import annotations

import json
import time

import pytest
from structlog.testing import capture_logs

from tests.hub.token_factory import ED25519, SECRET, handmade, signed
from tests.web.edge import (
    JSON,
    ON_THE_EDGE,
    Edge,
    Map,
    closed,
    heard,
    hello,
    say,
)

pytestmark = ON_THE_EDGE


# -- tokens ---------------------------------------------------------------------------------------


def in_s(seconds: float) -> float:
    return time.time() + seconds


GOOD: Map = {"exp": in_s(3600)}
BAD_TOKENS = {
    "no JWT": "x.y.z",
    "not in the compact form": "hello there",
    "alg none": handmade({"alg": "none"}, json.dumps({"sub": "alice@acme.example"}).encode()),
    "alg NONE": handmade({"alg": "NONE"}, b"{}"),
    "wrong signature": signed("another secret of at least 32 bytes", "HS256", **GOOD),
    "no signature": signed(SECRET, "HS256", **GOOD).rpartition(".")[0] + ".",
    "an algorithm without a key": signed(ED25519, "EdDSA", **GOOD),
    "an algorithm that is not allowed": signed(SECRET * 2, "HS512", **GOOD),
    "an unknown key": signed(SECRET, "HS256", header={"kid": "../../etc/passwd"}, **GOOD),
    "a critical header": signed(SECRET, "HS256", header={"crit": ["exp"]}, **GOOD),
    "another type of token": signed(SECRET, "HS256", header={"typ": "seatd-license+jwt"}, **GOOD),
    "another audience": signed(SECRET, "HS256", aud="elsewhere", **GOOD),
    "expired": signed(SECRET, "HS256", exp=in_s(-31)),
    "no end": signed(SECRET, "HS256", drop="exp"),
    "a hundred years": signed(SECRET, "HS256", exp=in_s(100 * 366 * 86400)),
    "not yet": signed(SECRET, "HS256", nbf=in_s(3600), **GOOD),
    "issued tomorrow": signed(SECRET, "HS256", iat=in_s(86400), **GOOD),
    "no user": signed(SECRET, "HS256", drop="sub", **GOOD),
    "no customer": signed(SECRET, "HS256", drop="customer", **GOOD),
    "a user without domain": signed(SECRET, "HS256", sub="alice", **GOOD),
    "a user with a NUL": signed(SECRET, "HS256", sub="al\0ice@acme.example", **GOOD),
    "a user with a line": signed(SECRET, "HS256", sub="al\nice@acme.example", **GOOD),
    "a domain with a slash": signed(SECRET, "HS256", sub="alice@acme.example/x", **GOOD),
    "a long user": signed(SECRET, "HS256", sub="a" * 255 + "@acme.example", **GOOD),
    "an empty customer": signed(SECRET, "HS256", customer="", **GOOD),
    "products of a wrong type": signed(SECRET, "HS256", products="all", **GOOD),
}


@pytest.mark.parametrize("case", BAD_TOKENS)
async def test_a_bad_token(edge: Edge, case: str) -> None:
    socket = await edge.upgraded()
    with capture_logs() as events:
        await say(socket, hello(token=BAD_TOKENS[case]))
        assert await closed(socket) == (4401, "bad_token")
    told = [event for event in events if event["event"] == "token refused"]
    assert [bool(event["reason"]) for event in told] == [True]
    assert BAD_TOKENS[case] not in str(events)


async def test_a_denial_closes(edge: Edge) -> None:
    socket = await edge.upgraded(JSON)
    await say(socket, hello(need=["MOBILE"]), JSON)
    denied = await heard(socket, JSON)
    assert (denied["type"], denied["code"]) == ("denied", "device_not_allowed")
    assert await closed(socket) == (4300, "denied")
