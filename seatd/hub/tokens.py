"""Client tokens: the JWT in `hello` and `refresh`, checked and turned into who is asking for what.

    BadToken    the token is refused (close 4401 bad_token); `.reason` is for logs and the close frame

A reason never holds anything out of the token, and the token itself is never logged.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import jwt
import msgspec
from jwt.algorithms import get_default_algorithms

from seatd.hub.jwks import Fetch, Jwks
from seatd.hub.token_keys import TokenKey, key_file, select, shared_secret
from seatd.licensing.names import BadName, canonical_domain, check_customer, split_user

MAX_TOKEN = 6144  # characters, as in the contract of `hello`
MAX_LIFE_S = 366 * 86400
PRIORITY_MAX = 9

# RFC 8725 3.11: a JWT made for something else (a license key, an ID of another system) is no client token.
_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
# Base64 decoders skip what is not of their alphabet: without this, one token would have many spellings.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")
_ALGORITHMS = get_default_algorithms()

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Names = Annotated[tuple[Name, ...], msgspec.Meta(max_length=64)]


class BadToken(Exception):
    """The token is refused. `reason` is short and says why, in words that hold nothing of the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOptions:
    """Which tokens are good. `keys`: files with PEM public keys or JWK sets; `issuer` None: any."""

    audience: str = "seatd"
    issuer: str | None = None
    leeway_s: int = 30
    hs256_secret: str | None = field(default=None, repr=False)
    keys: tuple[Path, ...] = ()
    jwks_url: str | None = None


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a token speaks for. `products` and `devices` None: no restriction by the token.

    `user` and `domain` are in their one form (see `canonical_user`); a higher `priority` (0 to 9) is served
    earlier in a queue; `expires_s` is Unix time.
    """

    user: str
    domain: str
    customer: str
    expires_s: int
    token_id: str | None = None
    products: frozenset[str] | None = None
    devices: frozenset[str] | None = None
    role: str | None = None
    groups: frozenset[str] = frozenset()
    priority: int = 0


class _Header(msgspec.Struct):
    """What is read of the header. `jku`, `x5u`, `jwk` and `x5c` are not: keys never come with a token."""

    alg: str
    kid: str | None = None
    typ: str = ""
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Claims(msgspec.Struct):
    sub: str
    customer: str
    exp: float
    aud: str | tuple[str, ...]
    iss: str | None = None
    iat: float | None = None
    nbf: float | None = None
    jti: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None
    products: Names | None = None
    device: Name | Names | None = None
    role: Name | None = None
    groups: Names = ()
    priority: Annotated[int, msgspec.Meta(ge=0, le=PRIORITY_MAX)] = 0


def canonical_user(user: str) -> tuple[str, str]:
    """The one form of a user's name and its domain: Unicode NFC, the domain without upper case.

    `BadName` when it is no `name@domain`.
    """
    name, at, domain = unicodedata.normalize("NFC", user).rpartition("@")
    user = name + at + canonical_domain(domain)
    return user, split_user(user)[1]


class TokenChecker:
    """Checks client tokens by the configured keys.

    `fetch` is needed when `jwks_url` is set (see `seatd.hub.jwks.Fetch`); `clock` gives monotonic seconds.
    `ValueError` when a key, the secret or the URL cannot be used.
    """

    def __init__(
        self,
        options: TokenOptions,
        fetch: Fetch | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        secret = options.hs256_secret
        keys = [] if secret is None else [shared_secret(secret)]
        self._keys = (*keys, *(key for path in options.keys for key in key_file(path)))
        if options.jwks_url is not None and fetch is None:
            raise ValueError("a JWKS URL needs a way to fetch it")
        self._jwks = Jwks(options.jwks_url, fetch, clock=clock) if options.jwks_url and fetch else None

    @property
    def configured(self) -> bool:
        """Whether any token can be good at all."""
        return bool(self._keys) or self._jwks is not None

    async def check(self, token: str, now_s: float | None = None) -> Identity:
        """Who the token speaks for, or `BadToken`. `now_s` is Unix time, by default the machine's."""
        if not self.configured:
            raise BadToken("no token keys are configured on this server")
        if len(token) > MAX_TOKEN:
            raise BadToken("too long")
        if not _COMPACT.fullmatch(token):
            raise BadToken("not a JWT")
        header = _header(token.partition(".")[0])
        claims = _claims(token, await self._key(header))
        self._check_claims(claims, time.time() if now_s is None else now_s)
        return _identity(claims)

    async def close(self) -> None:
        """End a fetch of keys that is under way."""
        if self._jwks is not None:
            await self._jwks.close()

    async def _key(self, header: _Header) -> TokenKey:
        if header.alg not in ("EdDSA", "ES256", "RS256", "HS256"):
            raise BadToken("algorithm not allowed")
        key = select(self._keys, header.kid, header.alg)
        if key is None and self._jwks is not None and header.alg != "HS256":
            key = select((*self._keys, *await self._jwks.find(header.kid)), header.kid, header.alg)
        if key is None:
            raise BadToken("no single key fits" if header.kid is None else "unknown key id")
        return key

    def _check_claims(self, claims: _Claims, now_s: float) -> None:
        """Validity by RFC 7519 section 4.1, with the leeway for clocks that differ."""
        leeway_s = self._options.leeway_s
        audiences = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
        if self._options.audience not in audiences:
            raise BadToken("wrong audience")
        if self._options.issuer is not None and claims.iss != self._options.issuer:
            raise BadToken("wrong issuer")
        if now_s >= claims.exp + leeway_s:
            raise BadToken("expired")
        if claims.exp > now_s + MAX_LIFE_S:
            raise BadToken("valid for too long")
        if max(claims.nbf or 0, claims.iat or 0) > now_s + leeway_s:
            raise BadToken("not yet valid")


