"""Names: what is allowed, and the exact reason where it is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from seatd.licensing.names import (
    BadName,
    check_customer,
    check_domain,
    check_license,
    check_text,
    split_user,
)

CHARACTERS = "must have no spaces, control or format characters"


@pytest.mark.parametrize(
    ("user", "parts"),
    [
        ("alice@acme.example", ("alice", "acme.example")),
        ("a/b+c@acme", ("a/b+c", "acme")),
        ("\u5f20\u4e09@\u4f8b\u5b50", ("\u5f20\u4e09", "\u4f8b\u5b50")),
        ("Zo\u00eb@acme", ("Zo\u00eb", "acme")),
    ],
)
def test_users_are_split(user: str, parts: tuple[str, str]) -> None:
    assert split_user(user) == parts


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("", "user must have 1 to 254 characters"),
        ("a" * 250 + "@acme", "user must have 1 to 254 characters"),
        ("alice", "user must be name@domain with exactly one @"),
        ("alice@", "user must be name@domain with exactly one @"),
        ("@acme", "user must be name@domain with exactly one @"),
        ("alice@b@acme", "user must be name@domain with exactly one @"),
        ("alice@acme/x", "domain must have no / and no @"),
        ("al ice@acme", f"user {CHARACTERS}"),
        ("alice\x00@acme", f"user {CHARACTERS}"),
        ("alice\n@acme", f"user {CHARACTERS}"),
        ("alice\u00a0@acme", f"user {CHARACTERS}"),
        ("alice\u202e@acme", f"user {CHARACTERS}"),
        ("al\u200bice@acme", f"user {CHARACTERS}"),
        ("alice\ud800@acme", f"user {CHARACTERS}"),
        ("Zoe\u0308@acme", "user must be in Unicode form NFC"),
    ],
)
def test_bad_users_are_refused(user: str, reason: str) -> None:
    with pytest.raises(BadName) as refusal:
        split_user(user)
    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    ("check", "name", "reason"),
    [
        (check_domain, "a" * 254, "domain must have 1 to 253 characters"),
        (check_domain, "a@b", "domain must have no / and no @"),
        (check_customer, "", "customer id must have 1 to 64 characters"),
        (check_customer, "a" * 65, "customer id must have 1 to 64 characters"),
        (check_customer, "a\tb", f"customer id {CHARACTERS}"),
        (check_customer, " acme", "customer id must not begin or end with a space, nor have two in a row"),
        (check_customer, "a  b", "customer id must not begin or end with a space, nor have two in a row"),
        (check_customer, "a/b", "customer id must have no / and not be . or .."),
        (check_license, "a b", f"license id {CHARACTERS}"),
        (check_license, ".", "license id must have no / and not be . or .."),
        (check_license, "a/../b", "license id must have no / and not be . or .."),
        (check_text, "a\u2028b", "text must have no control, format or line break characters"),
        (check_text, "a" * 201, "text must have at most 200 characters"),
    ],
)
def test_other_bad_names_are_refused(check: Callable[[str], str], name: str, reason: str) -> None:
    with pytest.raises(BadName) as refusal:
        check(name)
    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (check_domain, "acme.example"),
        (check_customer, "Acme Ltd & Co."),
        (check_customer, "a" * 64),
        (check_license, "cc-1"),
        (check_license, "a..b"),
        (check_text, ""),
        (check_text, "Acme Ltd, \u00e9\u00e8 \U0001f600"),
    ],
)
def test_good_names_are_returned_as_they_are(check: Callable[[str], str], name: str) -> None:
    assert check(name) == name
