"""The users of a customer, as administrators keep them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Literal

import msgpack
import msgspec

from seatd.store.agencies import AgencyVerbs
from seatd.store.ahead import scanned_ahead
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
        key = self._of("users", customer)

        async def scan(cursor: int) -> tuple[int, dict[str, bytes]]:
            following, found = await self.pipeline.command("HSCAN", key, cursor, "COUNT", USERS_AT_ONCE)
            return int(following), {name.decode(): text for name, text in found.items()}

        async for portion in scanned_ahead(scan):
            yield portion

    async def user(self, customer: str, user: str) -> UserRecord | None:
        """One user; None: there is none such."""
        text = await self.pipeline.command("HGET", self._of("users", customer), user)
        return None if text is None else user_of(text)

    async def assignments_of(self, customer: str, user: str) -> list[str]:
        """The nominal licenses that a user has."""
        licenses = await self.pipeline.command("HKEYS", self._of("licenses", customer))
        names = sorted(name.decode() for name in licenses)
        assigned = self._of("assignments", customer)
        scores = await self.pipeline.commands(("ZSCORE", assigned, f"{name}\0{user}") for name in names)
        return [name for name, score in zip(names, scores, strict=True) if score is not None]

    async def assigned_to(self, customer: str, users: Iterable[str]) -> dict[str, list[str]]:
        """The nominal licenses that each of these users has."""
        names = list(users)
        if not names:
            return {}
        licenses = sorted(await self.pipeline.command("HKEYS", self._of("licenses", customer)))
        key = self._of("assignments", customer)
        answers = await self.pipeline.commands(
            ("ZMSCORE", key, *(license_ + b"\0" + name.encode() for name in names)) for license_ in licenses
        )
        found: dict[str, list[str]] = {name: [] for name in names}
        for license_, scores in zip(licenses, answers, strict=True):
            for name, score in zip(names, scores, strict=True):
                if score is not None:
                    found[name].append(license_.decode())
        return found

    async def has_session(self, customer: str, users: Iterable[str]) -> dict[str, bool]:
        """Which of these users are online now."""
        key = self._of("by_user", customer)
        names = list(users)
        counts = await self.pipeline.commands(
            ("ZLEXCOUNT", key, f"[{name}\0", f"({name}\1") for name in names
        )
        return {name: count > 0 for name, count in zip(names, counts, strict=True)}

    async def seats_of(self, customer: str, users: Iterable[str]) -> dict[str, list[str]]:
        """The licenses of which each of these users has a seat now, on whatever device."""
        names = list(users)
        by_user, sessions = self._of("by_user", customer), self._of("sessions", customer)
        members = await self.pipeline.commands(
            ("ZRANGEBYLEX", by_user, f"[{name}\0", f"({name}\1") for name in names
        )
        owners = [
            (name, one.partition(b"\0")[2]) for name, own in zip(names, members, strict=True) for one in own
        ]
        records = await self.pipeline.commands(("HGET", sessions, session) for _, session in owners)
        held: dict[str, set[str]] = {name: set() for name in names}
        for (name, _), packed in zip(owners, records, strict=True):
            if packed is not None and (record := msgpack.unpackb(packed))["state"] != "draining":
                held[name].update(seat["license"] for seat in record["seats"])
        return {name: sorted(licenses) for name, licenses in held.items()}

    async def is_covered(self, customer: str, domain: str) -> bool:
        """Whether one of the customer's licenses names the domain."""
        records = await self.pipeline.command("HVALS", self._of("licenses", customer))
        return any(domain in msgpack.unpackb(record)["domains"] for record in records)
