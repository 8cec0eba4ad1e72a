"""`seatd license show`: what a license key says. Works without a server."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from seatd.cli.access import json_option
from seatd.cli.failures import Refused
from seatd.cli.keys import KEY_FILE
from seatd.cli.license import license_group, load_catalog, read_text, refusal
from seatd.cli.output import console, minute, print_json, print_table, say, visible

if TYPE_CHECKING:
    from seatd.licensing.keys import LicenseClaim, LicenseKey, TrustStore


@license_group.command("show")
@click.argument("file", type=click.File("rb"))
@click.option("--trust", "trust_files", multiple=True, type=KEY_FILE, help="Vendor's public key; repeatable.")
@click.option(
    "--catalog", "catalog_file", type=KEY_FILE, help="A product catalogue other than the built-in one."
)
@json_option
def show(file: IO[bytes], trust_files: tuple[Path, ...], catalog_file: Path | None, as_json: bool) -> None:
    """Show what a license key says.

    FILE may be - for standard input. With --trust the signature is verified; without, anybody may have
    written the key.
    """
    import msgspec

    from seatd.licensing.keys import BadLicenseKey, read_unverified, verify

    text, trust, catalog = read_text(file), _trust(trust_files), load_catalog(catalog_file)
    now_ms = time.time_ns() // 1_000_000
    try:
        key = (
            verify(text, trust, catalog, now_ms=now_ms)
            if trust is not None
            else read_unverified(text, catalog, now_ms=now_ms)
        )
    except BadLicenseKey as error:
        raise refusal("The license key is refused", error) from None
    if as_json:
        print_json(msgspec.json.encode({"verified": trust is not None, **_document(key)}))
    else:
        _print_key(key, now_ms)
    if trust is None:
        say("UNVERIFIED: the signature was not checked; give the vendor's public key with --trust.")


def _document(key: LicenseKey) -> dict[str, object]:
    """The key for programs, with its times as in the key itself and in the REST API."""
    import msgspec

    licenses = []
    for claim in key.licenses:
        fields = msgspec.structs.asdict(claim)
        for name in ("valid_from", "valid_till"):
            fields[name] = datetime.fromtimestamp(fields.pop(f"{name}_ms") / 1000, UTC)
        licenses.append(fields)
    return {**msgspec.structs.asdict(key), "licenses": licenses}


def _trust(files: tuple[Path, ...]) -> TrustStore | None:
    from seatd.licensing.keys import BadTrustAnchor, TrustStore

    try:
        return TrustStore.from_pems((str(path), path.read_bytes()) for path in files) if files else None
    except BadTrustAnchor as error:
        raise Refused(f"{error}.") from None


def _print_key(key: LicenseKey, now_ms: int) -> None:
    facts = {
        "Customer": " ".join(
            filter(None, (key.customer.id, f"({key.customer.name})" if key.customer.name else ""))
        ),
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
