"""What a worker tells the others of itself, on a socket of its own."""

from __future__ import annotations

from aiohttp import web

from seatd.web.health import OWN_CHECKS, OWN_LIFE, own_checks, own_life
from seatd.web.metrics_page import OWN_METRICS, own_metrics
from seatd.web.services import SERVICES, Services


def make_own_app(services: Services) -> web.Application:
    """The application that only other workers ask."""
    app = web.Application()
    app[SERVICES] = services
    app.router.add_get(OWN_LIFE, own_life)
    app.router.add_get(OWN_CHECKS, own_checks)
    app.router.add_get(OWN_METRICS, own_metrics)
    return app
