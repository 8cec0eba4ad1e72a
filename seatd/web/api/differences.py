"""What has changed between two values, field by field."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from seatd.store.audit_values import Json


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One field that is another now; `path` leads to it, its steps joined by dots. null: it was or is not there."""

    path: str
    before: Json
    after: Json


def differences(before: Json, after: Json, path: str = "") -> Iterator[Difference]:
    """Every field that differs, as deep as both sides have fields. A list is compared as a whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            below = f"{path}.{name}" if path else name
            yield from differences(before.get(name), after.get(name), below)
    elif before != after or type(before) is not type(after):
        yield Difference(path=path, before=before, after=after)
