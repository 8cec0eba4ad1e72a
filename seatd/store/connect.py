"""From a store URL to a client of it, set up so that no call is ever made twice behind our back."""

from __future__ import annotations

from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from seatd.store.cluster import Cluster
from seatd.store.roaming import anywhere
from seatd.store.sentinel import behind_sentinels
from seatd.store.url import CLUSTER, FORMS, ONE_SERVER, SENTINEL, scheme, several_hosts


class ConnectOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How long a script call and a connection attempt may take, in seconds."""

    timeout_s: float = 1.5
    connect_timeout_s: float = 0.5


Client = Redis | Cluster
"""What script calls go over."""


def connect(url: str, options: ConnectOptions) -> Client:
    """A client for script calls. redis-py would repeat a call that timed out, and a stalled server then runs it twice.

    Raises ValueError for a URL that names no store.
    """
    settings = _settings(options) | {"socket_timeout": options.timeout_s}
    if scheme(url) == CLUSTER:
        return Cluster(several_hosts(url), settings, patience_s=options.timeout_s)
    return _client(url, options, settings)


def subscriber(url: str, options: ConnectOptions) -> Redis:
    """A client for listening: it waits without limit for the next message."""
    keepalive = {} if scheme(url) == "unix" else {"socket_keepalive": True}
    settings = _settings(options) | {"socket_timeout": None} | keepalive
    if scheme(url) == CLUSTER:
        return anywhere(several_hosts(url), settings)
    return _client(url, options, settings)


def _settings(options: ConnectOptions) -> dict[str, Any]:
    return {
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": options.connect_timeout_s,
        "health_check_interval": 0,
    }


def _client(url: str, options: ConnectOptions, settings: dict[str, Any]) -> Redis:
    if scheme(url) == SENTINEL:
        return behind_sentinels(several_hosts(url), settings, ask_timeout_s=options.connect_timeout_s)
    if scheme(url) not in ONE_SERVER:
        raise ValueError(f"there is no {scheme(url)}:// store: {FORMS}")
    return Redis.from_url(url, **settings)
