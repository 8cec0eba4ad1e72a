"""The pages that administrators look at, and how long each takes."""

from __future__ import annotations

import time
from collections.abc import Mapping

import aiohttp

from loadtest.figures import Figure, figure
from loadtest.population import Customer
from loadtest.server import Server

GOAL_MS = 100
FLOOR = "a page that only answers"
"""What the machine, the connection and aiohttp take for any page: no goal, printed beside the others."""


def pages(them: list[Customer]) -> Mapping[str, str]:
    """Name to address. What is about one customer is about the first, the largest one."""
    first = them[0]
    licenses = sum(customer.licenses for customer in them)
    api, users = "/api/v1", f"/api/v1/customers/{first.name}/users"
    of_license = f"{api}/licenses/{first.name}-000/users"
    last = max(1, -(-licenses // 50))
    return {
        FLOOR: "/livez",
        "registry, first page": f"{api}/licenses",
        "registry, last page": f"{api}/licenses?page={last}",
        "registry, searched": f"{api}/licenses?search=manager",
        "registry, sorted by use": f"{api}/licenses?sort=-used",
        "registry of a customer": f"{api}/licenses?customer={first.name}",
        "users of a license": of_license,
        "users of a license, last page": f"{of_license}?page={max(1, first.sessions // 4 // 50)}",
        "users of a license, searched": f"{of_license}?search=777",
        "users of a customer": users,
        "users of a customer, searched": f"{users}?search=777",
        "users of a customer, by name": f"{users}?sort=-name&page=7",
        "customers": f"{api}/customers",
        "totals": f"{api}/licenses/totals",
        "usage now, by customer": f"{api}/usage",
        "usage now, by license": f"{api}/usage?by=license",
        "usage by day and product": f"{api}/usage?resolution=day&by=product",
        "activity": f"{api}/usage/activity",
        "sessions of a customer": f"{api}/sessions?customer={first.name}",
        "audit trail of a customer": f"{api}/audit?customer={first.name}",
        "events of a customer": f"{api}/events?customer={first.name}",
        "/metrics": "/metrics",
    }


class Asker:
    """Asks for pages as an operator and keeps how long each took, in ms."""

    def __init__(self, server: Server, http: aiohttp.ClientSession) -> None:
        self._base = f"http://{server.admin}"
        self._headers = {"Authorization": f"Bearer {server.token}"}
        self._http = http
        self.took_ms: dict[str, list[float]] = {}

    async def ask(self, name: str, path: str) -> None:
        """One page, read to its end."""
        began_s = time.perf_counter()
        async with self._http.get(self._base + path, headers=self._headers) as answer:
            body = await answer.read()
        assert answer.status == 200, (path, body)
        self.took_ms.setdefault(name, []).append((time.perf_counter() - began_s) * 1000)

    def figures(self) -> list[Figure]:
        """Of each page."""
        return [
            figure(name, took_ms, None if name == FLOOR else GOAL_MS)
            for name, took_ms in self.took_ms.items()
        ]
