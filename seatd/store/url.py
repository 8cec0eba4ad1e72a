"""How a store is named: the kinds of URL there are, and those that name several hosts taken apart.

unix:///PATH   redis://HOST[:PORT][/DB]   rediss://HOST[:PORT][/DB]          one server
redis+sentinel://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT].../NAME             the primary that these sentinels name
redis+cluster://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]...                   a cluster that these servers belong to
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

SENTINEL = "redis+sentinel"
CLUSTER = "redis+cluster"
ONE_SERVER = ("unix", "redis", "rediss")
SEVERAL_HOSTS = (SENTINEL, CLUSTER)
DEFAULT_PORTS = {SENTINEL: 26379, CLUSTER: 6379}
FORMS = (
    "unix:///PATH, redis://HOST, rediss://HOST, redis+sentinel://HOST,HOST/NAME or redis+cluster://HOST,HOST"
)

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:/?#\[\]@]+))(?::([0-9]{1,5}))?")

Address = tuple[str, int]
"""Host and port."""


class SeveralHosts(NamedTuple):
    """A store that is found by asking any of `hosts`. `user` and `password` are the store's own, None where there is none;
    `name` is what the sentinels call the primary."""

    hosts: tuple[Address, ...]
    user: str | None
    password: str | None
    name: str


def scheme(url: str) -> str:
    """The kind of store that a URL names: what stands before `://`; "" when that is missing."""
    kind, sign, _ = url.partition("://")
    return kind if sign else ""


def several_hosts(url: str) -> SeveralHosts:
    """A `redis+sentinel://` or `redis+cluster://` URL taken apart. Raises ValueError, in one sentence and without the URL."""
    kind, _, rest = url.partition("://")
    # By hand, since the standard library knows one host only. A password may hold any sign, so it ends at the last `@`.
    credentials, _, place = rest.rpartition("@")
    user, _, password = credentials.partition(":")
    hosts, _, name = place.partition("/")
    found = SeveralHosts(
        hosts=tuple(_address(host, DEFAULT_PORTS[kind]) for host in hosts.split(",")),
        user=unquote(user) or None,
        password=unquote(password) or None,
        name=unquote(name.strip("/")),
    )
    if kind == SENTINEL and not found.name:
        raise ValueError(f"{kind}:// needs the primary's name: {kind}://HOST:PORT,HOST:PORT/NAME")
    if kind == CLUSTER and found.name:
        raise ValueError(f"{kind}:// takes no path: a cluster has one database")
    return found


def weakness(url: str) -> str:
    """How somebody else might come at the store, in one sentence without the URL; "" when it is not known how."""
    kind = scheme(url)
    if kind == "unix":
        return ""
    if kind in SEVERAL_HOSTS:
        found = several_hosts(url)
        hosts, has_password = [host for host, _ in found.hosts], found.password is not None
    else:
        parts = urlsplit(url)
        hosts = [parts.hostname or "localhost"]
        has_password = bool(parts.password or parse_qs(parts.query).get("password"))
    if not has_password:
        return "it is asked without a password: whoever reaches it may take seats and give them away"
    if kind != "rediss" and not all(map(_is_here, hosts)):
        return "its password and all that it is told travel unencrypted: others may read and change them on the way"
    return ""


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(host: str, default_port: int) -> Address:
    found = _HOST.fullmatch(host)
    port = int(found[3] or default_port) if found else 0
    if found is None or not 0 < port < 65536:
        raise ValueError("each host must be HOST or HOST:PORT, several are parted by commas")
    return found[1] or found[2], port
