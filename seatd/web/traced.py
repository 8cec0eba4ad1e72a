"""REST calls as spans, see `seatd.tracing`."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from seatd.tracing import span

UNTRACED = ("/livez", "/readyz", "/metrics")
"""Asked every few seconds, and nobody wants to know."""


@web.middleware
async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Names a call by its route, not by its path: that holds names of people."""
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "(none)"
    if route in UNTRACED:
        return await handler(request)
    about = {"http.request.method": request.method, "http.route": route}
    with span(f"{request.method} {route}", request.headers, **about) as here:
        response = await handler(request)
        if here is not None:
            here.set_attribute("http.response.status_code", response.status)
        return response
