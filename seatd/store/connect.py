"""From a store URL to a client of it, set up so that no call is ever made twice behind our back."""

from __future__ import annotations

from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from seatd.store.sentinel import behind_sentinels
from seatd.store.url import ONE_SERVER, SENTINEL, scheme, several_hosts


class ConnectOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How long a script call and a connection attempt may take, in seconds."""

    timeout_s: float = 1.5
    connect_timeout_s: float = 0.5


def connect(url: str, options: ConnectOptions) -> Redis:
    """A client for script calls. redis-py would repeat a call that timed out, and a stalled server then runs it twice.

    Raises ValueError for a URL that names no store.
    """
    return _client(url, options, socket_timeout=options.timeout_s)


def subscriber(url: str, options: ConnectOptions) -> Redis:
    """A client for listening: it waits without limit for the next message."""
    keepalive = {} if scheme(url) == "unix" else {"socket_keepalive": True}
    return _client(url, options, socket_timeout=None, **keepalive)


def _client(url: str, options: ConnectOptions, **more: Any) -> Redis:
    settings = {
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": options.connect_timeout_s,
        "health_check_interval": 0,
        **more,
    }
    if scheme(url) in ONE_SERVER:
        return Redis.from_url(url, **settings)
    if scheme(url) == SENTINEL:
        return behind_sentinels(several_hosts(url), settings, ask_timeout_s=options.connect_timeout_s)
    raise ValueError(f"there is no {scheme(url)}:// store")
