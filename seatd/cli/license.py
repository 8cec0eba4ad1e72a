"""`seatd license issue` and `show`: license keys without a server. The other verbs are in `license_registry`."""

from __future__ import annotations

import codecs
import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from seatd.cli.access import json_option
from seatd.cli.failures import Refused
from seatd.cli.keys import KEY_FILE, signing_key
from seatd.cli.output import console, minute, print_json, print_table, say, visible
from seatd.cli.parsing import LICENSE_SPEC, UTC_TIME, LicenseSpec

if TYPE_CHECKING:
    from seatd.licensing.keys import BadLicenseKey, LicenseClaim, LicenseKey, TrustStore

# A new license is valid at once also where the clock is a little behind the vendor's.
CLOCK_ALLOWANCE = timedelta(minutes=5)
MAX_FILE = 4_000_000


@click.group("license")
def license_group() -> None:
    """License keys (issue, show) and the registry of a server (all other verbs)."""


@license_group.command("issue")
@click.option("--key", "key_file", required=True, type=KEY_FILE, help="The vendor's private key.")
@click.option("--customer", required=True, help="Id of the customer.")
@click.option("--customer-name", default="", help="Name of the customer.")
@click.option("--agency", default="", help="Agency that manages the customer.")
@click.option("--external-id", default="", help="The customer's id in the ordering system.")
@click.option("--domain", "domains", required=True, multiple=True, help="Domain of the users; repeatable.")
@click.option(
    "--license", "licenses", required=True, multiple=True, type=LICENSE_SPEC,
    help="A license, such as CALL_CENTER:competitive:25; repeatable.",
)  # fmt: skip
@click.option("--days", type=click.IntRange(1, 36500), help="Valid for so many days from now, or from --from.")
@click.option("--from", "valid_from", type=UTC_TIME, help="Valid from, in UTC.  [default: five minutes ago]")
@click.option("--till", "valid_till", type=UTC_TIME, help="Valid until before, in UTC; a date means its start.")
@click.option("--name", default="", help="Name of the order.")
@click.option("--tier", default="", help="Tier or type of the licenses.")
@click.option("--overdraft", type=click.IntRange(0), default=0, help="Seats above the limit that may be taken.")
@click.option("--id-prefix", help="Licenses are called PREFIX-1, PREFIX-2, ...  [default: random]")
@click.option("--issuer", default="vendor", show_default=True, help="Who issues the key.")
@click.option("--catalog", "catalog_file", type=KEY_FILE, help="A product catalogue other than the built-in one.")
@click.option("--armor", is_flag=True, help="Print the key in lines, for mail.")
def issue(
    key_file: Path,
    customer: str,
    customer_name: str,
    agency: str,
    external_id: str,
    domains: tuple[str, ...],
    licenses: tuple[LicenseSpec, ...],
    days: int | None,
    valid_from: datetime | None,
    valid_till: datetime | None,
    name: str,
    tier: str,
    overdraft: int,
    id_prefix: str | None,
    issuer: str,
    catalog_file: Path | None,
    armor: bool,
) -> None:
    """Issue a license key: signed, printed on standard output, nothing else there.

    Times are in UTC. A license with an id that a customer has already replaces that one when it is imported.
    """
    from seatd.licensing import compact
    from seatd.licensing.keys import BadLicenseKey, sign

    now = datetime.now(UTC).replace(microsecond=0)
    start, end = _span(now, days, valid_from, valid_till)
    common = {
        "valid_from": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "valid_till": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "overdraft": overdraft,
    } | {field: text for field, text in (("name", name), ("tier", tier)) if text}
    buyer = {"id": customer, "name": customer_name, "agency": agency, "external_id": external_id}
    prefix = id_prefix or secrets.token_hex(5)
    claims = {
        "iss": issuer,
        "jti": secrets.token_hex(16),
        "iat": int(now.timestamp()),
        "customer": {field: text for field, text in buyer.items() if text or field == "id"},
        "domains": list(domains),
        "licenses": [
            {"id": f"{prefix}-{number}", **spec._asdict(), **common} for number, spec in enumerate(licenses, 1)
        ],
    }
    try:
        key = sign(claims, signing_key(key_file), _catalog(catalog_file))
    except BadLicenseKey as error:
        raise _refused("The license key cannot be issued", error) from None
    click.echo(compact.wrap(key) if armor else key, nl=not armor)


