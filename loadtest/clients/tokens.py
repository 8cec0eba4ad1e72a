"""Tokens of virtual users: signed here with the shared secret, or read from a file."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path

import jwt

TTL_S = 24 * 3600
MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2


class BadTokens(ValueError):
    """They cannot be had; the text says why."""


def signed(
    secret: str, *, customer: str, domain: str, audience: str, issuer: str | None
) -> Callable[[int], str]:
    """Of `load-0@domain`, `load-1@domain` and so on, good for a day. Raises `BadTokens` for a secret that is too short."""
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise BadTokens(f"the secret is shorter than {MIN_SECRET_BYTES} bytes")
    common = {"aud": audience, "customer": customer} | ({"iss": issuer} if issuer else {})

    def token(number: int) -> str:
        now_s = int(time.time())
        own = {
            "sub": f"load-{number}@{domain}",
            "iat": now_s,
            "exp": now_s + TTL_S,
            "jti": secrets.token_hex(8),
        }
        return jwt.encode({**common, **own}, secret, "HS256")

    return token


def read(path: Path, clients: int) -> Callable[[int], str]:
    """One token a line. Raises `BadTokens` when there are not enough."""
    lines = path.read_text("utf-8").split()
    if len(lines) < clients:
        raise BadTokens(f"{path} has {len(lines)} tokens for {clients} clients")
    return lines.__getitem__
