"""An administrator as the world has them: HTTP to any node, by token or by a session's cookie, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from seatd_protocol.messages import Welcome
from tests.canary.marks import mark
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.servers import Server

SECRETS = ("token", "secret", "link", "csrf", "password", "old", "new")
"""Fields of bodies and answers."""
LABELS = re.compile(r'(\w+)="([^"]*)"')


@dataclass
class Administrator:
    """Calls `node`; what it is answered is kept in `cookies`, so whoever signs in stays signed in."""

    node: Server
    token: str = ""
    csrf: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:
        """The JSON (or text) of an answer, which must have this status; of a refusal, its code."""
        headers = {"X-Seatd-CSRF": self.csrf} if self.csrf else {}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        _mark(body)
        address = f"http://{self.node.admin}/api/v1{path}"
        async with (
            aiohttp.ClientSession(cookies=self.cookies, headers=headers) as http,
            http.request(method, address, json=body) as response,
        ):
            text = await response.text()
            assert response.status == status, (response.status, text)
            self.cookies |= {name: cookie.value for name, cookie in response.cookies.items()}
            for cookie in self.cookies.values():
                mark("session's cookie", cookie)
            if response.status >= 400:
                return json.loads(text)["code"]
            return _mark(json.loads(text)) if response.content_type == "application/json" else text

    async def get(self, path: str) -> Any:
        """What is at that address."""
        return await self.call("GET", path)

    async def refused(self, method: str, path: str, body: object = None, *, status: int) -> str:
        """The code of a refusal."""
        return str(await self.call(method, path, body, status=status))

    async def sign_in(self, **body: str) -> Any:
        """Signs in; the profile. Its `csrf` goes with all further calls."""
        return self.kept(await self.call("POST", "/sign-in", body))

    def kept(self, profile: Any) -> Any:
        """A profile whose `csrf` counts from now on."""
        self.csrf = profile["csrf"]
        return profile

    async def given(self, role: str, **where: object) -> Administrator:
        """A program with a token of its own, and this grant."""
        made = await self.call(
            "POST", "/tokens", {"name": f"a {role}", "grant": {"role": role, **where}, "days": 1}
        )
        return Administrator(self.node, made["token"])

    async def logout(self, **targets: object) -> dict[str, str]:
        """Forces out; outcome by user."""
        answer = await self.call("POST", "/logout", {"cooldown_s": 0, **targets})
        assert answer["logged_out"] == len(answer["sessions"])
        return {receipt["user"]: receipt["outcome"] for receipt in answer["sessions"]}


def _mark(body: Any) -> Any:
    """What is secret of a body or an answer must be seen nowhere else."""
    for name in SECRETS if isinstance(body, dict) else ():
        if isinstance(body.get(name), str):
            mark(f"{name} of an administrator's call", body[name])
    return body


def operator(node: Server) -> Administrator:
    """The operator of a node, with the token in its data folder."""
    return Administrator(node, node.token)


async def people(company: Company, *names: str, product: str = "CALL_CENTER") -> dict[str, Client]:
    """Clients of users, signed in one after another, at each node in turn."""
    found = {}
    for number, name in enumerate(names):
        node = company.nodes[number % len(company.nodes)]
        found[name] = await company.sign_in(node, name, product, acks=True)
        assert isinstance(found[name].first, Welcome), found[name].first
    return found


async def seats_in_use(company: Company, product: str = "CALL_CENTER") -> int:
    """The seats of a product that are in use: the same number wherever an administrator looks, on all nodes."""
    seen = {}
    for node in company.nodes:
        root = operator(node)
        seen |= {f"registry of {node.name}": await _registry(root, company, product)}
        seen |= {f"totals of {node.name}": await _totals(root, company, product)}
        seen |= {f"usage of {node.name}": await _usage(root, company, product)}
        seen |= {f"metrics of {node.name}": await _metrics(node, company, product)}
        seen |= {f"events of {node.name}": await _events(root, company, product)}
    assert len(set(seen.values())) == 1, seen
    return int(seen.popitem()[1])


async def _registry(root: Administrator, company: Company, product: str) -> int:
    rows = (await root.get(f"/licenses?customer={company.name}&size=500"))["items"]
    return sum(row["used"] for row in rows if row["product"] == product)


async def _totals(root: Administrator, company: Company, product: str) -> int:
    rows = (await root.get(f"/customers/{company.name}"))["products"]
    return sum(row["online"] for row in rows if row["product"] == product)


async def _usage(root: Administrator, company: Company, product: str) -> int:
    rows = (await root.get(f"/usage?customer={company.name}&product={product}"))["items"]
    return sum(row["in_use"] for row in rows)


async def _metrics(node: Server, company: Company, product: str) -> int:
    found = await series(node, "seatd_seats_used")
    return int(
        sum(
            value
            for labels, value in found
            if (labels["customer"], labels["product"]) == (company.name, product)
        )
    )


async def _events(root: Administrator, company: Company, product: str) -> int:
    """Granted less freed. (The stream starts with the customer.)"""
    kinds = [event["type"] for event in await events(root, company, product=product)]
    return kinds.count("granted") + kinds.count("restored") - kinds.count("freed")


async def events(root: Administrator, company: Company, **query: str) -> Sequence[Any]:
    """All events of a customer, the newest first."""
    wanted = "".join(f"&{name}={value}" for name, value in query.items())
    page = await root.get(f"/events?customer={company.name}&size=500{wanted}")
    assert page["next"] is None
    return list(page["items"])


async def series(node: Server, name: str) -> list[tuple[dict[str, str], float]]:
    """Labels and value of each series of a metric."""
    async with aiohttp.ClientSession() as http, http.get(f"http://{node.admin}/metrics") as page:
        lines = (await page.text()).splitlines()
    return [
        (dict(LABELS.findall(line)), float(line.rpartition(" ")[2]))
        for line in lines
        if line.startswith(f"{name}{{")
    ]
