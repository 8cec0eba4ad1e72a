"""Client tokens: as they come, and what stands in those that are signed as they should be."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Coroutine, Iterator
from typing import TypeVar

import msgspec

from seatd.hub.tokens import BadToken, TokenChecker, TokenOptions, canonical_user
from tests.fuzz.target import Target
from tests.hub.token_factory import CLAIMS, NOW_S, SECRET, b64

Answer = TypeVar("Answer")
CHECKER = TokenChecker(TokenOptions(hs256_secret=SECRET, issuer=None))
HEADER = b'{"alg":"HS256","typ":"JWT"}'
AS_IT_IS, CLAIMS_ONLY, HEADER_ONLY = range(3)


def run(data: bytes) -> None:
    """Refused, or an identity in its one form. The first byte says what the others are."""
    mode, rest = data[:1] or b"\x00", data[1:]
    match mode[0] % 3:
        case 1:
            token = _signed(HEADER, rest)
        case 2:
            token = _signed(rest, json.dumps(CLAIMS).encode())
        case _:
            token = rest.decode("utf-8", "replace")
    try:
        identity = _at_once(CHECKER.check(token, NOW_S))
    except BadToken as refusal:
        assert len(refusal.reason) < 123  # the longest reason of a close frame
        return
    assert canonical_user(identity.user) == (identity.user, identity.domain)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(identity), type=type(identity)) == identity


def _signed(header: bytes, payload: bytes) -> str:
    signing = f"{b64(header)}.{b64(payload)}"
    return f"{signing}.{b64(hmac.digest(SECRET.encode(), signing.encode(), hashlib.sha256))}"


def _at_once(answer: Coroutine[object, object, Answer]) -> Answer:
    """The answer of a coroutine that has nothing to wait for."""
    try:
        answer.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise asyncio.InvalidStateError("it waits")


def seeds() -> Iterator[bytes]:
    full = CLAIMS | {
        "iss": "idp",
        "iat": NOW_S,
        "nbf": NOW_S,
        "jti": "t-1",
        "products": ["CALL_CENTER"],
        "device": ["desktop", "mobile"],
        "role": "agent",
        "groups": ["sales"],
        "priority": 3,
        "aud": ["seatd", "other"],
    }
    for claims in (CLAIMS, full):
        yield b"\x01" + json.dumps(claims).encode()
        yield b"\x00" + _signed(HEADER, json.dumps(claims).encode()).encode()
    yield b"\x02" + HEADER
    yield b"\x02" + b'{"alg":"HS256","typ":"at+jwt","kid":"a","crit":["b64"],"b64":false,"jku":"http://x/"}'


WORDS = (
    b'"exp":1e999',
    b'"alg":"none"',
    b'"sub":"a@B.example"',
    "ANN@\u00dcber.example".encode(),
    b'"b64":false',
    b"[" * 2000,
    b'{"a":' * 2000,
)
TARGET = Target("tokens", run, seeds, WORDS)
