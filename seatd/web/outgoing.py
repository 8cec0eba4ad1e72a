"""Where requests may go to that somebody else than the operator has asked for.

The address is looked at when the socket for it is made, so it is the very one that is connected to: no name that answers
differently the second time, no odd way to write an address, and no redirect (none is followed) leads anywhere else.
"""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from seatd.hub.jwks import refused_address

_URL = re.compile(r"https?://[\x21-\x7e]{1,1990}")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
AddressInfo = tuple[Any, ...]
"""Family, type, protocol, canonical name, and the socket's address (its first part is the IP address)."""


class Refused(OSError):
    """The request would have gone to an address that it may not go to."""


def may_reach(address: str, *, allow_private: bool) -> bool:
    """Whether a request may go to this IP address: public, or inside when that is allowed; never link-local, metadata services
    or multicast. What cannot be read as an address is refused."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return all(_may_reach(one, allow_private) for one in (ip, *_inside(ip)))


def socket_maker(*, allow_private: bool) -> Callable[[AddressInfo], socket.socket]:
    """Makes sockets for aiohttp's connector; raises `Refused` for addresses that may not be reached."""

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not may_reach(str(address[0]), allow_private=allow_private):
            raise Refused(errno.EACCES, "the host has an address that may not be reached from here")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make


def url_fault(url: str, *, allow_private: bool, allow_http: bool) -> str:
    """Why nothing may be sent to this URL; "": it may, as far as one can tell without asking for the host's address."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not a URL"
    if not _URL.fullmatch(url) or not host or parts.username is not None or parts.fragment:
        return "must be https://HOST[:PORT]/PATH, without user and fragment"
    address = _address(host)
    if parts.scheme == "http" and not allow_http and not (host == "localhost" or _is_loopback(address)):
        return "must be https"
    if host == "localhost" and not allow_private:
        return "leads to an address that may not be reached from here"
    if address is not None and not may_reach(str(address), allow_private=allow_private):
        return "leads to an address that may not be reached from here"
    return ""


def _may_reach(ip: Address, allow_private: bool) -> bool:
    if refused_address(str(ip)):
        return False
    if ip.is_global and (ip in _NAT64 or not ip.is_reserved):
        return True
    return allow_private and (ip.is_loopback or not ip.is_reserved)


def _inside(ip: Address) -> list[Address]:
    """The IPv4 addresses to which an IPv6 address may lead."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    nat64 = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
    teredo = ip.teredo or (None, None)
    return [one for one in (ip.sixtofour, *teredo, nat64) if one is not None]


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(address: Address | None) -> bool:
    return address is not None and address.is_loopback
