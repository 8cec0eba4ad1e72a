"""Shapes and checks that agencies, customers, domains and users share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from seatd.licensing.names import BadName, check_text
from seatd.store.account_values import Contact
from seatd.store.audit_values import Change, Json
from seatd.turns import in_turns
from seatd.web.api.long_lists import sorted_in_turns
from seatd.web.api.shapes import Input, Listing, PageQuery
from seatd.web.errors import invalid

Row = TypeVar("Row")
Text = Annotated[str, msgspec.Meta(max_length=200)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class ContactInput(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to turn to."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    role: Text = ""
    email: Annotated[str, msgspec.Meta(max_length=254)] = ""
    phone: Annotated[str, msgspec.Meta(max_length=64)] = ""


Contacts = Annotated[tuple[ContactInput, ...], msgspec.Meta(max_length=50)]


def named(check: Callable[[str], str], text: str, path: str) -> str:
    """The name, when `check` of `seatd.licensing.names` allows it; else the problem `invalid` at `path`."""
    try:
        return check(text)
    except BadName as error:
        raise invalid(path, str(error)) from None


def plain(text: str | UnsetType | None, path: str) -> None:
    """The problem `invalid` for a text with characters that nobody can read."""
    if isinstance(text, str):
        named(check_text, text, path)


def contacts_of(given: Iterable[ContactInput]) -> tuple[Contact, ...]:
    """The contacts as they are kept."""
    found = []
    for place, contact in enumerate(given):
        for field in ("name", "role", "email", "phone"):
            plain(getattr(contact, field), f"contacts[{place}].{field}")
        found.append(msgspec.convert(msgspec.to_builtins(contact), Contact))
    return tuple(found)


def named_fields(body: msgspec.Struct) -> dict[str, Any]:
    """The fields of a PATCH that were named, as the caller wrote them."""
    values = ((field, getattr(body, field)) for field in body.__struct_fields__)
    return {field: value for field, value in values if value is not UNSET}


def field_changes(place: str, before: Mapping[str, Json], after: Mapping[str, Any]) -> list[Change]:
    """Fields of one place that become others; None takes a field away. What stays is left out."""
    return [
        Change(place=place, field=field, before=before.get(field), after=msgspec.to_builtins(value))
        for field, value in after.items()
    ]


def merged(record: Json, fields: Mapping[str, Any]) -> Json:
    """A record with some fields replaced; one that becomes None is taken away."""
    whole = {**(record or {}), **msgspec.to_builtins(dict(fields))}
    return {name: value for name, value in whole.items() if value is not None}


async def listed(
    rows: Sequence[Row],
    query: PageQuery,
    sort: str,
    *,
    id_field: str = "id",
    value_of: Callable[[Row], Any] | None = None,
) -> Listing[Row]:
    """A page of the rows in the order `sort` (a field; "-" before it turns round); what is None comes last.

    `value_of`: what a row is sorted by, where it is not that field of it.
    """
    value_of, is_reversed = value_of or attrgetter(sort.lstrip("-")), sort.startswith("-")
    found = await sorted_in_turns(rows, attrgetter(id_field))
    valued = [(value_of(row), row) async for row in in_turns(found)]
    there = [row for row in valued if row[0] is not None]
    there = await sorted_in_turns(there, lambda row: _comparable(row[0]), reverse=is_reversed)
    if len(there) < len(valued):
        there += [row for row in valued if row[0] is None]
    page = tuple(row for _, row in there[query.offset : query.offset + query.size])
    return Listing(items=page, page=query.page, size=query.size, total=len(found))


def matches(search: str, *texts: str) -> bool:
    """Whether one of the texts contains what is sought, whatever the case."""
    sought = search.casefold()
    if "\0" in sought:
        return any(sought in text.casefold() for text in texts)
    return not sought or sought in "\0".join(texts).casefold()  # once for all: lists may be long


def _comparable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
