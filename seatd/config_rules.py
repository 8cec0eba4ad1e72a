"""Which settings cannot stand together, and why.

The rule behind the times: a seat is never granted again while somebody may still rightly believe to hold it.
T is the node's lease, C the client's lease, G the linger time, R the recovery window, Z how long a deposed
primary of the store may go on accepting writes. The fixed spans (5 s and 4 s) pay for clocks that run
unevenly, for a client's last round trip and for the store's own time to answer.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from seatd.notation import Seconds, duration
from seatd.store.url import FORMS, ONE_SERVER, SEVERAL_HOSTS, scheme, several_hosts

if TYPE_CHECKING:  # the rules judge settings; the settings must not need the rules to exist
    from seatd.config import Settings

LINGER_MARGIN_S = 5.0
RECOVERY_MARGIN_S = 4.0
HS256_MIN_BYTES = 32  # RFC 7518, 3.2: at least the size of the hash
LEAST_OUTBOX_BYTES = 8192  # one frame of the largest size must fit
MOST_WORKERS = 64  # more than machines have cores to spare; each is a process, and a node in the store
MAY_BE_ZERO = {"cooldown_s", "store_grace_s", "leeway_s"}

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PAGE = re.compile(r"https?://[^\s/@?#]+/?")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^\s/]+")


class BrokenRule(NamedTuple):
    """The settings that a rule was broken by, and the sentence to tell."""

    settings: tuple[str, ...]
    text: str


def broken_rules(settings: Settings) -> Iterator[BrokenRule]:
    """Every rule that these settings break."""
    yield from _spans(settings)
    yield from _leases(settings)
    yield from _recovery(settings)
    yield from _amounts(settings)
    yield from _listeners(settings)
    yield from _store(settings)
    yield from _tokens(settings)
    yield from _name(settings)


def _name(settings: Settings) -> Iterator[BrokenRule]:
    node = settings.node
    text = "node.name: must be 1 to 64 letters, digits, dots, dashes and underscores"
    if not _NAME.fullmatch(node.name):
        yield BrokenRule(("node.name",), text)
    elif node.workers > 1 and not _NAME.fullmatch(worker_name(node.name, node.workers)):
        yield BrokenRule(("node.name", "node.workers"), f"{text}, together with the number of a worker")


def worker_name(name: str, number: int) -> str:
    """What a worker is called as a node."""
    return f"{name}-{number}"


def _spans(settings: Settings) -> Iterator[BrokenRule]:
    """Every duration is above zero, but for those that zero switches off."""
    for section in ("clients", "admin", "node", "sessions", "store", "tokens", "webhooks"):
        part = getattr(settings, section)
        for attribute in part.__struct_fields__:
            value = getattr(part, attribute)
            if isinstance(value, Seconds) and value <= 0 and attribute not in MAY_BE_ZERO:
                name = f"{section}.{attribute.removesuffix('_s')}"
                yield BrokenRule((name,), f"{name}: must be longer than 0s")


def _leases(settings: Settings) -> Iterator[BrokenRule]:
    node, sessions = settings.node, settings.sessions
    yield from _at_least(
        ("sessions.linger", "sessions.lease"),
        sessions.linger_s,
        sessions.lease_s + LINGER_MARGIN_S,
        "sessions.lease + 5s, or a seat is given away while its client may still use it",
    )
    yield from _at_least(
        ("node.lease", "sessions.linger", "sessions.beat", "sessions.lease"),
        node.lease_s + sessions.linger_s,
        sessions.beat_s + sessions.lease_s,
        "sessions.beat + sessions.lease, or a dead node's seats are given away too early",
        what="node.lease + sessions.linger",
    )
    yield from _at_least(
        ("node.lease", "node.renew"),
        node.lease_s,
        4 * node.renew_s,
        "4 x node.renew, or a few slow answers of the store cost the node its lease",
    )
    if sessions.lease_s <= 2 * sessions.beat_s:
        yield BrokenRule(
            ("sessions.lease", "sessions.beat"),
            f"sessions.lease ({duration(sessions.lease_s)}): must be longer than 2 x sessions.beat "
            f"({duration(2 * sessions.beat_s)}), or one lost beat costs a client its lease",
        )


def _recovery(settings: Settings) -> Iterator[BrokenRule]:
    store, node, sessions = settings.store, settings.node, settings.sessions
    yield from _at_least(
        ("store.recovery", "store.old_primary", "node.lease", "sessions.lease"),
        store.recovery_s,
        store.old_primary_s + node.lease_s + sessions.lease_s + RECOVERY_MARGIN_S,
        "store.old_primary + node.lease + sessions.lease + 4s, or grants resume before lost ones have ended",
    )
    yield from _at_least(
        ("sessions.tombstone", "sessions.linger", "store.recovery"),
        sessions.tombstone_s,
        sessions.linger_s + store.recovery_s,
        "sessions.linger + store.recovery, or an ended session could come back",
    )


def _at_least(
    names: tuple[str, ...], value: float, least: float, reason: str, *, what: str = ""
) -> Iterator[BrokenRule]:
    if value < least - 1e-9:  # sums of decimal fractions are not exact
        text = f"{what or names[0]} ({duration(value)}): must be at least {duration(least)}: {reason}"
        yield BrokenRule(names, text)


def _amounts(settings: Settings) -> Iterator[BrokenRule]:
    clients, sessions, store = settings.clients, settings.sessions, settings.store
    for name, value, least, most in (
        ("clients.max_sessions", clients.max_sessions, 1, 1_000_000),
        ("clients.max_hellos", clients.max_hellos, 2, 1_000_000),
        ("clients.per_address", clients.per_address, 1, 1_000_000),
        ("clients.silent_per_address", clients.silent_per_address, 1, 1_000_000),
        ("clients.connects_per_s", clients.connects_per_s, 0.1, 100_000),
        ("node.workers", settings.node.workers, 1, MOST_WORKERS),
        ("sessions.per_user", sessions.per_user, 1, 10_000),
        ("sessions.queue_limit", sessions.queue_limit, 1, 1_000),
        ("sessions.messages_per_s", sessions.messages_per_s, 0.1, 100_000),
        ("sessions.messages_burst", sessions.messages_burst, 1, 100_000),
        ("sessions.requests_at_once", sessions.requests_at_once, 1, 10_000),
        ("sessions.outbox_bytes", sessions.outbox_bytes, LEAST_OUTBOX_BYTES, 2**30),
        ("store.partitions", store.partitions, 1, 4096),
    ):
        if not least <= value <= most:
            yield BrokenRule((name,), f"{name}: must be from {least:,} to {most:,}")


def _listeners(settings: Settings) -> Iterator[BrokenRule]:
    clients, admin = settings.clients, settings.admin
    if clients.listen == admin.listen and clients.listen.port:
        text = f"clients.listen and admin.listen are both {clients.listen}: give each its own port"
        yield BrokenRule(("clients.listen", "admin.listen"), text)
    if (clients.tls_cert is None) != (clients.tls_key is None):
        text = "clients.tls_cert and clients.tls_key: give both, or neither"
        yield BrokenRule(("clients.tls_cert", "clients.tls_key"), text)
    if admin.public_url is not None and not _PAGE.fullmatch(admin.public_url):
        text = "admin.public_url: must be https://HOST[:PORT] (or http://...), with no path"
        yield BrokenRule(("admin.public_url",), text)
    for name, proxies in (("admin.proxies", admin.proxies), ("clients.proxies", clients.proxies)):
        if not all(map(_is_network, proxies)):
            text = f"{name}: each must be an address or a network, such as 10.0.0.5 or 10.0.0.0/24"
            yield BrokenRule((name,), text)
    for origin in clients.allowed_origins:
        if not _ORIGIN.fullmatch(origin):
            text = "clients.allowed_origins: each must be * or SCHEME://HOST[:PORT], with no path"
            yield BrokenRule(("clients.allowed_origins",), text)


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _store(settings: Settings) -> Iterator[BrokenRule]:
    if settings.store.url is None:
        return
    kind = scheme(settings.store.url)
    try:
        if kind in SEVERAL_HOSTS:
            several_hosts(settings.store.url)
            return
        parts = urlsplit(settings.store.url)
    except ValueError as error:
        text = str(error) if kind in SEVERAL_HOSTS else "is not a URL"
        yield BrokenRule(("store.url",), f"store.url: {text}")
        return
    place = parts.path if kind == "unix" else parts.netloc.rpartition("@")[2]
    if kind not in ONE_SERVER or not place:
        yield BrokenRule(("store.url",), f"store.url: must be {FORMS}")


def _tokens(settings: Settings) -> Iterator[BrokenRule]:
    tokens = settings.tokens
    if tokens.hs256_secret is not None and len(tokens.hs256_secret.encode()) < HS256_MIN_BYTES:
        text = f"tokens.hs256_secret: must be at least {HS256_MIN_BYTES} bytes (RFC 7518, 3.2)"
        yield BrokenRule(("tokens.hs256_secret",), text)
    if tokens.jwks_url is not None and not tokens.jwks_url.startswith(("https://", "http://")):
        yield BrokenRule(("tokens.jwks_url",), "tokens.jwks_url: must be an https:// address")
