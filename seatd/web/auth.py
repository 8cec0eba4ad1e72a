"""Who calls the REST API: bearer tokens, known to the store by their SHA-256 only.

A token has 256 random bits, so a plain hash cannot be guessed back, and looking the hash up leaks by its
timing nothing that helps to find a token.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from seatd.store.access_values import EVERYTHING, TokenRecord
from seatd.web.errors import Problem

ID_LENGTH = 16
TOKEN_FILE = "admin.token"  # noqa: S105  # a file's name
CACHE_S = 5.0  # a token that is taken back works this much longer
CACHE_SIZE = 256

_BEARER = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]{1,512})", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,512}")
_log = structlog.get_logger(__name__)


class BadTokenFile(Exception):
    """The data folder's admin token cannot be used; the text says why, never the token."""


class Authenticator:
    """Answers who a request's `Authorization` header speaks for.

    `lookup` answers the record of a token's hash (`Store.token`); `clock` gives monotonic seconds, `now_ms` the
    time by which tokens end.
    """

    def __init__(
        self,
        lookup: Callable[[str], Awaitable[TokenRecord | None]],
        *,
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._lookup = lookup
        self._clock = clock
        self._now_ms = now_ms
        self._cache: dict[str, tuple[TokenRecord, float]] = {}

    async def caller(self, authorization: str | None) -> TokenRecord:
        """The record of the token, or the problem `unauthenticated` (401)."""
        if authorization is None:
            raise _unauthenticated("Send the header Authorization: Bearer TOKEN.", "")
        found = _BEARER.fullmatch(authorization.strip())
        record = await self._record(token_hash(found[1])) if found else None
        if record is None or self._is_over(record):
            raise _unauthenticated("The API token is not known, or no longer.", ', error="invalid_token"')
        return record

    def _is_over(self, record: TokenRecord) -> bool:
        return record.expires_ms is not None and self._now_ms() >= record.expires_ms

    async def _record(self, digest: str) -> TokenRecord | None:
        cached, until_s = self._cache.get(digest, (None, 0.0))
        if cached is not None and self._clock() < until_s:
            return cached
        self._cache.pop(digest, None)
        record = await self._lookup(digest)
        if record is not None:
            if len(self._cache) >= CACHE_SIZE:
                del self._cache[next(iter(self._cache))]
            self._cache[digest] = (record, self._clock() + CACHE_S)
        return record


def token_hash(token: str) -> str:
    """The hash by which the store knows a token: SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def admin_token(data_folder: Path) -> str:
    """The operator's token of this data folder; made on first use, in a file that only its owner reads.

    `BadTokenFile` when the file holds something else; OSError when the folder cannot be written.
    """
    path = data_folder / TOKEN_FILE
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(32))
    token = path.read_text("ascii", "replace").strip()
    if not _TOKEN.fullmatch(token):
        raise BadTokenFile(f"{path} does not hold an API token: delete it, and a new one is made")
    if path.stat().st_mode & 0o077:
        _log.warning("others may read the admin token: chmod 600", path=str(path))
    return token


def operator_record(name: str, now_ms: int, digest: str = "") -> TokenRecord:
    """The record to register an operator's token with: `store.register_token(token_hash(token), record)`. By its id, which
    follows from the `digest`, it can be taken back."""
    return TokenRecord(id=digest[:ID_LENGTH], name=name, grant=EVERYTHING, created_ms=now_ms)


def _write_once(path: Path, token: str) -> None:
    """Whole or not at all, and the first writer wins: a link, unlike a rename, replaces nothing."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "w") as stream:
            stream.write(token + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _unauthenticated(detail: str, error: str) -> Problem:
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": f'Bearer realm="seatd"{error}'})
