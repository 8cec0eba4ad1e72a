"""The addresses that clients connect from, and whether this process can hold so many connections."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from loadtest.clients.errors import BadSources
from seatd import descriptors

MOST_SOURCES = 1024
KEPT = 100
"""Descriptors for all that is no client: the event loop, pipes, the report."""
PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def addresses(given: Sequence[str]) -> tuple[str, ...]:
    """Single addresses, and ranges such as `127.0.0.2-127.0.0.9`, each once. Raises `BadSources`."""
    return tuple(dict.fromkeys(one for text in given for one in _range(text)))


def _range(text: str) -> list[str]:
    first, _, last = text.partition("-")
    begin, end = _address(first), _address(last or first)
    number = int(end) - int(begin) + 1
    if type(begin) is not type(end) or not 1 <= number <= MOST_SOURCES:
        raise BadSources(f"{text} is no range of 1 to {MOST_SOURCES:,} addresses")
    return [str(begin + place) for place in range(number)]


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text.strip())
    except ValueError:
        raise BadSources(f"{text.strip()!r} is no IP address") from None


def check_here(sources: Sequence[str]) -> None:
    """Raises `BadSources` when one of them is not this machine's: the client that tries first comes from one only."""
    for source in sources:
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        try:
            with socket.socket(family) as wire:
                wire.bind((source, 0))
        except OSError as error:
            raise BadSources(f"nobody can connect from {source} here: {error.strerror}") from None


def check_room(clients: int, sources: Sequence[str]) -> None:
    """Raises `BadSources` when there are fewer descriptors or ports than clients."""
    descriptors.raise_limit()
    if clients + KEPT > descriptors.limit():
        raise BadSources(
            f"{clients:,} clients need as many descriptors, and this process may have {descriptors.limit():,}: raise it "
            f"(`ulimit -n`), or run several load testers"
        )
    if clients > (room := _ports() * max(1, len(sources))):
        raise BadSources(
            f"{clients:,} clients need as many ports, and there are {room:,}: give more addresses to connect from, such "
            f"as --source 127.0.0.2-127.0.0.9"
        )


def _ports() -> int:
    """Of one address, towards one server."""
    try:
        low, high = map(int, PORTS.read_text().split())
    except (OSError, ValueError):
        return 16_384  # what IANA sets apart for it
    return high - low + 1
