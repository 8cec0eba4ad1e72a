"""The users of a customer, as administrators keep them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Literal

import msgpack
import msgspec

from seatd.store.agencies import AgencyVerbs
from seatd.store.hashes import fields_of
from seatd.store.values import Value

USERS_AT_ONCE = 400
"""Read in one command. Between two of them others have their turn, here and in the store."""
UserRole = Literal["owner", "admin", "supervisor", "agent"]


class UserRecord(Value, frozen=True, kw_only=True):
    """What is kept of a user, but for the name. `extension`: the one that it is provisioned on, "" for none."""

    name: str = ""
    role: UserRole = "agent"
    groups: tuple[str, ...] = ()
    extension: str = ""
    created_ms: int = 0


user_of = msgspec.json.Decoder(UserRecord).decode
"""A user as the store keeps it."""


class PeopleVerbs(AgencyVerbs):
    """Users. They are changed by `amend`, place `users`."""

    async def users(self, customer: str) -> AsyncIterator[dict[str, bytes]]:
        """All users of a customer by `name@domain`, some at a time; one who is changed meanwhile may come twice.

        Each is told as it is kept (see `user_of`): of a hundred thousand a page shows fifty.
        """
        cursor = 0
        while True:
            key = self._of("users", customer)
            cursor, found = await self.pipeline.command("HSCAN", key, cursor, "COUNT", USERS_AT_ONCE)
            yield {name.decode(): text for name, text in fields_of(found).items()}
            if not int(cursor):
                return

    async def user(self, customer: str, user: str) -> UserRecord | None:
        """One user; None: there is none such."""
        text = await self.pipeline.command("HGET", self._of("users", customer), user)
        return None if text is None else user_of(text)

    async def assignments_of(self, customer: str, user: str) -> list[str]:
        """The nominal licenses that a user has."""
        licenses = await self.pipeline.command("HKEYS", self._of("licenses", customer))
        names = sorted(name.decode() for name in licenses)
        assigned = self._of("assignments", customer)
        scores = await asyncio.gather(
            *(self.pipeline.command("ZSCORE", assigned, f"{name}\0{user}") for name in names)
        )
        return [name for name, score in zip(names, scores, strict=True) if score is not None]

    async def has_session(self, customer: str, users: Iterable[str]) -> dict[str, bool]:
        """Which of these users are online now."""
        key = self._of("by_user", customer)
        names = list(users)
        counts = await asyncio.gather(
            *(self.pipeline.command("ZLEXCOUNT", key, f"[{name}\0", f"({name}\1") for name in names)
        )
        return {name: count > 0 for name, count in zip(names, counts, strict=True)}

    async def is_covered(self, customer: str, domain: str) -> bool:
        """Whether one of the customer's licenses names the domain."""
        records = await self.pipeline.command("HVALS", self._of("licenses", customer))
        return any(domain in msgpack.unpackb(record)["domains"] for record in records)
