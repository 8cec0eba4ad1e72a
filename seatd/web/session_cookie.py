"""The cookie that holds a console session's secret: how it is read, set and taken away."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from aiohttp import web

from seatd.web.origin import is_secure

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class Jar:
    """The secret that a request came with, and the one that its answer sets."""

    def __init__(self, request: web.Request) -> None:
        self._is_secure = is_secure(request)
        # __Host-: set over TLS by this very host, for all of it, or the browser does not take it (RFC 6265bis).
        self._name = "__Host-seatd" if self._is_secure else "seatd"
        found = request.cookies.get(self._name, "")
        self.secret = found if _SECRET.fullmatch(found) else ""
        self._new: str | None = None

    def keep(self, secret: str) -> None:
        """The answer sets this secret."""
        self._new = secret

    def drop(self) -> None:
        """The answer takes the cookie away."""
        self._new = ""

    def write(self, response: web.Response) -> None:
        """Puts into the answer what was asked for."""
        if self._new is None:
            return
        response.set_cookie(
            self._name,
            self._new,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="Strict",
            max_age=None if self._new else 0,
        )


def new_secret() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What the store knows a secret by."""
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_of(secret: str) -> str:
    """What the page must send beside the cookie. Who knows it does not know the secret, and needs not be told it twice."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()
