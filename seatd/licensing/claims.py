"""What a license key says, read field by field: every fault is found at once, each with its path.

Times are RFC 3339 in UTC with whole seconds, `2026-01-31T00:00:00Z`; `iat` is in seconds since 1970 as in
every JWT. Unknown fields are left out, so that a newer vendor's key still works.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import msgspec

from seatd.licensing.catalog import Catalog
from seatd.licensing.faults import Fault
from seatd.licensing.fields import Fields
from seatd.licensing.names import canonical_domain, check_customer, check_domain, check_license, check_text
from seatd.licensing.policy import read_policy
from seatd_protocol.messages import SeatKind

MAX_LIMIT = 10_000_000
MAX_IAT_S = 253_402_300_799  # the end of the year 9999
MAX_FUTURE_S = 24 * 3600  # a vendor's clock may run ahead, or stand in another zone


class CustomerClaim(msgspec.Struct, frozen=True, kw_only=True):
    """Who bought the licenses."""

    id: str
    name: str = ""
    agency: str = ""
    external_id: str = ""


class LicenseClaim(msgspec.Struct, frozen=True, kw_only=True):
    """One license of a key: `limit` seats of a product, from `valid_from_ms` until before `valid_till_ms`."""

    id: str
    product: str
    kind: SeatKind
    limit: int
    valid_from_ms: int
    valid_till_ms: int
    name: str = ""
    tier: str = ""
    overdraft: int = 0
    policy: dict[str, object] = msgspec.field(default_factory=dict)


class LicenseKey(msgspec.Struct, frozen=True, kw_only=True):
    """A license key that holds. `iat` is in seconds; `domains` are in their one form (case folded); `text` is
    the key itself, in its one spelling."""

    jti: str
    iss: str
    iat: int
    kid: str
    customer: CustomerClaim
    domains: tuple[str, ...]
    licenses: tuple[LicenseClaim, ...]
    text: str


def read_claims(
    claims: Mapping[str, object], catalog: Catalog, *, now_ms: int | None, kid: str, text: str
) -> LicenseKey | tuple[Fault, ...]:
    """The key that these claims make, or everything that is wrong with them. Without `now_ms` the moment of
    issue is not compared with the clock."""
    faults: list[Fault] = []
    fields = Fields(claims, "", faults)
    iat = fields.bounded("iat", 0, MAX_IAT_S, "wrong_type", default=None)
    if now_ms is not None and iat > now_ms // 1000 + MAX_FUTURE_S:
        fields.fault("issued_in_future", "iat")
    customer = _customer(fields.member("customer"))
    domains = _domains(fields)
    licenses = _licenses(fields, catalog, domains)
    iss, jti = fields.text("iss", _label), fields.text("jti", check_license)
    if faults:
        return tuple(faults)
    return LicenseKey(
        jti=jti, iss=iss, iat=iat, kid=kid, customer=customer, domains=domains, licenses=licenses, text=text
    )


def _label(text: str) -> str:
    return check_text(text)


def _customer(fields: Fields) -> CustomerClaim:
    return CustomerClaim(
        id=fields.text("id", check_customer),
        name=fields.text("name", check_text, default=""),
        agency=fields.text("agency", check_text, default=""),
        external_id=fields.text("external_id", check_text, default=""),
    )


def _domains(fields: Fields) -> tuple[str, ...]:
    texts = fields.texts("domains", check_domain)
    domains = tuple(map(canonical_domain, texts or ()))
    if texts == []:
        fields.fault("domains_missing", "domains")
    elif len(set(domains)) < len(domains):
        fields.fault("duplicate_domain", "domains")
    return domains


def _licenses(fields: Fields, catalog: Catalog, domains: tuple[str, ...]) -> tuple[LicenseClaim, ...]:
    entries = fields.members("licenses")
    if entries == []:
        fields.fault("licenses_missing", "licenses")
    seen: set[str] = set()
    licenses = []
    for entry in entries or ():
        license_ = _license(entry, catalog, domains)
        if license_.id and license_.id in seen:
            entry.fault("duplicate_license_id", "id")
        seen.add(license_.id)
        licenses.append(license_)
    return tuple(licenses)


def _license(fields: Fields, catalog: Catalog, domains: tuple[str, ...]) -> LicenseClaim:
    product, kind = _product_and_kind(fields, catalog)
    from_ms, till_ms = fields.time_ms("valid_from"), fields.time_ms("valid_till")
    if from_ms is not None and till_ms is not None and from_ms >= till_ms:
        fields.fault("from_not_before_till", "valid_till")
    limit = fields.bounded("limit", 1, MAX_LIMIT, "limit_not_positive", default=None)
    return LicenseClaim(
        id=fields.text("id", check_license),
        product=product,
        kind=kind,
        limit=limit,
        valid_from_ms=from_ms or 0,
        valid_till_ms=till_ms or 0,
        name=fields.text("name", check_text, default=""),
        tier=fields.text("tier", check_text, default=""),
        overdraft=fields.bounded("overdraft", 0, MAX_LIMIT, "overdraft_negative", default=0),
        policy=read_policy(fields, kind=kind, limit=limit, domains=domains),
    )


def _product_and_kind(fields: Fields, catalog: Catalog) -> tuple[str, SeatKind]:
    name, kind = fields.text("product"), fields.text("kind")
    product = catalog.products.get(name)
    if name and product is None:
        fields.fault("product_unknown", "product", f"the catalogue has no product {name[:64]!a}")
    allowed = product.kinds if product else frozenset(get_args(SeatKind))
    if kind and kind not in allowed:
        fields.fault("kind_not_allowed", "kind", f"the kind must be {' or '.join(sorted(allowed))}")
    return name, "nominal" if kind == "nominal" else "competitive"
