"""The admin listener: what stands where, put together once."""

from __future__ import annotations

import re

from aiohttp import web

from seatd import __version__
from seatd.web.address import PROXIES, networks
from seatd.web.api import openapi
from seatd.web.api.ops import MAX_BODY, handler
from seatd.web.api.table import OPS
from seatd.web.auth import Authenticator
from seatd.web.console import Console
from seatd.web.console_files import ConsoleFiles
from seatd.web.errors import problems
from seatd.web.headers import secure
from seatd.web.health import livez, readyz
from seatd.web.live import LIVE, Live
from seatd.web.metrics_page import metrics_page
from seatd.web.origin import PUBLIC_URL
from seatd.web.services import AUTHENTICATOR, CONSOLE, SERVICES, Services
from seatd.web.traced import traced

__all__ = ["Services", "make_admin_app"]

INDEX = f"""seatd {__version__}

/console/       the administrators' console, for a browser
/api/v1/        REST API; every call needs an API token (Authorization: Bearer TOKEN) or a session
/openapi.json   its description, OpenAPI 3.1
/metrics        for Prometheus
/livez          does the node live
/readyz         may it get clients; /readyz?verbose lists the checks
"""


def make_admin_app(services: Services) -> web.Application:
    """The application of the admin listener."""
    app = web.Application(middlewares=[traced, problems], client_max_size=MAX_BODY)
    app[SERVICES] = services
    app[AUTHENTICATOR] = Authenticator(services.store.token, now_ms=services.now_ms)
    app[PROXIES] = networks(services.console.proxies)
    app[PUBLIC_URL] = services.console.public_url
    app[CONSOLE] = Console(services.store, services.console, now_ms=services.now_ms)
    app[LIVE] = Live(services.store)
    app.on_shutdown.append(app[LIVE].close)
    app.on_response_prepare.append(secure)
    app.router.add_get("/", index)
    app.router.add_get("/livez", livez)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics_page)
    app.router.add_get("/openapi.json", api_document)
    ConsoleFiles().add_to(app)
    for op in OPS:
        app.router.add_route(op.method, _pattern(op.url), handler(op))
    return app


def _pattern(url: str) -> str:
    """A name may hold any character but a slash; aiohttp by itself would leave out braces."""
    return re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", url)


async def index(request: web.Request) -> web.Response:
    """What is where; a browser is led to the console."""
    if "text/html" in request.headers.get("Accept", ""):
        return web.Response(status=302, headers={"Location": "/console/", "Vary": "Accept"})
    return web.Response(text=INDEX, headers={"Vary": "Accept"})


async def api_document(_request: web.Request) -> web.Response:
    """The OpenAPI document."""
    return web.json_response(openapi.document(OPS))
