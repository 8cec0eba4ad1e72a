"""Extensions: made, changed and taken away with the nominal licenses that their users need for them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from seatd.licensing.catalog import Catalog
from seatd.licensing.extensions import Block, Extension, Site, Wrong, bought, faults_of_all, faults_of_change
from seatd.store.account_values import Account
from seatd.store.audit_values import Change, Deed
from seatd.store.keys import customer_key
from seatd.store.registry import RegistryVerbs
from seatd.store.registry_values import LicenseRow


class Provisioned(Extension, frozen=True, kw_only=True):
    """An extension as it is kept. `assigned`: ids of the nominal licenses that its user was given for it."""

    assigned: tuple[str, ...] = ()


Faults = list[tuple[int, Wrong]]
"""What is wrong: place in what was asked for, and the fault."""
Check = Callable[[Account, Provisioned, Provisioned | None], None]
"""Asked before an extension becomes another or (None) is taken away, as things stand then; raises what refuses it."""
MOST_FAULTS = 1000
"""So many are told; what comes after them is not looked at any more."""


class ExtensionVerbs(RegistryVerbs):
    """What administrators do with extensions. What does not fit changes nothing."""

    async def extensions(self, customer: str) -> dict[str, Provisioned]:
        """All extensions of a customer by their digits, in order of number."""
        found = await self.pipeline.command("HGETALL", self._extensions(customer))
        pairs = found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=True)
        return await asyncio.to_thread(_in_order, pairs)

    async def extension(self, customer: str, digits: str) -> Provisioned | None:
        """One extension of a customer; None: there is none such."""
        text = await self.pipeline.command("HGET", self._extensions(customer), digits)
        return None if text is None else msgspec.json.decode(text, type=Provisioned)

    async def some_extensions(self, customer: str, digits: Iterable[str]) -> dict[str, Provisioned]:
        """Those of these extensions that there are, by their digits."""
        names = list(digits)
        if not names:
            return {}
        texts = await self.pipeline.command("HMGET", self._extensions(customer), *names)
        there = ((name, text) for name, text in zip(names, texts, strict=True) if text is not None)
        return {name: msgspec.json.decode(text, type=Provisioned) for name, text in there}

    async def provision(
        self,
        customer: str,
        new: Sequence[Extension],
        catalog: Catalog,
        deed: Deed,
        *,
        check: Callable[[Account], None] = lambda account: None,
    ) -> Faults:
        """Makes extensions, all of them or none; why none. `check` refuses a customer as it stands at that moment."""
        faults: Faults = []

        async def decide() -> list[Change]:
            check(await self.account(customer))
            licenses = _Licenses(
                await self.registry([customer]), await self._assigned(customer), self.wall_ms()
            )
            site = await self._site(customer, licenses, catalog)
            faults[:] = await asyncio.to_thread(_faults, new, site, catalog)
            if faults:
                return []
            users = {extension.user: extension.extension for extension in new if extension.user}
            changes = await asyncio.to_thread(licenses.given_all, new)
            return [*changes, *await self._of_users(customer, users)]

        if await self.amend(customer, deed, decide):
            await self._changed(customer)
        return faults

    async def check_extensions(self, customer: str, new: Sequence[Extension], catalog: Catalog) -> Faults:
        """What stands in the way of making these."""
        licenses = _Licenses(await self.registry([customer]), set(), self.wall_ms())
        site = await self._site(customer, licenses, catalog)
        return await asyncio.to_thread(_faults, new, site, catalog)

    async def change_extension(
        self,
        customer: str,
        digits: str,
        fields: Mapping[str, Any],
        catalog: Catalog,
        deed: Deed,
        *,
        check: Check = lambda account, before, after: None,
    ) -> Provisioned | Faults | None:
        """The extension with another user, number or other add-ons; why not. None: there is no such extension."""
        answer: Provisioned | Faults | None = None

        async def decide() -> list[Change]:
            nonlocal answer
            answer = before = await self.extension(customer, digits)
            if before is None:
                return []
            after = replace(before, **fields)
            check(await self.account(customer), before, after)
            licenses = _Licenses(
                await self.registry([customer]), await self._assigned(customer), self.wall_ms()
            )
            site = await self._site(customer, licenses, catalog)
            if faults := await asyncio.to_thread(_faults_of_change, before, after, site, catalog):
                answer = faults
                return []
            answer, changes = licenses.exchanged(before, after)
            return [*changes, *await self._of_users(customer, {before.user: "", after.user: digits})]

        if await self.amend(customer, deed, decide):
            await self._changed(customer)
        return answer

    async def remove_extension(
        self,
        customer: str,
        digits: str,
        deed: Deed,
        *,
        check: Check = lambda account, before, after: None,
    ) -> bool:
        """Takes an extension away, and what its user was given for it. False: there is none such."""
        known = False

        async def decide() -> list[Change]:
            nonlocal known
            before = await self.extension(customer, digits)
            known = before is not None
            if before is None:
                return []
            check(await self.account(customer), before, None)
            users = await self._of_users(customer, {before.user: ""})
            returned = [pair for pair in _recorded(before) if await self._has(customer, *pair)]
            return [_field(digits, before, None), *_taken_back(returned), *users]

        if await self.amend(customer, deed, decide):
            await self._changed(customer)
        return known

    async def take_back(
        self, customer: str, made: Sequence[Extension], deed: Deed, *, is_sure: bool = True
    ) -> list[str]:
        """Takes away extensions that were just made, as far as they are still that; which ones others have changed.

        Not `is_sure`: it is not known whether they were made, all of them or none, so none goes where one is missing."""
        left: list[str] = []

        async def decide() -> list[Change]:
            there, assigned = await self.extensions(customer), await self._assigned(customer)
            found = [(each, there[each.extension]) for each in made if each.extension in there]
            if not is_sure and len(found) < len(made):
                return []
            left[:] = [each.extension for each, record in found if not _is_still(each, record)]
            gone = [record for each, record in found if _is_still(each, record)]
            users = await self._of_users(customer, {record.user: "" for record in gone})
            returned = {pair for record in gone for pair in _recorded(record)} & assigned
            return [
                *(_field(record.extension, record, None) for record in gone),
                *_taken_back(returned),
                *users,
            ]

        if await self.amend(customer, deed, decide):
            await self._changed(customer)
        return left

    async def unassign(self, customer: str, license: str, user: str, *, deed: Deed | None = None) -> bool:
        """Takes a nominal license back, for good: what is given by hand afterwards is the extension's no more."""
        if deed is None:
            return await super().unassign(customer, license, user)

        async def decide() -> list[Change]:
            if not await self._has(customer, license, user):
                return []
            return [*_taken_back({(license, user)}), *await self._forgotten(customer, license, user)]

        taken_back = await self.amend(customer, deed, decide)
        if taken_back:
            await self._announce(customer)
        return bool(taken_back)

    async def _forgotten(self, customer: str, license: str, user: str) -> Iterator[Change]:
        """The user's extension without what it was given of a license, when there is one."""
        digits = (await self.fact(customer, "users", user) or {}).get("extension")
        record = await self.fact(customer, "extensions", digits) if digits else None
        if record is None:
            return iter(())
        before = msgspec.convert(record, Provisioned)
        rest = tuple(each for each in before.assigned if each != license)
        return iter([_field(before.extension, before, replace(before, assigned=rest))])

    async def _of_users(self, customer: str, extensions: Mapping[str, str]) -> list[Change]:
        """What is kept of users, with another extension ("": none). One who is not known yet is from now on."""
        users = [user for user in extensions if user]
        found = await asyncio.gather(*(self.fact(customer, "users", user) for user in users))
        changes = []
        for user, before in zip(users, found, strict=True):
            after = {**(before or {"created_ms": self.wall_ms()}), "extension": extensions[user]}
            if before is not None or extensions[user]:
                changes.append(Change(place="users", field=user, before=before, after=after))
        return changes

    async def _site(self, customer: str, licenses: _Licenses, catalog: Catalog) -> Site:
        account = await self.account(customer)
        domains = await self.pipeline.command(
            "HKEYS", customer_key("domains", self.partition(customer), customer)
        )
        return Site(
            extensions=dict(await self.extensions(customer)),
            blocks=tuple(
                Block(first=int(block.first), last=int(block.last)) for block in account.number_blocks
            ),
            domains=frozenset(name.decode() for name in domains),
            bought=bought(licenses.offers(), catalog),
        )

    async def _assigned(self, customer: str) -> set[tuple[str, str]]:
        name = customer_key("assignments", self.partition(customer), customer)
        return await asyncio.to_thread(_pairs, await self.pipeline.command("ZRANGE", name, 0, -1))

    async def _has(self, customer: str, license: str, user: str) -> bool:
        name = customer_key("assignments", self.partition(customer), customer)
        return await self.pipeline.command("ZSCORE", name, f"{license}\0{user}") is not None

    def _extensions(self, customer: str) -> str:
        return customer_key("extensions", self.partition(customer), customer)


