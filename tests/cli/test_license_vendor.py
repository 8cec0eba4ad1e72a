"""`seatd license issue` and `show`: the vendor's side, without a server."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seatd.licensing.catalog import Catalog
from seatd.licensing.keys import LicenseKey, TrustStore, verify
from tests.cli.conftest import Seatd

BASE = ("--customer", "acme", "--domain", "acme.example", "--license", "CALL_CENTER:competitive:25")


def issue(seatd: Seatd, *words: str) -> str:
    made = seatd("license", "issue", "--key", "vendor.key", *words)
    assert (made.exit_code, made.stderr) == (0, "")
    return made.stdout


def read(text: str) -> LicenseKey:
    trust = TrustStore.from_pems([("vendor.pem", Path("vendor.pem").read_bytes())])
    return verify(text, trust, Catalog.load(), now_ms=time.time_ns() // 1_000_000)


def test_only_the_key_is_printed_and_it_holds(seatd: Seatd, vendor: Path) -> None:
    text = issue(
        seatd, *BASE, "--license", "EMAIL:nominal:10", "--domain", "acme.test", "--days", "365", "--agency", "A",
        "--external-id", "X", "--customer-name", "Acme Ltd", "--name", "order 7", "--tier", "gold",
        "--overdraft", "2", "--id-prefix", "acme", "--issuer", "we",
    )  # fmt: skip
    assert text == text.strip() + "\n"
    key = read(text)
    assert (key.iss, key.domains) == ("we", ("acme.example", "acme.test"))
    assert (key.customer.id, key.customer.name, key.customer.agency, key.customer.external_id) == (
        "acme", "Acme Ltd", "A", "X",
    )  # fmt: skip
    assert [(row.id, row.product, row.kind, row.limit) for row in key.licenses] == [
        ("acme-1", "CALL_CENTER", "competitive", 25),
        ("acme-2", "EMAIL", "nominal", 10),
    ]
    assert {(row.name, row.tier, row.overdraft) for row in key.licenses} == {("order 7", "gold", 2)}


def test_the_policy_is_what_was_said(seatd: Seatd, vendor: Path) -> None:
    (row,) = read(
        issue(
            seatd, *BASE, "--days", "30", "--on-expiry", "after_call", "--on-lower", "evict", "--on-remove", "drain",
            "--deadline", "15m", "--device-rule", "take_over", "--notify-waiting", "--reserve", "group:a:b:2",
            "--reserve", "user:boss@acme.example:1",
        )
    ).licenses  # fmt: skip
    assert row.policy == {
        "on_expiry": "after_call",
        "on_lower": "evict",
        "on_remove": "drain",
        "deadline_s": 900,
        "device": "take_over",
        "notify_waiting": True,
        "reservations": [{"user": "boss@acme.example", "seats": 1}, {"group": "a:b", "seats": 2}],
    }
    (plain,) = read(issue(seatd, *BASE, "--days", "30")).licenses
    assert plain.policy == {}


def test_days_count_from_now_with_an_allowance_for_clocks(seatd: Seatd, vendor: Path) -> None:
    key = read(issue(seatd, *BASE, "--days", "30"))
    (row,) = key.licenses
    assert row.valid_from_ms == (key.iat - 300) * 1000
    assert row.valid_till_ms == (key.iat + 30 * 86400) * 1000


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        (
            ("--from", "2030-01-01", "--till", "2030-02-01"),
            datetime(2030, 1, 1, tzinfo=UTC),
            datetime(2030, 2, 1, tzinfo=UTC),
        ),
        (
            ("--from", "2030-01-01T12:00:00Z", "--days", "1"),
            datetime(2030, 1, 1, 12, tzinfo=UTC),
            datetime(2030, 1, 2, 12, tzinfo=UTC),
        ),
    ],
)
def test_dates_are_in_utc(
    seatd: Seatd, vendor: Path, words: tuple[str, ...], start: datetime, end: datetime
) -> None:
    (row,) = read(issue(seatd, *BASE, *words)).licenses
    assert (row.valid_from_ms, row.valid_till_ms) == (start.timestamp() * 1000, end.timestamp() * 1000)


def test_two_keys_have_different_ids(seatd: Seatd, vendor: Path) -> None:
    first, second = (read(issue(seatd, *BASE, "--days", "1")) for _ in range(2))
    assert first.jti != second.jti
    assert first.licenses[0].id != second.licenses[0].id


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "Say how long the licenses are valid: either --days N, or --till DATE."),
        (
            ("--days", "1", "--till", "2030-01-01"),
            "Say how long the licenses are valid: either --days N, or --till DATE.",
        ),
        (("--days", "0"), "Invalid value for '--days': 0 is not in the range 1<=x<=36500."),
        (("--from", "9999-12-01", "--days", "36500"), "The licenses would end after the year 9999."),
        (
            ("--from", "2030-01-02", "--till", "2030-01-02"),
            "--till must be after 2030-01-02 00:00 UTC, when the licenses begin.",
        ),
        (
            ("--till", "tomorrow"),
            "Invalid value for '--till': 'tomorrow' is not a date in UTC such as 2026-01-31 or "
            "2026-01-31T12:00:00Z.",
        ),
        (
            ("--till", "2030-02-30"),
            "Invalid value for '--till': '2030-02-30' is not a date in UTC such as 2026-01-31 or "
            "2026-01-31T12:00:00Z.",
        ),
        (
            ("--days", "1", "--reserve", "team:sales:2"),
            "Invalid value for '--reserve': 'team:sales:2' is not KIND:NAME:SEATS, such as group:supervisors:2; "
            "KIND is user, group or domain.",
        ),
        (
            ("--days", "1", "--license", "CALL_CENTER:25"),
            "Invalid value for '--license': 'CALL_CENTER:25' is not PRODUCT:KIND:LIMIT, such as "
            "CALL_CENTER:competitive:25.",
        ),
        (
            ("--days", "1", "--license", "CALL_CENTER:floating:25"),
            "Invalid value for '--license': 'floating' is not a kind; it is competitive or nominal.",
        ),
        (
            ("--days", "1", "--license", "CALL_CENTER:nominal:many"),
            "Invalid value for '--license': 'many' is not a limit; it is a whole number.",
        ),
        (("--days", "1", "--key", "no.key"), "Invalid value for '--key': File 'no.key' does not exist."),
    ],
)
def test_a_wrong_command_line(seatd: Seatd, vendor: Path, words: tuple[str, ...], message: str) -> None:
    made = seatd("license", "issue", "--key", "vendor.key", *BASE, *words)
    assert (made.exit_code, made.stdout) == (2, "")
    assert made.stderr.endswith(f"\nError: {message}\n")


@pytest.mark.parametrize("missing", ["--customer", "--domain", "--license"])
def test_what_must_be_given(seatd: Seatd, vendor: Path, missing: str) -> None:
    place = BASE.index(missing)
    made = seatd("license", "issue", "--key", "vendor.key", *BASE[:place], *BASE[place + 2 :], "--days", "1")
    assert made.exit_code == 2
    assert f"Error: Missing option '{missing}'" in made.stderr


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (
            ("--license", "TELEPATHY:nominal:1", "--license", "CHAT:competitive:0"),
            "  licenses[1].product: the catalogue has no product 'TELEPATHY' (product_unknown)\n"
            "  licenses[2].kind: the kind must be nominal (kind_not_allowed)\n"
            "  licenses[2].limit: must be a whole number from 1 to 10000000 (limit_not_positive)\n",
        ),
        (
            ("--domain", "acme.example"),
            "  domains: the key names a domain twice (duplicate_domain)\n",
        ),
        (
            ("--id-prefix", "a/b"),
            "  licenses[0].id: license id must have no / and not be . or .. (bad_name)\n",
        ),
    ],
)
def test_what_a_server_would_refuse_is_not_issued(
    seatd: Seatd, vendor: Path, words: tuple[str, ...], faults: str
) -> None:
    made = seatd("license", "issue", "--key", "vendor.key", *BASE, "--days", "1", *words)
    assert (made.exit_code, made.stdout) == (1, "")
    assert made.stderr == f"Error: The license key cannot be issued.\n{faults}"


def test_an_own_catalogue(seatd: Seatd, vendor: Path) -> None:
    Path("own.toml").write_text('[products.DESK]\nkinds = ["nominal"]\ncombine = "sum"\ncounts = "user"\n')
    words = ("--customer", "acme", "--domain", "acme", "--days", "1", "--license", "DESK:nominal:1")
    text = issue(seatd, *words, "--catalog", "own.toml")
    assert (
        seatd("license", "show", "-", "--trust", "vendor.pem", "--catalog", "own.toml", stdin=text).exit_code
        == 0
    )
    Path("own.toml").write_text("[products]\n")
    shown = seatd("license", "show", "-", "--catalog", "own.toml", stdin=text)
    assert (shown.exit_code, shown.stderr) == (
        1,
        "Error: The product catalogue in own.toml is not usable.\n  products: at least one product is needed\n",
    )


def test_show_verifies_with_trust(seatd: Seatd, vendor: Path) -> None:
    text = issue(seatd, *BASE, "--days", "365", "--customer-name", "Acme Ltd", "--overdraft", "3")
    Path("acme.license").write_text(text)
    shown = seatd("license", "show", "acme.license", "--trust", "vendor.pem")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "Customer     acme (Acme Ltd)" in shown.stdout
    assert "CALL_CENTER" in shown.stdout
    assert "25 +3" in shown.stdout
    assert "valid" in shown.stdout


def test_show_says_unverified_without_trust(seatd: Seatd, vendor: Path) -> None:
    text = issue(seatd, *BASE, "--from", "2030-01-01", "--days", "1")
    shown = seatd("license", "show", "-", "--json", stdin=text)
    assert shown.exit_code == 0
    assert shown.stderr == (
        "UNVERIFIED: the signature was not checked; give the vendor's public key with --trust.\n"
    )
    document = json.loads(shown.stdout)
    assert document["verified"] is False
    assert document["customer"]["id"] == "acme"
    assert document["licenses"][0]["valid_from"] == "2030-01-01T00:00:00Z"
    assert json.loads(seatd("license", "show", "-", "--trust", "vendor.pem", "--json", stdin=text).stdout)[
        "verified"
    ]


def test_show_reads_what_people_paste(seatd: Seatd, vendor: Path) -> None:
    text = issue(seatd, *BASE, "--days", "1", "--armor")
    assert text.startswith("-----BEGIN SEATD LICENSE-----\n")
    pasted: list[str | bytes] = [text, f"\ufeff  '{text}'", text.encode("utf-16"), text.replace("\n", "\r\n")]
    for form in pasted:
        assert seatd("license", "show", "-", "--trust", "vendor.pem", stdin=form).exit_code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"hello", "the text is not a license key (three parts joined by dots) (malformed)"),
        (b"", "the text is not a license key (three parts joined by dots) (malformed)"),
        (b"e30.e30.AA", "header.typ: the header's typ is not that of a license key (wrong_typ)"),
    ],
)
def test_show_says_what_is_wrong(seatd: Seatd, vendor: Path, text: bytes, message: str) -> None:
    shown = seatd("license", "show", "-", "--trust", "vendor.pem", stdin=text)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr == f"Error: The license key is refused.\n  {message}\n"


def test_show_refuses_a_strangers_key(seatd: Seatd, vendor: Path) -> None:
    text = issue(seatd, *BASE, "--days", "1")
    Path("other.pem").write_text(seatd("keys", "new", "--out", "other.key").stdout)
    shown = seatd("license", "show", "-", "--trust", "other.pem", stdin=text)
    assert (shown.exit_code, shown.stderr) == (
        1,
        "Error: The license key is refused.\n"
        "  header.kid: no trusted vendor key has this key id (unknown_kid)\n",
    )


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (b"\xff\x00\xfe", "The file is not text, so it holds no license key."),
        (b"A" * 4_000_001, "The file is too large for a license key."),
    ],
)
def test_show_refuses_other_files(seatd: Seatd, stdin: bytes, message: str) -> None:
    shown = seatd("license", "show", "-", stdin=stdin)
    assert (shown.exit_code, shown.stderr) == (1, f"Error: {message}\n")


def test_show_refuses_a_private_key_as_trust(seatd: Seatd, vendor: Path) -> None:
    shown = seatd("license", "show", "-", "--trust", vendor, stdin="a.b.c")
    assert (shown.exit_code, shown.stderr) == (
        1,
        "Error: vendor.key: holds a private key; only the public key belongs here.\n",
    )


def test_show_a_file_that_is_not_there(seatd: Seatd) -> None:
    shown = seatd("license", "show", "acme.license")
    assert shown.exit_code == 2
    assert "Invalid value for 'FILE': 'acme.license': No such file or directory" in shown.stderr


def test_an_expired_license_is_called_so(seatd: Seatd, vendor: Path) -> None:
    past = datetime.now(UTC) - timedelta(days=10)
    text = issue(seatd, *BASE, "--from", past.strftime("%Y-%m-%d"), "--days", "1")
    assert "expired" in seatd("license", "show", "-", "--trust", "vendor.pem", stdin=text).stdout
