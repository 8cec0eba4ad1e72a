"""Users are looked through as they are kept, and the same are found as if all were decoded."""

from __future__ import annotations

import msgspec
import pytest

from seatd.store.people import UserRecord, user_of
from seatd.web.api.organisation_shapes import matches
from seatd.web.api.users_raw import VALUES, possible

NAMES = ("Anna", "Änna", "STRASSE", "Straße", "a/b", 'quo"te', "back\\slash", "\u212aelvin", "tab\there", "")


def kept(*names: str) -> dict[str, bytes]:
    """Users as the store keeps them."""
    return {
        f"user{number}@acme.example": msgspec.json.encode(UserRecord(name=name, groups=("Sales", name)))
        for number, name in enumerate(names)
    }


@pytest.mark.parametrize(
    "search", ["anna", "ANNA", "ä", "ss", "strasse", "a/b", '"', "\\", "kelvin", "\t", "user1", "s\0u", ""]
)
@pytest.mark.parametrize("names", [NAMES, *((name,) for name in NAMES)])
def test_nobody_who_is_meant_is_left_out(names: tuple[str, ...], search: str) -> None:
    users = kept(*names)
    meant = {
        user
        for user, text in users.items()
        if matches(search, user, user_of(text).name, *user_of(text).groups)
    }
    assert meant <= set(possible(users, search))


def test_most_of_those_who_are_not_meant_are_left_out() -> None:
    users = kept("Anna", "Bob", "Carla")
    assert list(possible(users, "BOB")) == ["user1@acme.example"]
    assert list(possible(users, "USER2")) == ["user2@acme.example"]


def test_an_escape_means_that_all_are_looked_at() -> None:
    users = {"user@acme.example": b'{"name":"\\u0041nna"}'}
    assert list(possible(users, "anna")) == list(users)


@pytest.mark.parametrize("field", sorted(VALUES))
def test_what_is_sorted_by_is_what_the_record_has(field: str) -> None:
    records = [UserRecord(name="Änna", role="owner", extension="2001", created_ms=7), UserRecord()]
    attribute = "created_ms" if field == "created" else field
    values = [getattr(record, attribute) for record in records]
    expected = [value.casefold() if isinstance(value, str) else value for value in values]
    assert VALUES[field](msgspec.json.encode(record) for record in records) == expected
    assert VALUES[field]([b"{}"]) == VALUES[field]([msgspec.json.encode(UserRecord())])
    assert VALUES[field]([]) == []
