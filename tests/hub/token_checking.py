"""Checkers of client tokens, and what they say."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest

from seatd.hub.tokens import BadToken, TokenChecker, TokenOptions
from tests.hub.token_factory import (
    NOW_S,
    SECRET,
    Private,
    b64,
    handmade,
    public_pem,
    signed,
)


def shared(**options: Any) -> TokenChecker:
    return TokenChecker(TokenOptions(hs256_secret=SECRET, **options))


def with_keys(folder: Path, **keys: Private) -> TokenChecker:
    paths = []
    for kid, key in keys.items():
        path = folder / f"{kid}.pem"
        path.write_bytes(public_pem(key))
        paths.append(path)
    return TokenChecker(TokenOptions(keys=tuple(paths)))


async def refusal(checker: TokenChecker, token: str) -> str:
    with pytest.raises(BadToken) as refused:
        await checker.check(token, NOW_S)
    return refused.value.reason


def hs256(**claims: Any) -> str:
    return signed(SECRET, "HS256", **claims)


def signed_bytes(payload: bytes) -> str:
    signing = handmade({"alg": "HS256"}, payload).rpartition(".")[0]
    return signing + "." + b64(hmac.new(SECRET.encode(), signing.encode(), hashlib.sha256).digest())
