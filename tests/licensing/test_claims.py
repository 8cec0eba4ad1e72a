"""Each way in which the claims of a properly signed key can be wrong, with its code and path."""

from __future__ import annotations

import copy

import pytest

from seatd.licensing.keys import FAULT_CODES, verify
from tests.licensing.build import ABSENT, CATALOG, GOOD, NOW_MS, TRUST, all_faults, bent, careless, faults

LICENSE = GOOD["licenses"][0]
RESERVED = "licenses[0].policy.reservations"


def reserved(*entries: dict[str, object]) -> dict[str, object]:
    return {"reservations": list(entries)}


WRONG: list[tuple[str, object, str, str]] = [
    ("iss", ABSENT, "missing", "iss"),
    ("iss", None, "wrong_type", "iss"),
    ("iss", 7, "wrong_type", "iss"),
    ("iss", "a\nb", "bad_name", "iss"),
    ("jti", ABSENT, "missing", "jti"),
    ("jti", "", "bad_name", "jti"),
    ("jti", "a/b", "bad_name", "jti"),
    ("iat", ABSENT, "missing", "iat"),
    ("iat", "2026-01-01T00:00:00Z", "wrong_type", "iat"),
    ("iat", 1.5, "wrong_type", "iat"),
    ("iat", True, "wrong_type", "iat"),
    ("iat", -1, "wrong_type", "iat"),
    ("iat", 2**63, "wrong_type", "iat"),
    ("iat", NOW_MS // 1000 + 86_401, "issued_in_future", "iat"),
    ("customer", ABSENT, "missing", "customer"),
    ("customer", "acme", "wrong_type", "customer"),
    ("customer.id", ABSENT, "missing", "customer.id"),
    ("customer.id", "", "bad_name", "customer.id"),
    ("customer.id", "a" * 65, "bad_name", "customer.id"),
    ("customer.id", "acme\x00", "bad_name", "customer.id"),
    ("customer.id", 7, "wrong_type", "customer.id"),
    ("customer.name", 7, "wrong_type", "customer.name"),
    ("customer.name", "A" * 201, "bad_name", "customer.name"),
    ("customer.agency", "a\u202eb", "bad_name", "customer.agency"),
    ("customer.external_id", ["X"], "wrong_type", "customer.external_id"),
    ("domains", ABSENT, "domains_missing", "domains"),
    ("domains", [], "domains_missing", "domains"),
    ("domains", "acme.example", "wrong_type", "domains"),
    ("domains", [7], "wrong_type", "domains"),
    ("domains", ["acme.example", "a b"], "bad_name", "domains[1]"),
    ("domains", ["a@b"], "bad_name", "domains[0]"),
    ("domains", ["a/b"], "bad_name", "domains[0]"),
    ("domains", ["a", "a"], "duplicate_domain", "domains"),
    ("domains", ["acme.example", "ACME.example"], "duplicate_domain", "domains"),
    ("licenses", ABSENT, "licenses_missing", "licenses"),
    ("licenses", [], "licenses_missing", "licenses"),
    ("licenses", {}, "wrong_type", "licenses"),
    ("licenses", [LICENSE, 7], "wrong_type", "licenses"),
    ("licenses", [LICENSE, LICENSE], "duplicate_license_id", "licenses[1].id"),
    ("licenses.0.id", ABSENT, "missing", "licenses[0].id"),
    ("licenses.0.id", "..", "bad_name", "licenses[0].id"),
    ("licenses.0.product", "TELEPATHY", "product_unknown", "licenses[0].product"),
    ("licenses.0.product", 7, "wrong_type", "licenses[0].product"),
    ("licenses.0.kind", "both", "kind_not_allowed", "licenses[0].kind"),
    ("licenses.0.kind", True, "wrong_type", "licenses[0].kind"),
    ("licenses.0.product", "CHAT", "kind_not_allowed", "licenses[0].kind"),
    ("licenses.0.limit", ABSENT, "missing", "licenses[0].limit"),
    ("licenses.0.limit", 0, "limit_not_positive", "licenses[0].limit"),
    ("licenses.0.limit", -1, "limit_not_positive", "licenses[0].limit"),
    ("licenses.0.limit", 10_000_001, "limit_not_positive", "licenses[0].limit"),
    ("licenses.0.limit", 2**63, "limit_not_positive", "licenses[0].limit"),
    ("licenses.0.limit", 2.0, "limit_not_positive", "licenses[0].limit"),
    ("licenses.0.limit", True, "limit_not_positive", "licenses[0].limit"),
    ("licenses.0.limit", "25", "limit_not_positive", "licenses[0].limit"),
    ("licenses.0.overdraft", -1, "overdraft_negative", "licenses[0].overdraft"),
    ("licenses.0.overdraft", False, "overdraft_negative", "licenses[0].overdraft"),
    ("licenses.0.valid_from", ABSENT, "missing", "licenses[0].valid_from"),
    ("licenses.0.valid_till", ABSENT, "missing", "licenses[0].valid_till"),
    ("licenses.0.valid_till", 1798761600, "wrong_type", "licenses[0].valid_till"),
    ("licenses.0.valid_till", "2027-01-01", "bad_time", "licenses[0].valid_till"),
    ("licenses.0.valid_till", "2027-02-30T00:00:00Z", "bad_time", "licenses[0].valid_till"),
    ("licenses.0.valid_till", "2027-01-01T00:00:00+02:00", "bad_time", "licenses[0].valid_till"),
    ("licenses.0.valid_till", "0000-01-01T00:00:00Z", "bad_time", "licenses[0].valid_till"),
    ("licenses.0.valid_till", "2026-01-01T00:00:00Z", "from_not_before_till", "licenses[0].valid_till"),
    ("licenses.0.valid_till", "2025-01-01T00:00:00Z", "from_not_before_till", "licenses[0].valid_till"),
    ("licenses.0.name", 7, "wrong_type", "licenses[0].name"),
    ("licenses.0.tier", "a\tb", "bad_name", "licenses[0].tier"),
    ("licenses.0.policy", "drain", "wrong_type", "licenses[0].policy"),
    ("licenses.0.policy", {"on_expiry": "explode"}, "bad_policy", "licenses[0].policy.on_expiry"),
    ("licenses.0.policy", {"on_lower": ["drain"]}, "bad_policy", "licenses[0].policy.on_lower"),
    ("licenses.0.policy", {"on_remove": None}, "bad_policy", "licenses[0].policy.on_remove"),
    ("licenses.0.policy", {"device": "any"}, "bad_policy", "licenses[0].policy.device"),
    ("licenses.0.policy", {"a": 2**64}, "bad_policy", "licenses[0].policy"),
    ("licenses.0.policy", {"on_lowered": "evict"}, "bad_policy", "licenses[0].policy.on_lowered"),
    ("licenses.0.policy", {"deadline_s": -1}, "bad_policy", "licenses[0].policy.deadline_s"),
    ("licenses.0.policy", {"deadline_s": 2_592_001}, "bad_policy", "licenses[0].policy.deadline_s"),
    ("licenses.0.policy", {"deadline_s": True}, "bad_policy", "licenses[0].policy.deadline_s"),
    ("licenses.0.policy", {"notify_waiting": "yes"}, "bad_policy", "licenses[0].policy.notify_waiting"),
    ("licenses.0.policy", {"reservations": {}}, "wrong_type", "licenses[0].policy.reservations"),
    ("licenses.0.policy", reserved({"seats": 26, "group": "g"}), "bad_policy", f"{RESERVED}[0].seats"),
    ("licenses.0.policy", reserved({"group": "g"}), "missing", f"{RESERVED}[0].seats"),
    ("licenses.0.policy", reserved({"seats": 1}), "bad_policy", f"{RESERVED}[0]"),
    (
        "licenses.0.policy",
        reserved({"seats": 1, "group": "g", "user": "a@b"}),
        "bad_policy",
        f"{RESERVED}[0]",
    ),
    ("licenses.0.policy", reserved({"seats": 1, "group": "a\nb"}), "bad_name", f"{RESERVED}[0].group"),
    ("licenses.0.policy", reserved({"seats": 1, "user": "alice"}), "bad_name", f"{RESERVED}[0].user"),
    (
        "licenses.0.policy",
        reserved({"seats": 1, "user": "a@other.test"}),
        "bad_policy",
        f"{RESERVED}[0].user",
    ),
    (
        "licenses.0.policy",
        reserved({"seats": 1, "domain": "other.test"}),
        "bad_policy",
        f"{RESERVED}[0].domain",
    ),
    ("licenses.0.policy", reserved(*[{"seats": 13, "group": g} for g in "gh"]), "bad_policy", RESERVED),
    ("licenses.0.policy", reserved(*[{"seats": 1, "group": "g"}] * 2), "bad_policy", RESERVED),
    ("licenses.1.policy", reserved({"seats": 1, "group": "g"}), "bad_policy", RESERVED.replace("0", "1")),
    ("licenses.0.policy", {"a": [[[[]]]]}, "bad_policy", "licenses[0].policy"),
]


@pytest.mark.parametrize(("path", "value", "code", "where"), WRONG)
def test_each_fault_has_its_code_and_path(path: str, value: object, code: str, where: str) -> None:
    assert faults(careless(bent(path, value))) == [(code, where)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("iat", NOW_MS // 1000 + 86_400),
        ("colour", "blue"),
        ("customer.colour", "blue"),
        ("licenses.0.colour", "blue"),
        ("customer", {"id": "acme"}),
        ("customer.id", "Acme Ltd"),
        ("customer.name", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("licenses.0.limit", 10_000_000),
        ("licenses.0.limit", 1),
        ("licenses.0.overdraft", 0),
        ("licenses.0.policy", {"on_expiry": "drain", "on_lower": "evict", "device": "take_over", "a": [1.5]}),
        ("licenses.0.policy", {"deadline_s": 0, "notify_waiting": True, "reservations": []}),
        ("licenses.0.policy", reserved({"seats": 25, "user": "alice@ACME.example"})),
        ("licenses.0.valid_till", "2026-01-01T00:00:01Z"),
    ],
)
def test_what_is_allowed_holds(path: str, value: object) -> None:
    assert faults(careless(bent(path, value))) == []


def test_a_key_that_ended_long_ago_still_holds() -> None:
    claims = bent("licenses.0.valid_from", "2001-01-01T00:00:00Z")
    claims["licenses"][0]["valid_till"] = "2002-01-01T00:00:00Z"
    assert faults(careless(claims)) == []


def test_all_faults_are_reported_at_once() -> None:
    claims = copy.deepcopy(GOOD)
    claims["domains"] = []
    claims["licenses"][0] |= {"limit": 0, "overdraft": -1}
    claims["licenses"][1] |= {"product": "TELEPATHY", "valid_till": "soon"}
    assert faults(careless(claims)) == [
        ("domains_missing", "domains"),
        ("limit_not_positive", "licenses[0].limit"),
        ("overdraft_negative", "licenses[0].overdraft"),
        ("product_unknown", "licenses[1].product"),
        ("bad_time", "licenses[1].valid_till"),
    ]


def test_messages_say_what_would_be_right() -> None:
    (unknown,) = all_faults(careless(bent("licenses.0.product", "TELE\u202ePATHY")))
    assert unknown.message == "the catalogue has no product 'TELE\\u202ePATHY'"
    (kind,) = all_faults(careless(bent("licenses.0.product", "CHAT")))
    assert kind.message == "the kind must be nominal"
    (policy,) = all_faults(careless(bent("licenses.0.policy", {"on_lower": "now"})))
    assert policy.message == "must be one of drain, evict, after_call"


def test_every_fault_code_is_shown_by_a_test() -> None:
    of_the_form = {
        "malformed", "too_large", "non_canonical_base64", "not_json", "duplicate_json_key", "wrong_typ",
        "wrong_alg", "unknown_kid", "bad_signature",
    }  # fmt: skip
    assert of_the_form | {code for _, _, code, _ in WRONG} == set(FAULT_CODES)


def test_domains_are_compared_without_case() -> None:
    key = verify(careless(bent("domains", ["ACME.Example"])), TRUST, CATALOG, now_ms=NOW_MS)
    assert key.domains == ("acme.example",)


def test_unknown_fields_are_left_out() -> None:
    key = verify(careless(bent("licenses.0.colour", "blue")), TRUST, CATALOG, now_ms=NOW_MS)
    assert not hasattr(key.licenses[0], "colour")


def test_reservations_are_read_in_the_order_in_which_they_are_drawn_on() -> None:
    entries = [
        {"seats": 1, "domain": "ACME.test"},
        {"seats": 2, "group": "sales"},
        {"seats": 3, "user": "a@ACME.example"},
    ]
    key = verify(careless(bent("licenses.0.policy", reserved(*entries))), TRUST, CATALOG, now_ms=NOW_MS)
    assert key.licenses[0].policy["reservations"] == [
        {"seats": 3, "user": "a@acme.example"},
        {"seats": 2, "group": "sales"},
        {"seats": 1, "domain": "acme.test"},
    ]