class _Licenses:
    """The customer's licenses that are not over, and which users have the nominal ones, while extensions are handed theirs."""

    def __init__(self, rows: Iterable[LicenseRow], assigned: set[tuple[str, str]], now_ms: int) -> None:
        standing = [row for row in rows if now_ms < row.valid_till_ms]
        self._rows = sorted(standing, key=lambda row: (len(row.domains), row.valid_till_ms, row.id))
        self._assigned = assigned
        self._used = Counter(license_ for license_, _ in assigned)

    def offers(self) -> Iterator[tuple[str, int]]:
        """Product and limit of each."""
        return ((row.product, row.limit) for row in self._rows)

    def given_all(self, extensions: Iterable[Extension]) -> list[Change]:
        """New extensions, and the nominal licenses that their users are given for them."""
        return [change for each in extensions for change in _kept(None, self._provisioned(each))]

    def exchanged(self, before: Provisioned, after: Extension) -> tuple[Provisioned, list[Change]]:
        """A changed extension: what its user had for it is taken back, what the user it has now needs is given."""
        returned = _recorded(before) & self._assigned
        self._assigned -= returned
        self._used.subtract(license_ for license_, _ in returned)
        record = self._provisioned(after)
        changes = [*_taken_back(returned), *_kept(before, record)]
        times = Counter((change.place, change.field) for change in changes)
        return record, [change for change in changes if times[change.place, change.field] == 1]

    def _provisioned(self, extension: Extension) -> Provisioned:
        fields = {name: getattr(extension, name) for name in Extension.__struct_fields__}
        return Provisioned(**fields, assigned=tuple(self._draw(extension)))

    def _draw(self, extension: Extension) -> Iterator[str]:
        """Nominal licenses for the user, who may have some already: one for each device of an add-on, as far as there is room.
        (Without one the user takes a competitive seat.)"""
        if not extension.user:
            return
        for product, count in Counter(extension.products()).items():
            rows = [row for row in self._rows if row.kind == "nominal" and row.product == product]
            has = sum((row.id, extension.user) in self._assigned for row in rows)
            for license_ in [*self._free(rows, extension.user)][: max(0, count - has)]:
                self._assigned.add((license_, extension.user))
                self._used[license_] += 1
                yield license_

    def _free(self, rows: Iterable[LicenseRow], user: str) -> Iterator[str]:
        for row in rows:
            covers = user.rpartition("@")[2] in row.domains and (row.id, user) not in self._assigned
            if covers and self._used[row.id] < row.limit:
                yield row.id


