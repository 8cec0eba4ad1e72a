"""Attempts to sign in, counted for all nodes together: see `lua/attempt.lua` for the rule."""

from __future__ import annotations

import hashlib
import ipaddress

from seatd.store.verbs import Verbs


class AttemptVerbs(Verbs):
    """Throttling of sign-ins, and one-time codes that are good once."""

    async def attempt(self, name: str, address: str, *, at_ms: int) -> int:
        """Counts an attempt as failed before it is made; 0: it may be made. Otherwise nobody may, for so many milliseconds."""
        answer = await self.call_deployment("attempt", who=_who(name), origin=origin_of(address), at_ms=at_ms)
        return 0 if answer.word == "go" else max(1, int(answer.body["wait_ms"]))

    async def forgive(self, name: str, address: str) -> None:
        """The attempt that was counted last has not failed."""
        await self.call_deployment("forgive", who=_who(name), origin=origin_of(address))

    async def use_code(self, name: str, step: int) -> bool:
        """Uses up the one-time code of this time step, and all before it. False: it was used up already."""
        return (await self.call_deployment("use_code", who=_who(name), step=step)).word == "fresh"


def _who(name: str) -> str:
    """Hashed: it happens that people type a password where the name belongs."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def origin_of(address: str) -> str:
    """The address; of IPv6 its network, for whoever has one address there has all."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
