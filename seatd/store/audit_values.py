"""The audit trail's entries: who changed what, and the chain of hashes that shows when one has been changed or taken out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from seatd.store.values import Value

Json = Any
"""A value as JSON has it: None, a bool, a number, a text, a list or a dict of such."""

GENESIS = ""
"""What the first entry of a trail follows."""


class Actor(Value, frozen=True, kw_only=True):
    """Who does something: an administrator, an API token, or seatd itself (`role` "system"). `address`: where from."""

    name: str
    role: str
    address: str = ""


SAME, OTHER = "(secret)", "(another secret)"
"""What stands in the trail in place of a secret, and of one that has come or changed."""

SYSTEM = Actor(name="seatd", role="system")


class Change(Value, frozen=True, kw_only=True):
    """One field of one place, before and after; None where there was or will be nothing."""

    place: str
    field: str
    before: Json = None
    after: Json = None

    def shown(self) -> Change:
        """As the trail may show it."""
        return self


class Veiled(Change, frozen=True, kw_only=True):
    """A change of a record that holds secrets. What `secrets` names of it is written, but the trail only shows that it was
    there and whether it changed; `label` stands for a field's name that is itself a secret."""

    secrets: tuple[str, ...] = ()
    label: str = ""

    def shown(self) -> Change:
        """Without the secrets."""
        before, after = (self._veiled(record, self.before) for record in (self.before, self.after))
        return Change(place=self.place, field=self.label or self.field, before=before, after=after)

    def _veiled(self, record: Json, old: Json) -> Json:
        if record is None:
            return None
        hidden = {name: record[name] for name in self.secrets if record.get(name)}
        return {
            **record,
            **{name: SAME if (old or {}).get(name) == value else OTHER for name, value in hidden.items()},
        }


class Entry(Value, frozen=True, kw_only=True):
    """One line of the trail. `target` names what was changed, `changes` how; `detail` is what else there is to say."""

    at_ms: int
    by: Actor
    action: str
    customer: str = ""
    target: str = ""
    changes: tuple[Change, ...] = ()
    detail: dict[str, Json] = msgspec.field(default_factory=dict)

    def written(self) -> bytes:
        """The entry as it is kept, to the byte."""
        return msgspec.json.encode(self, order="deterministic")


class Deed(Value, frozen=True, kw_only=True):
    """What is about to be done, and by whom; it becomes an `Entry` when it is done."""

    by: Actor
    action: str
    target: str = ""
    detail: dict[str, Json] = msgspec.field(default_factory=dict)

    def entry(self, at_ms: int, customer: str, changes: Iterable[Change] = ()) -> Entry:
        """The line to write."""
        return Entry(
            at_ms=at_ms, by=self.by, action=self.action, customer=customer, target=self.target,
            changes=tuple(change.shown() for change in changes), detail=self.detail,
        )  # fmt: skip


class Recorded(Value, frozen=True, kw_only=True):
    """An entry as it stands in the trail: its id there, its text, the hash that was kept with it."""

    id: str
    text: bytes
    hash: str

    def entry(self) -> Entry:
        """The entry itself."""
        return msgspec.json.decode(self.text, type=Entry)


def chained(head: str, text: bytes) -> str:
    """The hash of an entry that follows the one with the hash `head`: SHA-256 over both, in hex."""
    return hashlib.sha256(head.encode() + b"\n" + text).hexdigest()


def first_broken(trail: Iterable[Recorded], head: str = GENESIS) -> Recorded | None:
    """The first entry whose hash does not follow from its text and from all before it; None: all do."""
    return next((recorded for recorded, good in _checked(trail, head) if not good), None)


def _checked(trail: Iterable[Recorded], head: str) -> Iterator[tuple[Recorded, bool]]:
    for recorded in trail:
        good = recorded.hash == chained(head, recorded.text)
        head = recorded.hash
        yield recorded, good
