"""What of a license is in use, as its product counts it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from seatd.licensing.catalog import Catalog
from seatd.store.registry_values import LicenseRow

Validity = Literal["valid", "not_yet_valid", "expired"]


@dataclass(frozen=True, slots=True)
class Use:
    """A license and its use now. `resources`: switched on in its domains; None when its product limits none."""

    row: LicenseRow
    used: int
    resources: int | None
    above_limit: int


def use_of(row: LicenseRow, rows: Iterable[LicenseRow], catalog: Catalog, now_ms: int) -> Use:
    """The use of one of `rows`, which has all licenses of its customer.

    Of a product that only counts resources these are what is used. What is above the limit of a resource is judged by all
    licenses that count there: by the largest one, where the product combines by `max`.
    """
    product = catalog.products.get(row.product)
    if product is None or product.resource is None:
        return Use(row, row.used, None, row.above_limit)
    beside = [
        other.limit
        for other in rows
        if (other.customer, other.product) == (row.customer, row.product)
        and not set(other.domains).isdisjoint(row.domains)
        and validity(other.valid_from_ms, other.valid_till_ms, now_ms) == "valid"
    ]
    limit = max(beside, default=0) if product.combine == "max" else sum(beside)
    above = max(row.above_limit, row.resources - limit)
    return Use(row, row.resources if product.counts == "resource" else row.used, row.resources, above)


def validity(from_ms: int, till_ms: int, now_ms: int) -> Validity:
    """Whether a license counts at this moment: from its first millisecond until before its end."""
    if now_ms >= till_ms:
        return "expired"
    return "not_yet_valid" if now_ms < from_ms else "valid"
