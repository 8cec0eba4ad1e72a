"""Administrators, their sessions and tokens in the store; no secret of theirs in the audit trail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from seatd.store.access_values import EVERYTHING, TokenRecord
from seatd.store.administrator_values import SECRETS, Administrator, SignIn, SignInLink
from seatd.store.administrators import changed
from seatd.store.api_tokens import token_change
from seatd.store.audit_values import OTHER, SAME, SYSTEM, Change, Deed, Entry
from seatd.store.redis import Store
from seatd.store.sign_ins import link_change

DEED = Deed(by=SYSTEM, action="test")
ROOT = Administrator(
    name="root", grants=(EVERYTHING,), password_hash="$argon2id$one", totp_secret="BASE32SECRET", generation=5
)


async def write(store: Store, *changes: Change) -> None:
    async def decide() -> Sequence[Change]:
        return changes

    assert await store.amend(None, DEED, decide)


async def last_entry(store: Store) -> Entry:
    return (await store.audit_page(None, size=1)).items[0].entry()


async def test_an_administrator_comes_back_as_he_was_written(store: Store) -> None:
    other = Administrator(name="ann@acme.example", grants=(EVERYTHING,))
    await write(store, changed(None, ROOT), changed(None, other))
    assert await store.administrator("root") == ROOT
    assert await store.administrators() == [other, ROOT]
    await write(store, changed(ROOT, None))
    assert await store.administrator("root") is None


async def test_the_trail_shows_that_secrets_change_and_not_what_they_are(store: Store) -> None:
    await write(store, changed(None, ROOT))
    (change,) = (await last_entry(store)).changes
    assert (change.after["password_hash"], change.after["totp_secret"]) == (OTHER, OTHER)
    assert (change.after["totp_pending"], change.after["name"]) == ("", "root")
    await write(store, changed(ROOT, replace(ROOT, password_hash="$argon2id$two", totp_secret="")))
    (change,) = (await last_entry(store)).changes
    assert (change.before["password_hash"], change.after["password_hash"]) == (SAME, OTHER)
    assert (change.before["totp_secret"], change.after["totp_secret"]) == (SAME, "")
    trail = b"".join([recorded.text async for recorded in store.audit_trail(None)])
    assert b"argon2" not in trail
    assert b"BASE32SECRET" not in trail


def test_every_field_that_looks_like_a_secret_is_one() -> None:
    names = {field.name for field in msgspec.structs.fields(Administrator)}
    assert {name for name in names if any(part in name for part in ("hash", "secret", "pending"))} == set(
        SECRETS
    )


async def test_the_trail_names_a_token_by_its_id(store: Store) -> None:
    record = TokenRecord(id="t1", name="billing", grant=EVERYTHING, created_ms=1)
    await write(store, token_change("the digest", None, record))
    assert await store.tokens() == {"the digest": record}
    assert (await last_entry(store)).changes[0].field == "t1"
    await write(store, token_change("the digest", record, None))
    assert await store.token("the digest") is None
    assert b"the digest" not in b"".join([recorded.text async for recorded in store.audit_trail(None)])


async def test_a_session_that_has_ended_is_not_brought_back(store: Store) -> None:
    session = SignIn(name="root", generation=5, created_ms=1, seen_ms=1, ends_ms=9)
    await store.put_sign_in("a", session)
    await store.put_sign_in("b", replace(session, created_ms=0))
    assert list(await store.sign_ins()) == ["b", "a"]
    assert await store.see_sign_in("a", replace(session, seen_ms=2))
    assert await store.end_sign_ins("a", "b") == 2
    assert not await store.see_sign_in("a", replace(session, seen_ms=3))
    assert await store.sign_in("a") is None


async def test_only_one_uses_a_link(store: Store) -> None:
    for digest, ends_ms in (("old", 7), ("new", 17)):
        await write(store, link_change(digest, SignInLink(name="root", generation=5, ends_ms=ends_ms)))
    assert (await last_entry(store)).changes[0].field == "root"
    await store.drop_links(7)
    assert await store.link("old") is None
    used = await asyncio.gather(*(store.use_link("new") for _ in range(10)))
    assert used.count(True) == 1
    assert await store.link("new") is None
