"""Token keys from a JWKS URL: fetched seldom, kept long, replaced as a whole.

What an identity provider's key URL must not be able to do to us: be asked for each forged `kid`, block
sign-ins while it is slow or down, fill the memory, or lead the request to an address inside.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import structlog

from seatd.hub.token_keys import BadKey, TokenKey, jwk_set

MAX_BYTES = 256 * 1024
TIMEOUT_S = 5.0
RETRY_S = 30.0  # at most one fetch in this time, whatever tokens ask for
FRESH_S = 300.0  # a key that the provider removed is refused at most this long after
KEEP_S = 24 * 3600.0  # the last good set serves this long while the URL is down

# Cloud metadata services outside the link-local ranges: Alibaba, Azure wire server, AWS over IPv6.
_METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "fd00:ec2::254")))

Fetch = Callable[[str, int, float], Awaitable[bytes]]
"""`await fetch(url, max_bytes, timeout_s)` answers the body of a 200; `FetchFailed` otherwise.

It follows no redirect, reads no byte beyond `max_bytes`, and connects to no `refused_address`.
"""

_log = structlog.get_logger(__name__)


class FetchFailed(Exception):
    """The URL gave no usable answer; the text says why, in words fit for a log."""


def refused_address(address: str) -> bool:
    """Whether no request of ours may go to this IP address: link-local, metadata, multicast, unspecified."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _METADATA


def check_url(url: str) -> str:
    """The URL, when keys may be fetched from it: https, or http to this machine. `ValueError` if not."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or parts.username is not None or parts.fragment:
        raise ValueError("the JWKS URL needs a host, and neither a user nor a fragment")
    address = _address(host)
    loopback = host == "localhost" or (address is not None and address.is_loopback)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValueError("the JWKS URL must be https (http only to this machine)")
    if address is not None and refused_address(host):
        raise ValueError("the JWKS URL points to a link-local or metadata address")
    return url


class Jwks:
    """The key set behind one URL. `find` answers from memory; at most one fetch runs at a time.

    `clock` gives monotonic seconds. `ValueError` when the URL is not one that keys may come from.
    """

    def __init__(self, url: str, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = check_url(url)
        self._fetch = fetch
        self._clock = clock
        self._keys: tuple[TokenKey, ...] = ()
        self._fetched_s = float("-inf")
        self._tried_s = float("-inf")
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> tuple[TokenKey, ...]:
        """The present keys, fetched anew first when they are stale or none has this `kid`.

        Waits for a fetch at most `TIMEOUT_S`; while the URL is down, only when there is no key to go on with.
        """
        if self._age_s() >= FRESH_S:
            await self._refresh(wait=not self._failing or not self._current())
        if kid is not None and all(key.kid != kid for key in self._current()):
            await self._refresh(wait=True)
        return self._current()

    async def close(self) -> None:
        """End a fetch that is under way."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _age_s(self) -> float:
        return self._clock() - self._fetched_s

    def _current(self) -> tuple[TokenKey, ...]:
        return self._keys if self._age_s() < KEEP_S else ()

    async def _refresh(self, *, wait: bool) -> None:
        if self._task is None and self._clock() - self._tried_s >= RETRY_S:
            self._tried_s = self._clock()
            self._task = asyncio.create_task(self._load(), name="jwks")
            self._task.add_done_callback(self._done)
        if wait and self._task is not None:
            # Many callers share the task: one of them being cancelled must not end it for the others.
            await asyncio.shield(self._task)

    def _done(self, _task: asyncio.Task[None]) -> None:
        self._task = None

    async def _load(self) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                body = await self._fetch(self._url, MAX_BYTES, TIMEOUT_S)
            keys = _usable(body)
        except (FetchFailed, BadKey, OSError) as error:  # TimeoutError is an OSError
            self._failing = True
            _log.warning(
                "token keys not fetched", reason=str(error) or "no answer in time", kept=len(self._current())
            )
            return
        self._failing, self._keys, self._fetched_s = False, keys, self._clock()
        _log.info("token keys fetched", keys=len(keys))


def _usable(body: bytes) -> tuple[TokenKey, ...]:
    if len(body) > MAX_BYTES:
        raise FetchFailed(f"more than {MAX_BYTES} bytes")
    keys = jwk_set(body)
    if not keys:
        # A provider that loses its keys for a moment must not sign everybody out.
        raise FetchFailed("no usable key in the set")
    return keys


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
