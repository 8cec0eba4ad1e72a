"""`seatd license issue`: the vendor signs a license key. Works without a server."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from seatd.cli.keys import KEY_FILE, signing_key
from seatd.cli.license import CATALOG_OPTION, license_group, load_catalog, refusal
from seatd.cli.license_policy import policy_options
from seatd.cli.output import minute
from seatd.cli.parsing import LICENSE_SPEC, UTC_TIME, LicenseSpec

# A new license is valid at once also where the clock is a little behind the vendor's.
CLOCK_ALLOWANCE = timedelta(minutes=5)


@license_group.command("issue")
@click.option("--key", "key_file", required=True, type=KEY_FILE, help="The vendor's private key.")
@click.option("--customer", required=True, help="Id of the customer.")
@click.option("--customer-name", default="", help="Name of the customer.")
@click.option("--agency", default="", help="Agency that manages the customer.")
@click.option("--external-id", default="", help="The customer's id in the ordering system.")
@click.option("--domain", "domains", required=True, multiple=True, help="Domain of the users; repeatable.")
@click.option(
    "--license", "specs", required=True, multiple=True, type=LICENSE_SPEC,
    help="A license, such as CALL_CENTER:competitive:25; repeatable.",
)  # fmt: skip
@click.option(
    "--days", type=click.IntRange(1, 36500), help="Valid for so many days from now, or from --from."
)
@click.option("--from", "valid_from", type=UTC_TIME, help="Valid from, in UTC.  [default: five minutes ago]")
@click.option(
    "--till", "valid_till", type=UTC_TIME, help="Valid until before, in UTC; a date means its start."
)
@click.option("--name", default="", help="Name of the order.")
@click.option("--tier", default="", help="Tier or type of the licenses.")
@click.option(
    "--overdraft", type=click.IntRange(0), default=0, help="Seats above the limit that may be taken."
)
@click.option("--id-prefix", help="Licenses are called PREFIX-1, PREFIX-2, ...  [default: random]")
@click.option("--issuer", default="vendor", show_default=True, help="Who issues the key.")
@CATALOG_OPTION
@click.option("--armor", is_flag=True, help="Print the key in lines, for mail.")
@policy_options
def issue(
    key_file: Path,
    domains: tuple[str, ...],
    specs: tuple[LicenseSpec, ...],
    days: int | None,
    valid_from: datetime | None,
    valid_till: datetime | None,
    overdraft: int,
    id_prefix: str | None,
    issuer: str,
    catalog_file: Path | None,
    armor: bool,
    policy: dict[str, object],
    **texts: str,
) -> None:
    """Issue a signed license key.

    It is all that is printed on standard output. Times are in UTC. A license with an id that the customer has
    already replaces that one when it is imported.
    """
    from seatd.licensing import compact
    from seatd.licensing.keys import BadLicenseKey, sign

    now = datetime.now(UTC).replace(microsecond=0)
    start, end = _span(now, days, valid_from, valid_till)
    common = {
        "valid_from": _rfc3339(start),
        "valid_till": _rfc3339(end),
        "overdraft": overdraft,
        **_given(texts, name="name", tier="tier"),
        **({"policy": policy} if policy else {}),
    }
    prefix = id_prefix or secrets.token_hex(5)
    claims = {
        "iss": issuer,
        "jti": secrets.token_hex(16),
        "iat": int(now.timestamp()),
        "customer": {"id": texts["customer"]}
        | _given(texts, customer_name="name", agency="agency", external_id="external_id"),
        "domains": list(domains),
        "licenses": [
            {"id": f"{prefix}-{number}", **spec._asdict(), **common} for number, spec in enumerate(specs, 1)
        ],
    }
    try:
        key = sign(claims, signing_key(key_file), load_catalog(catalog_file))
    except BadLicenseKey as error:
        raise refusal("The license key cannot be issued", error) from None
    click.echo(compact.wrap(key) if armor else key, nl=not armor)


def _span(
    now: datetime, days: int | None, valid_from: datetime | None, valid_till: datetime | None
) -> tuple[datetime, datetime]:
    """When the licenses begin and end. Raises UsageError."""
    if (days is None) == (valid_till is None):
        raise click.UsageError("Say how long the licenses are valid: either --days N, or --till DATE.")
    start = valid_from or now - CLOCK_ALLOWANCE
    try:
        end = valid_till or (valid_from or now) + timedelta(days=days or 0)
    except OverflowError:
        raise click.UsageError("The licenses would end after the year 9999.") from None
    if end <= start:
        raise click.UsageError(f"--till must be after {minute(start)} UTC, when the licenses begin.")
    return start, end


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _given(texts: dict[str, str], **claims: str) -> dict[str, str]:
    """The options that were given, under the names of their claims (option=claim)."""
    return {claim: texts[option] for option, claim in claims.items() if texts[option]}
