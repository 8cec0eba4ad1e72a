"""Tokens of virtual users: signed here, or read from a file."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import jwt

from loadtest.clients.errors import BadTokens

TTL_S = 24 * 3600
MIN_SECRET_BYTES = 32  # RFC 7518 section 3.2
USER = "load-{n}"


def signed(
    secret: str | bytes,
    *,
    customer: str,
    domain: str,
    audience: str,
    issuer: str | None,
    user: str = USER,
    algorithm: str = "HS256",
    kid: str | None = None,
) -> Callable[[int], str]:
    """Of `load-0@domain`, `load-1@domain` and so on (`user`: another pattern), good for a day, each signed once: what that
    costs is none of the server's. `secret`: the shared one, or a private key in PEM. Raises `BadTokens`."""
    if (
        algorithm == "HS256"
        and len(secret if isinstance(secret, bytes) else secret.encode()) < MIN_SECRET_BYTES
    ):
        raise BadTokens(f"the secret is shorter than {MIN_SECRET_BYTES} bytes")
    if "{n}" not in user:
        raise BadTokens(f"the pattern {user!r} gives all clients the same name: it needs {{n}}, their number")
    common = {"aud": audience, "customer": customer} | ({"iss": issuer} if issuer else {})
    headers = {"kid": kid} if kid else None

    @cache
    def token(number: int) -> str:
        now_s = int(time.time())
        own = {
            "sub": f"{user.replace('{n}', str(number))}@{domain}",
            "iat": now_s,
            "exp": now_s + TTL_S,
            "jti": secrets.token_hex(8),
        }
        return jwt.encode({**common, **own}, secret, algorithm, headers=headers)

    return token


def read(path: Path, clients: int) -> Callable[[int], str]:
    """One token a line. Raises `BadTokens` when there are not enough."""
    lines = text_of(path).split()
    if len(lines) < clients:
        raise BadTokens(f"{path} has {len(lines)} tokens for {clients} clients")
    return lines.__getitem__


def text_of(path: Path) -> str:
    """What a file says. Raises `BadTokens`."""
    try:
        return path.read_text("utf-8").strip()
    except UnicodeDecodeError:
        raise BadTokens(f"{path} is not text") from None
    except OSError as error:
        raise BadTokens(f"{path} cannot be read: {error.strerror}") from None
