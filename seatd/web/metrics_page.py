"""The page that Prometheus scrapes."""

from __future__ import annotations

from aiohttp import web
from msgspec.structs import replace
from prometheus_client.aiohttp import make_aiohttp_handler

from seatd.store.registry_values import LicenseRow
from seatd.store.values import StoreUnavailable
from seatd.web.api.license_use import use_of
from seatd.web.services import SERVICES, Services


async def metrics_page(request: web.Request) -> web.StreamResponse:
    """All metrics of this node, and the store-wide ones from one snapshot taken now.

    While the store is away the page still answers 200 with what the node itself knows: alerts need it most then.
    """
    services = request.app[SERVICES]
    await _take_snapshot(services)
    return await make_aiohttp_handler(services.metrics.registry)(request)


async def _take_snapshot(services: Services) -> None:
    try:
        rows = _counted(services, await services.store.registry())
        waiting = await services.store.waiting_to_end()
        deliveries = await services.store.waiting_deliveries()
    except StoreUnavailable:
        services.metrics.store_up.set(0)
        services.metrics.parked_sessions.set(float("nan"))
        services.metrics.webhook_pending.set(float("nan"))
        services.metrics.set_registry(())
        return
    services.metrics.store_up.set(1)
    services.metrics.parked_sessions.set(waiting)
    services.metrics.webhook_pending.set(deliveries)
    services.metrics.set_registry(rows)


def _counted(services: Services, rows: list[LicenseRow]) -> list[LicenseRow]:
    """The rows with what their products count as used."""
    uses = (use_of(row, rows, services.catalog, services.now_ms()) for row in rows)
    return [replace(use.row, used=use.used) for use in uses]
