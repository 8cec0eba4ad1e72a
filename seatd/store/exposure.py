"""Whether others could do to the store what only seatd should: no password, no TLS, an engine with known holes.

Whoever can write to the store decides who has which seat; nothing that seatd does later can mend that.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from redis import exceptions
from redis.asyncio import Redis, SSLConnection

from seatd.store.pipeline import AWAY

Version = tuple[int, ...]

MENDED: dict[str, tuple[Version, ...]] = {
    "Valkey": ((7, 2, 11), (8, 0, 6), (8, 1, 4), (9, 0, 0)),
    "Redis": ((6, 2, 20), (7, 2, 11), (7, 4, 6), (8, 0, 4), (8, 2, 2)),
}
"""The first versions of each line in which Lua scripts cannot run code in the engine any more (CVE-2025-49844)."""


async def exposure(server: Redis) -> set[str]:
    """What is unwise about how a server can be reached, a sentence each."""
    settings = server.connection_pool.connection_kwargs
    found = {_without_password(settings), _without_tls(server), _old(await _info(server))}
    return found - {""}


def _without_password(settings: dict[str, Any]) -> str:
    """We came in without one, so others do, too. (A Unix socket is guarded by the rights of its file.)"""
    if settings.get("path") or settings.get("password") or settings.get("credential_provider"):
        return ""
    return "the store asks for no password: whoever reaches it has every seat; give seatd a user of its own"


def _without_tls(server: Redis) -> str:
    pool = server.connection_pool
    host = pool.connection_kwargs.get("host", "")
    if not host or issubclass(pool.connection_class, SSLConnection) or _is_local(host):
        return ""
    return "the store is reached without TLS (redis://): what goes there can be read and changed on the way"


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _old(info: dict[str, Any]) -> str:
    name = "Valkey" if "valkey_version" in info else "Redis"
    text = str(info.get("valkey_version") or info.get("redis_version") or "")
    if not text or is_mended(name, text):
        return ""
    return (
        f"{name} {text} lets scripts run code in it (CVE-2025-49844), unless your distribution has mended that: whoever may "
        "run a script there owns it"
    )


def is_mended(name: str, text: str) -> bool:
    """Whether a version is one of those without that hole; what is no version is taken for one."""
    try:
        version = tuple(int(part) for part in text.split(".")[:3])
    except ValueError:
        return True
    lines = MENDED[name]
    same = [first for first in lines if first[:2] == version[:2]]
    return version >= (same[0] if same else lines[-1])


async def _info(server: Redis) -> dict[str, Any]:
    try:
        return dict(await server.info("server"))
    except AWAY:
        raise
    except exceptions.ResponseError:  # not every server lets us look
        return {}