def _faults(new: Sequence[Extension], site: Site, catalog: Catalog) -> Faults:
    """The first that are wrong. It takes long for many: not on the event loop."""
    return list(islice(faults_of_all(new, site, catalog), MOST_FAULTS))


def _faults_of_change(before: Extension, after: Extension, site: Site, catalog: Catalog) -> Faults:
    return [(0, wrong) for wrong in faults_of_change(before, after, site, catalog)]


def _is_still(made: Extension, record: Provisioned) -> bool:
    return all(getattr(made, name) == getattr(record, name) for name in Extension.__struct_fields__)


def _in_order(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, Provisioned]:
    records = {name.decode(): msgspec.json.decode(text, type=Provisioned) for name, text in pairs}
    return dict(sorted(records.items(), key=lambda item: int(item[0])))


def _pairs(members: Iterable[bytes]) -> set[tuple[str, str]]:
    """License and user of each."""
    return {(license_, user) for license_, _, user in (member.decode().partition("\0") for member in members)}


def _field(digits: str, before: Provisioned | None, after: Provisioned | None) -> Change:
    def builtins(record: Provisioned | None) -> Any:
        return None if record is None else msgspec.to_builtins(record)

    return Change(place="extensions", field=digits, before=builtins(before), after=builtins(after))


def _kept(before: Provisioned | None, record: Provisioned) -> list[Change]:
    given = (f"{license_} {record.user}" for license_ in record.assigned)
    return [
        _field(record.extension, before, record),
        *(Change(place="assignments", field=field, after=True) for field in given),
    ]


def _recorded(record: Provisioned) -> set[tuple[str, str]]:
    """License and user of what was assigned for an extension."""
    return {(license_, record.user) for license_ in record.assigned}


def _taken_back(assignments: Iterable[tuple[str, str]]) -> list[Change]:
    return [
        Change(place="assignments", field=f"{license_} {user}", before=True)
        for license_, user in sorted(assignments)
    ]
