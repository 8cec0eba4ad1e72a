"""How many connections one address has, so that no single one takes the room of all others.

An address is that of IPv4, or a /64 of IPv6: whoever has one address there has all. What comes from this machine itself is not
counted: it is the operator's own, or a proxy, whose clients are counted once it is named in `clients.proxies`.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from functools import lru_cache

from aiohttp import web

from seatd.hub.rate import Bucket
from seatd.store.attempts import origin_of
from seatd.web.address import PROXIES, Network, address_of, is_within

TOO_MANY = "too many connections come from your address"
"""What goes with the 429."""


MOST_RATES = 10_000


class Stay:
    """One connection's place in a crowd, given back at the end. (Each socket has some: an `ExitStack` takes 0.7 KiB.)"""

    __slots__ = ("_crowd", "_place")

    def __init__(self) -> None:
        self._crowd: Crowd | None = None
        self._place = ""

    def begin(self, crowd: Crowd, place: str) -> None:
        """It is counted there from now on."""
        self._crowd, self._place = crowd, place

    def close(self) -> None:
        """It is counted no more."""
        if self._crowd is not None:
            self._crowd.leave(self._place)
            self._crowd = None

    def __enter__(self) -> Stay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Crowd:
    """Counts by address; no more than `most` each. With `per_s` no more new ones a second in the long run, after as many at
    once as there may be: who comes, is closed, and comes again is as much work as one who stays."""

    def __init__(self, most: int, per_s: float = 0.0) -> None:
        self._most = most
        self._per_s = per_s
        self._counts: Counter[str] = Counter()
        self._rates: dict[str, Bucket] = {}

    def admits(self, place: str, stay: Stay) -> bool:
        """Whether one more may come; it then is here until `stay` is closed. "" is not counted."""
        if not place:
            return True
        if self._counts[place] >= self._most or not self._is_slow(place):
            return False
        self._counts[place] += 1
        stay.begin(self, place)
        return True

    def _is_slow(self, place: str) -> bool:
        if not self._per_s:
            return True
        if place not in self._rates:
            if len(self._rates) >= MOST_RATES:  # the oldest: it has come to its rest long ago, or comes anew
                del self._rates[next(iter(self._rates))]
            self._rates[place] = Bucket(self._per_s, self._most)
        return self._rates[place].take()

    def leave(self, place: str) -> None:
        """One less."""
        self._counts[place] -= 1
        if not self._counts[place]:
            del self._counts[place]

    def __len__(self) -> int:
        return len(self._counts)


CONNECTED = web.AppKey("connected", Crowd)
SILENT = web.AppKey("silent", Crowd)


def peer_of(address: str | None, proxies: tuple[Network, ...]) -> str:
    """What a connection is counted as before it has said anything; "": not at all, for it may be a proxy's."""
    return "" if not address or is_within(address, proxies) else _place(address)


def place_of(request: web.Request) -> str:
    """What a request is counted as, also when it comes through one of our proxies."""
    return _place(address_of(request))


def behind_proxy(request: web.Request) -> str:
    """The same, where the connection itself has not been counted already."""
    return place_of(request) if is_within(request.remote or "", request.app[PROXIES]) else ""


@lru_cache(maxsize=MOST_RATES)
def _place(address: str) -> str:
    try:
        return "" if ipaddress.ip_address(address.partition("%")[0]).is_loopback else origin_of(address)
    except ValueError:
        return ""
