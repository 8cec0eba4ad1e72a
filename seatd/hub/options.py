"""What the hub may be told; the defaults are the design's."""

from __future__ import annotations

import math

import msgspec


class HubOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds unless the name says otherwise.

    `lease_s`/`renew_s`: the node's lease in a partition and how often it is renewed. `beat_s`, `client_lease_s`, `linger_s`:
    as told to clients in `welcome`. `store_grace_s`: how long clients are kept while the store is away; with `strict` not
    beyond the node's lease. `max_connections`: sockets that there are descriptors for.
    `max_lag_s`: how late the event loop may be, `max_hellos`: how many hellos may wait, before newcomers are
    sent away.
    `requests_at_once`: of one customer beside others, before its further ones wait.
    `outbox_bytes`: what may wait for a slow reader before its socket is closed. `ack_s`: how long a
    client has for its `ack` of a forced logout. `name` is what clients and administrators see, `node` the
    process's own id.
    """

    name: str
    node: str
    lease_s: float = 10.0
    renew_s: float = 2.5
    drain_s: float = 10.0
    beat_s: float = 8.0
    client_lease_s: float = 24.0
    linger_s: float = 30.0
    store_grace_s: float = 900.0
    strict: bool = False
    hello_timeout_s: float = 5.0
    ack_s: float = 2.0
    max_sessions: int = 15_000
    max_connections: int = 1_000_000
    max_lag_s: float = math.inf
    max_hellos: int = 10_000
    per_user: int = 20
    queue_limit: int = 200
    remember_s: float = 300.0
    audit_s: float = 10.0
    outbox_bytes: int = 131_072
    messages_per_s: float = 20.0
    burst: int = 40
    requests_at_once: int = 4
    token_warning_s: float = 60.0
    token_leeway_s: float = 30.0
