"""Shapes that several calls share: pages of lists, times, users, and the empty shape."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Generic, TypeVar

import msgspec

from seatd.hub.tokens import canonical_user
from seatd.licensing.names import BadName
from seatd.web.errors import invalid

Item = TypeVar("Item")

Moment = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 in UTC")]
Search = Annotated[str, msgspec.Meta(max_length=200)]

END = r"$(?!\n)"
"""The end of a text in a pattern: Python's `$` lets a line end follow, and its `\\Z` is unknown to JSON Schema."""
EntryId = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^([0-9]{{1,15}}-[0-9]{{1,15}})?{END}", description="an entry's place in its stream"
    ),
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MS = 253_402_300_799_000  # the last second that RFC 3339 can write


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what a caller sends: a field that is not known is refused, not overlooked."""


class Nothing(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For a call that takes no path, query or body."""


class PageQuery(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of a list."""

    page: Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="counted from 1")] = 1
    size: Annotated[int, msgspec.Meta(ge=1, le=500, description="items on a page")] = 50

    @property
    def offset(self) -> int:
        """How many items come before this page."""
        return (self.page - 1) * self.size


class Listing(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """One page of a list; `total` counts the whole."""

    items: tuple[Item, ...]
    page: int
    size: int
    total: int


@lru_cache(maxsize=4096)  # the rows of a long list have few different days in them
def moment(at_ms: int) -> datetime:
    """Milliseconds since 1970 as a time that is written in RFC 3339."""
    return _EPOCH + timedelta(milliseconds=min(max(at_ms, 0), LATEST_MS))


def named_user(text: str, path: str) -> tuple[str, str]:
    """The user in its one form, and the domain; `invalid` at `path` when it is no name@domain."""
    try:
        return canonical_user(text)
    except BadName as error:
        raise invalid(path, str(error)) from None
