"""What a customer has bought, added up per product by the product's rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from seatd.licensing.catalog import Catalog
from seatd.licensing.extensions import most_per_extension
from seatd.licensing.product import Combine, Product
from seatd.store.overviews import Overview
from seatd.store.registry_values import LicenseRow
from seatd.web.api.license_use import validity
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Listing, Nothing, PageQuery, Search

ops = Ops("licenses")


class TotalsQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one customer, or of all that are there."""

    customer: Search = ""


class ProductTotal(msgspec.Struct, frozen=True, kw_only=True):
    """All licenses of a product that a customer has. `limit`: of those that are valid now, their sum, or the largest one.
    `base`: the product whose add-on it is; "": it stands alone. `per_extension`: so often an extension may have it."""

    customer: str
    product: str
    combine: Combine
    licenses: Annotated[int, msgspec.Meta(description="valid now")]
    limit: int
    used: int
    online: int
    above_limit: int
    base: str
    per_extension: int | None


@ops.op("GET", "/api/v1/licenses/totals", "licenses.read")
async def license_totals(call: Call[Nothing, TotalsQuery, Nothing]) -> Listing[ProductTotal]:
    """Limits and use per customer and product"""
    query, services = call.query, call.services
    customers = [name for name in await call.scope.customers() if query.customer in ("", name)]
    totals: list[ProductTotal] = []
    async for overview in services.store.overviews(customers):
        rows = [row for row in overview.licenses if call.scope.any_domain(row.domains)]
        totals += totals_of(overview, rows, services.catalog, services.now_ms())
    page = tuple(totals[query.offset : query.offset + query.size])
    return Listing(items=page, page=query.page, size=query.size, total=len(totals))


def totals_of(
    overview: Overview, rows: Iterable[LicenseRow], catalog: Catalog, now_ms: int
) -> list[ProductTotal]:
    """The totals of these of the customer's licenses, by product."""
    by_product: dict[str, list[LicenseRow]] = {}
    for row in rows:
        by_product.setdefault(row.product, []).append(row)
    return [
        _total(overview, found, catalog.products.get(product), now_ms)
        for product, found in sorted(by_product.items())
    ]


def _total(overview: Overview, rows: list[LicenseRow], product: Product | None, now_ms: int) -> ProductTotal:
    valid = [row for row in rows if validity(row.valid_from_ms, row.valid_till_ms, now_ms) == "valid"]
    combine: Combine = product.combine if product else "sum"
    limits = [row.limit for row in valid]
    limit = max(limits, default=0) if combine == "max" else sum(limits)
    online = sum(row.online for row in rows)
    name = rows[0].product
    resources = overview.resources.get(name, 0) if product and product.resource else 0
    used = resources if product and product.counts == "resource" else sum(row.used for row in rows)
    return ProductTotal(
        customer=overview.account.id,
        product=name,
        combine=combine,
        licenses=len(valid),
        limit=limit,
        used=used,
        online=online,
        above_limit=max(0, max(online, resources) - limit),
        base=(product and product.base) or "",
        per_extension=most_per_extension(product) if product else None,
    )
