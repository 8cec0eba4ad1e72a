"""From a store URL to a client of it, set up so that no call is ever made twice behind our back."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

SENTINEL_PORT = 26379


class ConnectOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How long a script call and a connection attempt may take, in seconds."""

    timeout_s: float = 1.5
    connect_timeout_s: float = 0.5


def connect(url: str, options: ConnectOptions) -> Redis:
    """A client for script calls. redis-py would repeat a call that timed out, and a stalled server then runs it twice."""
    return _client(url, options, socket_timeout=options.timeout_s)


def subscriber(url: str, options: ConnectOptions) -> Redis:
    """A client for listening: it waits without limit for the next message."""
    keepalive = {} if url.startswith("unix") else {"socket_keepalive": True}
    return _client(url, options, socket_timeout=None, **keepalive)


def _client(url: str, options: ConnectOptions, **more: Any) -> Redis:
    settings: dict[str, Any] = {
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": options.connect_timeout_s,
        "health_check_interval": 0,
        **more,
    }
    if url.startswith("redis+sentinel:"):
        return _behind_sentinel(url, options, settings)
    return Redis.from_url(url, **settings)


def _behind_sentinel(url: str, options: ConnectOptions, settings: dict[str, Any]) -> Redis:
    """A client of whatever server the sentinels name as the primary, asked anew with every new connection.

    User and password in the URL are the store's; the sentinels are asked without.
    """
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        [_address(host) for host in hosts.split(",")],
        sentinel_kwargs={
            "retry": Retry(NoBackoff(), 0),
            "socket_timeout": options.connect_timeout_s,
            "socket_connect_timeout": options.connect_timeout_s,
        },
    )
    settings |= {"username": unquote(user) or None, "password": unquote(password) or None}
    client: Redis = sentinel.master_for(parts.path.strip("/"), **settings)
    return client


def _address(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    return parts.hostname or "", parts.port or SENTINEL_PORT
