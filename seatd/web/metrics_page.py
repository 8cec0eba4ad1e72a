"""The page that Prometheus scrapes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web
from msgspec.structs import replace
from prometheus_client.exposition import choose_encoder

from seatd.license_series import with_licenses
from seatd.store.registry_values import LicenseRow
from seatd.store.values import StoreUnavailable
from seatd.web.api.license_use import Uses
from seatd.web.services import SERVICES, Services

COMPRESSED_ELSEWHERE = 16 * 1024
"""From this size on a page is compressed in a thread of its own."""


async def metrics_page(request: web.Request) -> web.StreamResponse:
    """All metrics of this node, and the store-wide ones from one snapshot taken now.

    While the store is away the page still answers 200 with what the node itself knows: alerts need it most then.
    """
    services = request.app[SERVICES]
    rows = await _snapshot(services)
    encode, content_type = choose_encoder(",".join(request.headers.getall("Accept", ())))
    registry = services.metrics.registry
    names = request.query.getall("name[]", ())
    page = await with_licenses(encode(registry.restricted_registry(names) if names else registry), rows)
    response = web.Response(
        body=page, headers={"Content-Type": content_type}, zlib_executor_size=COMPRESSED_ELSEWHERE
    )
    response.enable_compression()
    return response


async def _snapshot(services: Services) -> list[LicenseRow]:
    try:
        rows = [row async for row in _counted(services)]
        waiting = await services.store.waiting_to_end()
        deliveries = await services.store.waiting_deliveries()
    except StoreUnavailable:
        services.metrics.store_up.set(0)
        services.metrics.parked_sessions.set(float("nan"))
        services.metrics.webhook_pending.set(float("nan"))
        return []
    services.metrics.store_up.set(1)
    services.metrics.parked_sessions.set(waiting)
    services.metrics.webhook_pending.set(deliveries)
    return rows


async def _counted(services: Services) -> AsyncIterator[LicenseRow]:
    """All licenses, with what their products count as used."""
    async for overview in services.store.overviews(await services.store.customers()):
        uses = Uses(overview.licenses, services.catalog, services.now_ms())
        for row in overview.licenses:
            use = uses.of(row)
            yield row if use.used == row.used else replace(row, used=use.used)
