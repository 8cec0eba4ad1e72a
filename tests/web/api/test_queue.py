"""Who waits for a seat, as an administrator sees it."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.hub.token_factory import SECRET
from tests.hub.token_factory import signed as signed_token
from tests.web.conftest import Site


async def waits(site: Site, user: str, customer: str = "acme") -> dict[str, Any]:
    """A client that waits for a seat; the first thing it was told."""
    socket = await site.clients.ws_connect("/v1/connect", protocols=("seatd.v1.json",))
    site.sockets.append(socket)
    token = signed_token(SECRET, "HS256", sub=user, customer=customer, exp=int(time.time()) + 3600)
    device = {"kind": "desktop", "id": "d1"}
    hello = {"type": "hello", "token": token, "device": device, "need": ["CALL_CENTER"], "wait_s": 600}
    await socket.send_str(json.dumps(hello))
    return dict(await socket.receive_json())


async def test_everybody_has_a_place(site: Site) -> None:
    for customer in ("acme", "beta"):
        await site.imported({"limit": 1}, customer=customer, jti=f"key-{customer}")
        await site.signed_in(f"zoe@{customer}.example", "CALL_CENTER", customer=customer)
    for user in ("bob@acme.example", "ann@acme.example"):
        assert (await waits(site, user))["type"] == "queued"
    assert (await waits(site, "eve@beta.example", "beta"))["type"] == "queued"
    _, listing = await site.call("GET", "/api/v1/queue")
    assert [(row["user"], row["product"], row["position"]) for row in listing["items"]] == [
        ("bob@acme.example", "CALL_CENTER", 1),
        ("ann@acme.example", "CALL_CENTER", 2),
        ("eve@beta.example", "CALL_CENTER", 1),
    ]
    assert listing["total"] == 3
    first = listing["items"][0]
    assert (first["domain"], first["device"]["kind"], first["node"]) == ("acme.example", "desktop", "n1")
    for query, users in (
        ("customer=beta", ["eve@beta.example"]),
        ("product=MOBILE", []),
        ("customer=none", []),
        ("size=1&page=2", ["ann@acme.example"]),
    ):
        _, listing = await site.call("GET", f"/api/v1/queue?{query}")
        assert [row["user"] for row in listing["items"]] == users
