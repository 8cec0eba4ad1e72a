"""Importing keys: what is said about good ones, and every way a bad one is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from seatd.store.audit_values import SYSTEM, Change, Deed
from seatd.store.redis import Store
from seatd.web.api import license_import
from tests.licensing.build import GOOD, STRANGER, careless, signed
from tests.web.conftest import Site, license_key


async def post(site: Site, key: str, query: str = "") -> tuple[int, Any]:
    return await site.call("POST", f"/api/v1/licenses{query}", json={"key": key})


async def total(site: Site) -> int:
    _, listing = await site.call("GET", "/api/v1/licenses")
    return int(listing["total"])


async def test_an_import_and_the_same_again(site: Site) -> None:
    key = license_key({}, {"product": "EMAIL", "kind": "nominal", "limit": 3})
    licenses = [
        {
            "id": f"acme-{number}",
            "product": product,
            "kind": kind,
            "limit": limit,
            "valid_from": "2020-01-01T00:00:00Z",
            "valid_till": "2099-01-01T00:00:00Z",
            "change": "added",
        }
        for number, product, kind, limit in ((1, "CALL_CENTER", "competitive", 5), (2, "EMAIL", "nominal", 3))
    ]
    answer = {
        "status": "imported",
        "dry_run": False,
        "customer": "acme",
        "domains": ["acme.example"],
        "licenses": licenses,
        "added": ["acme-1", "acme-2"],
        "replaced": [],
        "notices": [],
        "affected": [],
    }
    assert await post(site, key) == (200, answer)
    for license_ in licenses:
        license_["change"] = "unchanged"
    assert await post(site, key) == (200, {**answer, "status": "already_imported", "added": []})
    assert await total(site) == 2


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
async def test_a_customer_that_is_deleted_meanwhile(
    site: Site, store: Store, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """The deletion begins when its status has been looked at already: the store looks once more."""
    await post(site, license_key())

    async def decide() -> list[Change]:
        return [Change(place="account", field="status", after="deleted")]

    await store.amend("acme", Deed(by=SYSTEM, action="customers.delete"), decide)
    monkeypatch.setattr(license_import, "check_alive", lambda _account: None)
    status, answer = await post(site, license_key({"limit": 6}, jti="newer"), query)
    assert (status, answer["code"]) == (409, "customer_deleted")
    assert await store.owner_of("acme.example") == "acme"  # as before; the deletion gives it back


async def test_a_dry_run_says_the_same_and_changes_nothing(site: Site) -> None:
    status, answer = await post(site, license_key(), "?dry_run=true")
    assert (status, answer["status"], answer["dry_run"], answer["added"]) == (
        200,
        "imported",
        True,
        ["acme-1"],
    )
    assert await total(site) == 0


async def test_a_pasted_key_may_be_wrapped(site: Site) -> None:
    key = license_key()
    pasted = "\ufeff-----BEGIN SEATD LICENSE-----\r\n" + "\r\n".join(
        key[n : n + 64] for n in range(0, len(key), 64)
    )
    status, answer = await post(site, pasted + "\n-----END SEATD LICENSE-----\n")
    assert (status, answer["status"]) == (200, "imported")


async def test_a_dry_run_says_that_holders_would_be_too_many(site: Site) -> None:
    await post(site, license_key({"limit": 5}))
    for name in ("ann", "bob"):
        await site.signed_in(f"{name}@acme.example", "CALL_CENTER")
    key = license_key({"limit": 1}, jti="key-2", iat=1_700_000_001)
    _, answer = await post(site, key, "?dry_run=true")
    assert [notice["code"] for notice in answer["notices"]] == ["limit_lowered", "holders_above_limit"]


async def test_a_newer_key_replaces_and_an_older_one_is_refused(site: Site) -> None:
    old, new = license_key({"limit": 5}), license_key({"limit": 2}, {}, jti="key-2", iat=1_700_000_001)
    await post(site, old)
    _, answer = await post(site, new)
    assert (answer["added"], answer["replaced"]) == (["acme-2"], ["acme-1"])
    assert answer["notices"] == [
        {"code": "limit_lowered", "license": "acme-1", "message": "the limit is below the one it replaces"}
    ]
    for query in ("", "?dry_run=true"):
        status, body = await post(site, old, query)
        assert (status, body["code"]) == (409, "older_key")
        assert body["errors"] == [{"path": "key", "message": "acme-1: held by a newer key"}]


async def test_licenses_of_another_customer_are_refused(site: Site) -> None:
    await post(site, license_key({"id": "cc-1"}))
    stolen = license_key({"id": "cc-1"}, customer="beta", jti="key-2", iat=1_700_000_009)
    status, body = await post(site, stolen)
    assert (status, body["code"]) == (409, "other_customer")
    assert body["errors"] == [{"path": "key", "message": "cc-1: held by another customer"}]
    assert await total(site) == 1


@pytest.mark.parametrize(
    ("valid", "codes"),
    [
        ({"valid_till": "2026-09-21T00:00:00Z"}, ["expired"]),
        ({"valid_from": "2090-01-01T00:00:00Z"}, ["not_yet_valid"]),
        ({"valid_till": "2026-10-01T00:00:00Z"}, ["ends_soon"]),
        ({"valid_till": "2027-10-01T00:00:00Z"}, []),
    ],
)
async def test_notices_about_a_good_key(site: Site, valid: dict[str, str], codes: list[str]) -> None:
    _, answer = await post(site, license_key(valid), "?dry_run=true")
    assert [notice["code"] for notice in answer["notices"]] == codes


def tampered(place: int) -> str:
    parts = license_key().split(".")
    parts[place] = ("A" if parts[place][0] != "A" else "B") + parts[place][1:]
    return ".".join(parts)


@pytest.mark.parametrize(
    ("key", "path", "code"),
    [
        ("x", "", "malformed"),
        ("x.y.z", "header", "non_canonical_base64"),
        (license_key()[:-1], "signature", "non_canonical_base64"),
        (tampered(0), "header", "not_json"),
        (tampered(1), "signature", "bad_signature"),
        (tampered(2), "signature", "bad_signature"),
        (signed(json.dumps(GOOD).encode(), key=STRANGER), "header.kid", "unknown_kid"),
        (signed(b"{}", {"alg": "none"}), "header.alg", "wrong_alg"),
        (signed(b'{"iss":1,"iss":1}'), "payload", "duplicate_json_key"),
        ("x" * 1_000_001, "", "too_large"),
    ],
)
async def test_keys_that_are_refused(site: Site, key: str, path: str, code: str) -> None:
    status, body = await post(site, key)
    assert (status, body["code"]) == (422, "invalid_license_key")
    (error,) = body["errors"]
    assert error["path"] == path
    assert error["message"].endswith(f"({code})")
    assert await total(site) == 0


async def test_one_error_per_fault(site: Site) -> None:
    license_ = {"id": "a b", "product": "NOPE", "kind": "competitive", "limit": 0}
    status, body = await post(site, careless({**GOOD, "domains": [], "licenses": [license_]}))
    assert (status, body["code"]) == (422, "invalid_license_key")
    assert {error["path"] for error in body["errors"]} == {
        "domains",
        "licenses[0].id",
        "licenses[0].product",
        "licenses[0].limit",
        "licenses[0].valid_from",
        "licenses[0].valid_till",
    }


async def test_who_did_what_is_logged_without_the_key(site: Site) -> None:
    key = license_key()
    with capture_logs() as logs:
        await post(site, key, "?dry_run=true")
        await post(site, key)
        await post(site, key)
    (entry,) = [entry for entry in logs if entry["event"] == "license key imported"]
    assert (entry["by"], entry["customer"], entry["added"]) == ("tests", "acme", ("acme-1",))
    assert key not in str(logs)
