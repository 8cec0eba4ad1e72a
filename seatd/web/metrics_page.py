"""The page that Prometheus scrapes."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web
from msgspec.structs import replace
from prometheus_client.exposition import choose_encoder

from seatd.license_series import with_licenses
from seatd.node_series import OfNode, merged
from seatd.store.registry_values import LicenseRow
from seatd.store.values import StoreUnavailable
from seatd.web.api.license_use import Uses
from seatd.web.services import SERVICES, Services

COMPRESSED_ELSEWHERE = 16 * 1024
"""From this size on a page is compressed in a thread of its own."""
LEAST = 1
"""The level of compression. aiohttp's own is 6: it takes five times as long, for a page that is an eighth smaller."""


OWN_METRICS = "/metrics"

_VERSIONS = re.compile(r"version=([^;,]*)")
_VERSION = re.compile(r"\s*[0-9]{1,3}(\.[0-9]{1,3}){0,3}\s*")


async def metrics_page(request: web.Request) -> web.StreamResponse:
    """All metrics of this node, and the store-wide ones from one snapshot taken now. Of several workers, those of each.

    While the store is away the page still answers 200 with what the node itself knows: alerts need it most then.
    """
    services = request.app[SERVICES]
    asked = services.siblings.ask(OWN_METRICS, query=request.query_string, accept=_accepted(request))
    rows, answers = await asyncio.gather(_snapshot(services), asked)
    page, content_type = _own(request, is_whole=True)
    if services.siblings:
        page = merged([page, *(answer for answer in answers.values() if isinstance(answer, bytes))])
    return await _packed(request, await with_licenses(page, rows), content_type)


async def own_metrics(request: web.Request) -> web.Response:
    """What is about this worker, for the one that was asked."""
    services = request.app[SERVICES]
    try:
        await services.store.waiting_to_end()
        services.metrics.store_up.set(1)
    except StoreUnavailable:
        services.metrics.store_up.set(0)
    page, _ = _own(request, is_whole=False)
    return web.Response(body=page)


async def _packed(request: web.Request, page: bytes, content_type: str) -> web.Response:
    headers = {"Content-Type": content_type}
    if "gzip" in request.headers.get("Accept-Encoding", "").lower():
        headers["Content-Encoding"] = "gzip"
        compress = partial(gzip.compress, page, LEAST)
        page = compress() if len(page) < COMPRESSED_ELSEWHERE else await asyncio.to_thread(compress)
    return web.Response(body=page, headers=headers)


def _own(request: web.Request, *, is_whole: bool) -> tuple[bytes, str]:
    """This node's page in the format that was asked for, and what that is called."""
    services = request.app[SERVICES]
    encode, content_type = choose_encoder(_accepted(request))
    names = request.query.getall("name[]", ())
    registry = services.metrics.registry
    chosen = registry.restricted_registry(names) if names else registry
    if services.siblings:
        return encode(OfNode(chosen, services.siblings.name, is_whole=is_whole)), content_type
    return encode(chosen), content_type


def _accepted(request: web.Request) -> str:
    """The formats that are asked for; none when the library could not read a version among them."""
    accepted = ",".join(request.headers.getall("Accept", ()))
    versions = _VERSIONS.findall(accepted)
    return accepted if all(_VERSION.fullmatch(version) for version in versions) else ""


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
