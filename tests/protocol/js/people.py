"""Signing JavaScript clients in at the tests' servers."""

from __future__ import annotations

import itertools
from typing import Any

from tests.protocol.js.runtimes import JsClient, Runtime, Told
from tests.scenarios.company import Company

PRODUCT = "CALL_CENTER"
CODECS = ("seatd.v1.msgpack", "seatd.v1.json")

_devices = itertools.count(1)


def urls(company: Company) -> list[str]:
    """The nodes of a company, as a client is given them."""
    return [f"ws://{node.clients}" for node in company.nodes]


async def made(runtime: Runtime, company: Company, name: str, **options: Any) -> JsClient:
    """A client of a user, on a device of its own."""
    device = {"kind": "web_phone", "id": f"js-{next(_devices)}"}
    usual: dict[str, Any] = {"urls": urls(company), "device": device, "need": [PRODUCT]}
    if "token" not in options:
        usual["tokens"] = [company.token(name)]
    return await runtime.client(**usual | options)


async def signed_in(runtime: Runtime, company: Company, name: str, **options: Any) -> tuple[JsClient, Told]:
    """A client with a session, and its `welcome`."""
    client = await made(runtime, company, name, **options)
    welcome = await client.call("connect")
    assert isinstance(welcome, dict), welcome
    assert welcome["type"] == "welcome", welcome
    return client, welcome
