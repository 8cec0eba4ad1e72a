"""Passwords: Argon2id, off the event loop, and only so many at once."""

from __future__ import annotations

import asyncio
import base64
import os
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Struct

Answer = TypeVar("Answer")

SHORTEST, LONGEST = 12, 256
"""Characters. (NIST SP 800-63B-4 demands 8 beside a second factor and advises 15; length beats rules about characters.)"""


class Cost(Struct, frozen=True, kw_only=True):
    """What one hash costs. The defaults are OWASP's first choice for Argon2id: 19 MiB, 2 passes, 1 lane (OWASP Cheat Sheet
    Series, "Password Storage")."""

    memory_kib: int = 19 * 1024
    passes: int = 2
    lanes: int = 1


class Busy(Exception):
    """Too many passwords are being checked already; try again in a second."""


class Passwords:
    """Hashes and checks. Every check costs one hash, also one that can only fail; `done` counts them.

    `at_once` hash at the same time and `waiting` more may wait for them: beyond that `Busy`, so a flood of sign-ins costs
    neither the memory nor the time of the clients' sessions.
    """

    def __init__(self, cost: Cost | None = None, *, at_once: int = 2, waiting: int = 16) -> None:
        self.done = 0
        self._cost = cost or Cost()
        self._free = asyncio.Semaphore(at_once)
        self._room = at_once + waiting
        self._decoy = self._nobodys()

    async def hash(self, password: str) -> str:
        """The hash to keep (PHC string format)."""
        return await self._in_turn(self._hashed, _bytes(password))

    async def check(self, password: str, kept: str) -> bool:
        """Whether this is the password; `kept` "" is nobody's, and takes as long."""
        good = await self._in_turn(_fits, _bytes(password), kept or self._decoy)
        return good and bool(kept)

    def is_outdated(self, kept: str) -> bool:
        """Whether a hash was made at another cost than is asked for now."""
        cost = self._cost
        return f"$m={cost.memory_kib},t={cost.passes},p={cost.lanes}$" not in kept

    async def _in_turn(self, work: Callable[..., Answer], *given: object) -> Answer:
        if self._room <= 0:
            raise Busy
        self._room -= 1
        try:
            async with self._free:
                self.done += 1
                return await asyncio.to_thread(work, *given)
        finally:
            self._room += 1

    def _nobodys(self) -> str:
        """Looks like a hash at today's cost, and is the hash of nothing that anybody knows."""
        cost = self._cost
        salt, rest = (base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (16, 32))
        return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p={cost.lanes}${salt}${rest}"

    def _hashed(self, password: bytes) -> str:
        cost = self._cost
        made = Argon2id(
            salt=os.urandom(16),
            length=32,
            iterations=cost.passes,
            lanes=cost.lanes,
            memory_cost=cost.memory_kib,
        )
        return made.derive_phc_encoded(password)


def fault_of(password: str, name: str) -> str:
    """Why a new password is not good enough; "" when it is."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"must have {SHORTEST} to {LONGEST} characters"
    if len(set(password)) < 5:
        return "must have at least 5 different characters"
    if name.casefold() in password.casefold() or password.casefold() in name.casefold():
        return "must not be made of the name"
    return ""


def _fits(password: bytes, kept: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(password, kept)
    except InvalidKey:
        return False
    return True


def _bytes(password: str) -> bytes:
    """One spelling of what looks the same, whichever keyboard it came from."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