@lru_cache(maxsize=256)  # all tokens of an issuer begin with the same one
def _header(part: str) -> _Header:
    try:
        raw = jwt.get_unverified_header(
            f"{part}.e30."
        )  # whatever follows in the token is checked with its signature
        header = msgspec.convert(raw, _Header)
    except (jwt.PyJWTError, msgspec.ValidationError, RecursionError, UnicodeError):
        raise BadToken("not a JWT") from None
    if header.crit is not msgspec.UNSET or "b64" in raw:
        raise BadToken("critical header not supported")
    if header.typ.lower() not in _TYPES:
        raise BadToken("wrong type of token")
    return header


def _claims(token: str, key: TokenKey) -> _Claims:
    signed, _, signature = token.rpartition(".")
    if not _ALGORITHMS[key.algorithm].verify(signed.encode(), key.key, _bytes(signature)):
        raise BadToken("wrong signature")
    payload = _bytes(signed.partition(".")[2])
    try:
        return msgspec.json.decode(payload, type=_Claims)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise BadToken("wrong or missing claims") from None


def _bytes(part: str) -> bytes:
    """A part of a token: base64url without padding (RFC 7515 section 2), in the one way in which it can be written."""
    try:
        found = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        raise BadToken("not a JWT") from None
    if base64.urlsafe_b64encode(found).rstrip(b"=") != part.encode():
        raise BadToken("not a JWT")
    return found


def _identity(claims: _Claims) -> Identity:
    try:
        user, domain = canonical_user(claims.sub)
        customer = check_customer(claims.customer)
    except BadName as error:
        raise BadToken(str(error)) from None
    devices = (claims.device,) if isinstance(claims.device, str) else claims.device
    return Identity(
        user=user,
        domain=domain,
        customer=customer,
        expires_s=int(claims.exp),
        token_id=claims.jti,
        products=None if claims.products is None else frozenset(claims.products),
        devices=None if devices is None else frozenset(devices),
        role=claims.role,
        groups=frozenset(claims.groups),
        priority=claims.priority,
    )
