"""Passwords: Argon2id at OWASP's cost, the same work for nobody's, bounded."""

from __future__ import annotations

import asyncio

import pytest

from seatd.web.passwords import Busy, Cost, Passwords, fault_of
from tests.web.conftest import CHEAP


async def test_a_password_fits_its_hash_and_no_other() -> None:
    passwords = Passwords(CHEAP)
    kept = await passwords.hash("correct horse")
    assert await passwords.check("correct horse", kept)
    assert not await passwords.check("correct horsf", kept)
    assert not await passwords.check("", kept)
    assert kept != await passwords.hash("correct horse")


async def test_the_cost_is_that_of_owasp() -> None:
    kept = await Passwords().hash("correct horse")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not Passwords().is_outdated(kept)
    assert Passwords(Cost(passes=3)).is_outdated(kept)
    assert Passwords(CHEAP).is_outdated(kept)


async def test_nobodys_password_costs_as_much_and_never_fits() -> None:
    passwords = Passwords(CHEAP)
    assert not await passwords.check("correct horse", "")
    assert passwords.done == 1


@pytest.mark.parametrize("password", ["\x00" * 20, "x" * 256, "p\u00e4ss", "\U0001f40e" * 12, "\ud800"])
async def test_any_text_can_be_checked(password: str) -> None:
    passwords = Passwords(CHEAP)
    assert await passwords.check(password, await passwords.hash(password))


async def test_one_text_in_two_spellings_is_one_password() -> None:
    passwords = Passwords(CHEAP)
    assert await passwords.check("pa\u0308sswort", await passwords.hash("p\u00e4sswort"))


async def test_only_so_many_at_once() -> None:
    passwords = Passwords(CHEAP, at_once=1, waiting=2)
    answers = await asyncio.gather(*(passwords.check("x", "") for _ in range(10)), return_exceptions=True)
    assert [type(answer) for answer in answers].count(Busy) == 7
    assert not await passwords.check("x", "")


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", "12 to 256"),
        ("x" * 257, "12 to 256"),
        ("aaaaaaaaaaaabbbb", "different"),
        ("alice@acme.example", "name"),
        ("alice@acme.example1", "name"),
        ("ALICE@ACME.example", "name"),
        ("correct horse battery", ""),
    ],
)
def test_new_passwords(password: str, fault: str) -> None:
    assert fault in fault_of(password, "alice@acme.example")
    assert bool(fault) == bool(fault_of(password, "alice@acme.example"))
