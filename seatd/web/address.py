"""Where a call comes from, also when a proxy stands before the listener."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from aiohttp import web

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
REMEMBERED = 10_000
"""Addresses of which is remembered whether they are a proxy's: each is asked about several times for one connection."""
PROXIES = web.AppKey("proxies", tuple[Network, ...])


def networks(proxies: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks as they are configured. Raises ValueError."""
    return tuple(ipaddress.ip_network(text) for text in proxies)


def address_of(request: web.Request) -> str:
    """The address of whoever calls: what the nearest of our own proxies says of it. What others write into
    `X-Forwarded-For` does not count."""
    address = request.remote or ""
    hops = [hop for line in request.headers.getall("X-Forwarded-For", []) for hop in line.split(",")]
    for hop in reversed(hops):
        if not is_within(address, request.app[PROXIES]):
            break
        told = _plain(hop)
        if told is None:
            break
        address = told
    return address


@lru_cache(REMEMBERED)
def is_within(address: str, proxies: tuple[Network, ...]) -> bool:
    """Whether an address is one of these."""
    plain = _plain(address)
    return plain is not None and any(ipaddress.ip_address(plain) in network for network in proxies)


def _plain(text: str) -> str | None:
    """An address without port, brackets and zone; None: it is none."""
    text = text.strip()
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
