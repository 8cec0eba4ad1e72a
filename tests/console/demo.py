"""A deployment that looks like one: agencies, customers, licenses of all kinds, people at work, some refused."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from seatd.licensing.keys import sign
from seatd_protocol.messages import DeviceKind
from tests.console.demo_history import write_history
from tests.licensing.build import VENDOR
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.servers import Server

PEOPLE = [
    "amelie", "bruno", "carla", "dmitri", "elena", "farid", "greta", "hugo", "ines", "jonas", "kira", "luca", "mara",
    "nils", "olga", "pavel", "quentin", "rosa", "sven", "tara", "umut", "vera", "wanda", "xenia", "yannick", "zoe",
]  # fmt: skip
DEVICES: tuple[DeviceKind, ...] = ("desktop", "web_phone", "mobile", "desktop")

CUSTOMERS: tuple[dict[str, Any], ...] = (
    {"id": "acme", "name": "Acme Logistics", "agency": "northwind", "external_id": "CRM-10482"},
    {"id": "bluebay", "name": "Bluebay Hotels", "agency": "northwind", "external_id": "CRM-10517"},
    {"id": "citypower", "name": "City Power & Light", "agency": "telesales", "external_id": "CRM-11003"},
    {"id": "delfi", "name": "Delfi Insurance", "agency": "", "external_id": "CRM-11240"},
)
# product, kind, limit, days to the end, tier, order
LICENSES: dict[str, tuple[tuple[str, str, int, int, str, str], ...]] = {
    "acme": (
        ("CALL_CENTER", "competitive", 12, 287, "enterprise", "Contact center 2026"),
        ("CALL_MANAGER", "competitive", 5, 287, "enterprise", "Contact center 2026"),
        ("MOBILE", "nominal", 20, 21, "standard", "Field staff"),
        ("phone_system", "competitive", 40, 287, "enterprise", "Phones"),
        ("device_web_rtc", "competitive", 40, 287, "enterprise", "Phones"),
        ("call_recording", "competitive", 10, 287, "enterprise", "Phones"),
    ),
    "bluebay": (
        ("CALL_CENTER", "competitive", 6, 5, "standard", "Reservations desk"),
        ("EMAIL", "nominal", 4, 112, "standard", "Reservations desk"),
        ("CHAT", "nominal", 2, 112, "standard", "Guest chat"),
    ),
    "citypower": (
        ("CALL_CENTER", "competitive", 8, 640, "premium", "Outage hotline"),
        ("QUALITY_AUDITOR", "nominal", 3, 640, "premium", "Outage hotline"),
        ("CUSTOMER_SERVICE", "competitive", 15, -9, "trial", "Trial"),
    ),
    "delfi": (
        ("CALL_CENTER", "competitive", 10, 0, "standard", "Claims"),
        ("MOBILE", "competitive", 10, 88, "standard", "Agents on the road"),
    ),
}
AT_WORK = {
    ("acme", "CALL_CENTER"): 11,
    ("acme", "CALL_MANAGER"): 3,
    ("bluebay", "CALL_CENTER"): 6,
    ("citypower", "CALL_CENTER"): 5,
    ("delfi", "CALL_CENTER"): 2,
    ("delfi", "MOBILE"): 7,
}


@dataclass
class Demo:
    """What there is to look at."""

    node: Server
    license: str = "acme-call_center-1"
    companies: dict[str, Company] = field(default_factory=dict)
    clients: list[Client] = field(default_factory=list)


@asynccontextmanager
async def demo(node: Server) -> AsyncIterator[Demo]:
    """Builds it; the people leave at the end."""
    made = Demo(node)
    for agency, name in (("northwind", "Northwind Telecom"), ("telesales", "Telesales Partners")):
        await node.call("POST", "/api/v1/agencies", {"id": agency, "name": name})
    for customer in CUSTOMERS:
        made.companies[customer["id"]] = await _customer(node, customer)
    try:
        for (entry, product), number in AT_WORK.items():
            await _at_work(made, made.companies[entry], product, number)
        await _refused(made)
        await _told(made)
        await _assigned(made)
        await _settled(made)
        await _provisioned(made)
        await _history(made)
        yield made
    finally:
        for company in made.companies.values():
            company.leave()


async def _customer(node: Server, customer: dict[str, Any]) -> Company:
    company = Company(node)
    company.name, company.domain = customer["id"], f"{customer['id']}.example"
    claims = {
        "iss": "vendor",
        "jti": f"{customer['id']}-2026",
        "iat": 1_700_000_000,
        "customer": {name: value for name, value in customer.items() if value},
        "domains": [company.domain, f"sales.{company.domain}"],
        "licenses": [_license(customer["id"], *entry) for entry in LICENSES[customer["id"]]],
    }
    await node.call("POST", "/api/v1/licenses", {"key": sign(claims, VENDOR)})
    return company


def _license(
    customer: str, product: str, kind: str, limit: int, days: int, tier: str, order: str
) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC)
    begin, end = now - datetime.timedelta(days=120), now + datetime.timedelta(days=days, hours=5)
    return {
        "id": f"{customer}-{product.lower()}-1",
        "product": product,
        "kind": kind,
        "limit": limit,
        "valid_from": begin.strftime("%Y-%m-%dT00:00:00Z"),
        "valid_till": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tier": tier,
        "name": order,
    }


async def _at_work(made: Demo, company: Company, product: str, number: int) -> None:
    for place, name in enumerate(PEOPLE[:number]):
        domain = company.domain if place % 4 else f"sales.{company.domain}"
        kind = "mobile" if product == "MOBILE" else DEVICES[place % len(DEVICES)]
        client = await company.sign_in(
            made.node, f"{name}@{domain}", product, acks=True, kind=kind, device=f"{name}-{kind}-{product}"
        )
        made.clients.append(client)


async def _refused(made: Demo) -> None:
    """Some go away, others wait."""
    bluebay = made.companies["bluebay"]
    for name in PEOPLE[8:12]:
        made.clients.append(await bluebay.sign_in(made.node, name, "CALL_CENTER"))
    for place, name in enumerate(PEOPLE[12:15]):
        kind = DEVICES[place]
        made.clients.append(
            await bluebay.sign_in(
                made.node, name, "CALL_CENTER", kind=kind, device=f"{name}-{kind}", wait_s=3600
            )
        )


async def _told(made: Demo) -> None:
    """A webhook that is on, and one that is off."""
    path = "/api/v1/customers/acme/webhooks"
    for url, enabled in (("https://crm.acme.example/seatd", True), ("https://ops.acme.example/hooks", False)):
        body = {"url": url, "types": ["denial", "forced_logout"], "enabled": enabled}
        await made.node.call("POST", path, body)


async def _assigned(made: Demo) -> None:
    for name in PEOPLE[:14]:
        await made.node.call("PUT", f"/api/v1/licenses/acme-mobile-1/users/{name}@acme.example")


async def _settled(made: Demo) -> None:
    """What is agreed with a customer, and was changed since."""
    path = "/api/v1/customers/acme"
    contacts = [
        {
            "name": "Nora Berg",
            "role": "Head of IT",
            "email": "nora.berg@acme.example",
            "phone": "+43 1 5550100",
        },
        {"name": "Accounts payable", "email": "billing@acme.example"},
    ]
    blocks = [{"first": "200", "last": "299"}, {"first": "4000", "last": "4999"}]
    await made.node.call("PATCH", path, {"contacts": contacts[:1], "number_blocks": blocks[:1]})
    await made.node.call("PATCH", path, {"contacts": contacts, "number_blocks": blocks})
    await made.node.call(
        "PATCH", f"{path}/money", {"balance": "1240.50", "debit_limit": "500", "currency": "EUR"}
    )
    await made.node.call("POST", "/api/v1/customers/citypower/cancel")


async def _provisioned(made: Demo) -> None:
    """People with extensions, and some without."""
    path = "/api/v1/customers/acme"
    for place, name in enumerate(PEOPLE):
        role = "supervisor" if place % 9 == 0 else "agent"
        body = {"user": f"{name}@acme.example", "name": name.title(), "role": role}
        await made.node.call("POST", f"{path}/users", body)
    await made.node.call(
        "POST", f"{path}/provision", {"start": "201", "count": 12, "add_ons": ["device_web_rtc"]}
    )
    for place, name in enumerate(PEOPLE[:9], 201):
        add_ons = ["device_web_rtc", "call_recording"][: 1 + place % 2]
        given = {"user": f"{name}@acme.example", "number": f"+43 1 5550{place}"}
        await made.node.call("PATCH", f"{path}/extensions/{place}", {**given, "add_ons": add_ons})


async def _history(made: Demo) -> None:
    """Use of the weeks before, of what is in use now: what was never in use has no meter."""
    for name, company in made.companies.items():
        used = {product for customer, product in AT_WORK if customer == name}
        limits = {product: limit for product, _, limit, *_ in LICENSES[name] if product in used}
        await write_history(made.node, name, (company.domain, f"sales.{company.domain}"), limits)
