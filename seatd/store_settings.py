"""What the store is told, out of the settings."""

from __future__ import annotations

from seatd.config import Settings
from seatd.store.connect import ConnectOptions
from seatd.store.verbs import StoreOptions


def connect_options(settings: Settings) -> ConnectOptions:
    """How long it may take."""
    options = settings.store
    return ConnectOptions(timeout_s=options.timeout_s, connect_timeout_s=options.connect_timeout_s)


def store_options(settings: Settings) -> StoreOptions:
    """The rules that its scripts go by."""
    return StoreOptions(
        partitions=settings.store.partitions,
        node_lease_ms=round(settings.node.lease_s * 1000),
        client_lease_ms=round(settings.sessions.lease_s * 1000),
        linger_ms=round(settings.sessions.linger_s * 1000),
        tomb_ms=round(settings.sessions.tombstone_s * 1000),
        recovery_ms=round(settings.store.recovery_s * 1000),
        old_primary_ms=round(settings.store.old_primary_s * 1000),
    )
