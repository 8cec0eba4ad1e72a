"""What a server says of its cluster: who has which slots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from seatd.store.url import Address

QUESTION = ("CLUSTER", "SLOTS")


class ClusterMap(NamedTuple):
    """`primaries`: by slot, None where nobody has it. `members`: all servers, each once, replicas too."""

    primaries: list[Address | None]
    members: tuple[Address, ...]

    @classmethod
    def unknown(cls) -> ClusterMap:
        """What is known before anybody was asked."""
        return cls([None] * REDIS_CLUSTER_HASH_SLOTS, ())

    @classmethod
    def read(cls, rows: Iterable[Any], asked: Address) -> ClusterMap:
        """The answer of the server `asked` to `QUESTION`: first slot, last slot, primary, replicas, in every row."""
        found = cls.unknown()
        members: dict[Address, None] = {}
        for first, last, *servers in rows:
            addresses = [address_of(server[0], server[1], asked) for server in servers]
            members |= dict.fromkeys(addresses)
            found.primaries[first : last + 1] = addresses[:1] * (last + 1 - first)
        return cls(found.primaries, tuple(members))


def address_of(host: bytes | str | None, port: int, asked: Address) -> Address:
    """An address as a server tells it. One that does not know its own host leaves it out: it is where it was asked."""
    text = host.decode() if isinstance(host, bytes) else host
    return (text if text and text != "?" else asked[0]), port


def slot_of(key: str) -> int:
    """The slot of a key: what stands in its hash tag decides."""
    return key_slot(key.encode())