def _span(
    now: datetime, days: int | None, valid_from: datetime | None, valid_till: datetime | None
) -> tuple[datetime, datetime]:
    if (days is None) == (valid_till is None):
        raise click.UsageError("Say how long the licenses are valid: either --days N, or --till DATE.")
    start = valid_from or now - CLOCK_ALLOWANCE
    end = valid_till or (valid_from or now) + timedelta(days=days or 0)
    if end <= start:
        raise click.UsageError(f"--till must be after {minute(start)} UTC, when the licenses begin.")
    return start, end


@license_group.command("show")
@click.argument("file", type=click.File("rb"))
@click.option("--trust", "trust_files", multiple=True, type=KEY_FILE, help="Vendor's public key; repeatable.")
@click.option("--catalog", "catalog_file", type=KEY_FILE, help="A product catalogue other than the built-in one.")
@json_option
def show(file: IO[bytes], trust_files: tuple[Path, ...], catalog_file: Path | None, as_json: bool) -> None:
    """Show what a license key says (FILE, or - for standard input).

    With --trust the signature is verified; without, anybody may have written the key.
    """
    import msgspec

    from seatd.licensing.keys import BadLicenseKey, read_unverified, verify

    text, trust, catalog = read_text(file), _trust(trust_files), _catalog(catalog_file)
    now_ms = time.time_ns() // 1_000_000
    try:
        if trust is None:
            key = read_unverified(text, catalog, now_ms=now_ms)
        else:
            key = verify(text, trust, catalog, now_ms=now_ms)
    except BadLicenseKey as error:
        raise _refused("The license key is refused", error) from None
    if as_json:
        print_json(msgspec.json.encode({"verified": trust is not None, **msgspec.to_builtins(key)}))
    else:
        _print_key(key, now_ms)
    if trust is None:
        say("UNVERIFIED: the signature was not checked; give the vendor's public key with --trust.")


def read_text(file: IO[bytes]) -> str:
    """A pasted or saved license key, also as some Windows programs save text. Raises Refused."""
    raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise Refused(f"{file.name} is too large for a license key.")
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{file.name} is not text, so it holds no license key.") from None


def _trust(files: tuple[Path, ...]) -> TrustStore | None:
    from seatd.licensing.keys import BadTrustAnchor, TrustStore

    try:
        return TrustStore.from_pems((str(path), path.read_bytes()) for path in files) if files else None
    except BadTrustAnchor as error:
        raise Refused(f"{error}.") from None


def _catalog(path: Path | None) -> Catalog:
    from seatd.licensing.catalog import BadCatalog, Catalog

    try:
        return Catalog.load(path.read_text("utf-8") if path else None)
    except (BadCatalog, UnicodeDecodeError) as error:
        raise Refused(f"{path}: {error}") from None


def _refused(what: str, error: BadLicenseKey) -> Refused:
    return Refused(f"{what}.\n" + "\n".join(f"  {fault}" for fault in error.faults))


def _print_key(key: LicenseKey, now_ms: int) -> None:
    facts = {
        "Customer": " ".join(filter(None, (key.customer.id, f"({key.customer.name})" if key.customer.name else ""))),
        "Agency": key.customer.agency,
        "External id": key.customer.external_id,
        "Domains": ", ".join(key.domains),
        "Issued": f"{minute(datetime.fromtimestamp(key.iat, UTC))} by {key.iss}",
        "Key": f"{key.jti} (signed by {key.kid})",
    }
    for name, value in facts.items():
        if value:
            console().print(f"{name:<12} {visible(value)}", soft_wrap=True)
    print_table(
        ("License", "Product", "Kind", ">Limit", "Valid from", "Valid till", "Status", "Tier", "Name"),
        (
            (
                claim.id,
                claim.product,
                claim.kind,
                f"{claim.limit}" + (f" +{claim.overdraft}" if claim.overdraft else ""),
                minute(datetime.fromtimestamp(claim.valid_from_ms / 1000, UTC)),
                minute(datetime.fromtimestamp(claim.valid_till_ms / 1000, UTC)),
                _status(claim, now_ms),
                claim.tier,
                claim.name,
            )
            for claim in key.licenses
        ),
    )


def _status(claim: LicenseClaim, now_ms: int) -> str:
    if now_ms >= claim.valid_till_ms:
        return "expired"
    return "not yet valid" if now_ms < claim.valid_from_ms else "valid"
