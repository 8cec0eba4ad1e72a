"""From a store URL to a client of it, set up so that no call is ever made twice behind our back."""

from __future__ import annotations

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

SCHEMES = ("unix", "redis", "rediss")


class ConnectOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How long a script call and a connection attempt may take, in seconds."""

    timeout_s: float = 1.5
    connect_timeout_s: float = 0.5


def connect(url: str, options: ConnectOptions) -> Redis:
    """A client for script calls. redis-py would repeat a call that timed out, and a stalled server then runs it twice.

    Raises ValueError for a kind of store that this version does not serve.
    """
    scheme = url.partition(":")[0]
    if scheme not in SCHEMES:
        raise ValueError(f"this version serves no {scheme}:// store: name one by {', '.join(SCHEMES)}")
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=options.timeout_s,
        socket_connect_timeout=options.connect_timeout_s,
        health_check_interval=0,
    )


def subscriber(url: str, options: ConnectOptions) -> Redis:
    """A client for listening: it waits without limit for the next message."""
    keepalive = {} if url.startswith("unix") else {"socket_keepalive": True}
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,
        socket_connect_timeout=options.connect_timeout_s,
        health_check_interval=0,
        **keepalive,
    )
