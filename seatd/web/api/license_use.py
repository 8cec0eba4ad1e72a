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


class Uses:
    """The uses of `rows`, which has all licenses of each customer.

    Of a product that only counts resources these are what is used. What is above the limit of a resource is judged by all
    licenses that count there: by the largest one, where the product combines by `max`.
    """

    def __init__(self, rows: Iterable[LicenseRow], catalog: Catalog, now_ms: int) -> None:
        self._catalog = catalog
        self._counting: dict[tuple[str, str], list[LicenseRow]] = {}
        self._limits: dict[tuple[str, str, tuple[str, ...]], int] = {}
        for row in rows:
            product = catalog.products.get(row.product)
            is_valid = validity(row.valid_from_ms, row.valid_till_ms, now_ms) == "valid"
            if product is not None and product.resource is not None and is_valid:
                self._counting.setdefault((row.customer, row.product), []).append(row)

    def of(self, row: LicenseRow) -> Use:
        """The use of one of the rows."""
        product = self._catalog.products.get(row.product)
        if product is None or product.resource is None:
            return Use(row, row.used, None, row.above_limit)
        above = max(row.above_limit, row.resources - self._limit(row, product.combine))
        return Use(row, row.resources if product.counts == "resource" else row.used, row.resources, above)

    def _limit(self, row: LicenseRow, combine: str) -> int:
        """Of all that count in the row's domains. (Licenses of one key have the same ones.)"""
        place = (row.customer, row.product, row.domains)
        if place not in self._limits:
            domains = set(row.domains)
            beside = self._counting.get((row.customer, row.product), ())
            limits = [other.limit for other in beside if not domains.isdisjoint(other.domains)]
            self._limits[place] = max(limits, default=0) if combine == "max" else sum(limits)
        return self._limits[place]


def validity(from_ms: int, till_ms: int, now_ms: int) -> Validity:
    """Whether a license counts at this moment: from its first millisecond until before its end."""
    if now_ms >= till_ms:
        return "expired"
    return "not_yet_valid" if now_ms < from_ms else "valid"
