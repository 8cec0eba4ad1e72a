"""Webhooks over REST: made, changed, tried out, deleted; dead letters looked at, sent after all, thrown away."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seatd.store.webhooks import WebhookVerbs
from seatd.web.webhook_sender import WebhookOptions, WebhookSender
from tests.web.conftest import Site
from tests.web.hooks import dead_letter, webhook
from tests.web.receiver import Receiver, documented_receiver

PATH = "/api/v1/customers/acme/webhooks"
NEW = {"url": "https://hooks.example/x", "types": ["denial", "limit_reached"], "product": "CALL_CENTER"}


@pytest.fixture
async def customer(site: Site) -> Site:
    await site.imported({})
    return site


async def test_made_shown_changed_deleted(customer: Site) -> None:
    status, made = await customer.call("POST", PATH, json=NEW)
    assert (status, made["secret"].startswith("whsec_")) == (200, True)
    path = f"{PATH}/{made['id']}"
    _, shown = await customer.call("GET", path)
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert {name: shown[name] for name in NEW} == NEW
    _, listed = await customer.call("GET", PATH)
    assert (listed["items"], listed["total"]) == ([shown], 1)
    status, changed = await customer.call("PATCH", path, json={"enabled": False, "types": ["denial"]})
    assert (status, changed) == (200, {**shown, "enabled": False, "types": ["denial"], "secret": None})
    _, renewed = await customer.call("PATCH", path, json={"new_secret": True})
    assert renewed["secret"] not in (None, made["secret"])
    stored = await customer.services.store.webhook("acme", made["id"])
    assert stored
    assert stored.secret == renewed["secret"]
    assert (await customer.call("DELETE", path))[0] == 204
    assert (await customer.call("GET", path))[1]["code"] == "unknown_webhook"


async def test_the_trail_tells_of_it_without_the_secret(customer: Site) -> None:
    _, made = await customer.call("POST", PATH, json=NEW)
    await customer.call("PATCH", f"{PATH}/{made['id']}", json={"new_secret": True})
    _, trail = await customer.call("GET", "/api/v1/audit?customer=acme")
    assert [row["action"] for row in trail["items"]][:2] == ["webhooks.change", "webhooks.create"]
    assert "whsec_" not in json.dumps(trail)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"url": "http://hooks.example/"}, "url"),
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"types": []}, "types"),
        ({"types": ["granted"]}, "types[0]"),
        ({"secret": "mine"}, "secret"),
        ({"product": "a\u202eb"}, "product"),
    ],
)
async def test_what_makes_no_sense(customer: Site, change: dict[str, Any], path: str) -> None:
    status, refused = await customer.call("POST", PATH, json=NEW | change)
    assert (status, refused["code"], refused["errors"][0]["path"]) == (422, "invalid", path)
    hook = await webhook(customer.services.store, "acme", "h1")
    status, refused = await customer.call("PATCH", f"{PATH}/{hook.id}", json=change)
    assert (status, refused["errors"][0]["path"]) == (422, path)


async def test_no_more_than_ten(customer: Site) -> None:
    for _ in range(10):
        assert (await customer.call("POST", PATH, json=NEW))[0] == 200
    status, refused = await customer.call("POST", PATH, json=NEW)
    assert (status, refused["code"]) == (409, "webhook_limit")


async def test_trying_it_out(customer: Site, aiohttp_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver = Receiver(204, 500)
    url = str((await aiohttp_server(receiver.app())).make_url("/"))
    hook = await webhook(customer.services.store, "acme", "h1", url)
    _, refused = await customer.call("POST", f"{PATH}/h1/test")
    assert (refused["delivered"], "may not be reached" in refused["why"]) == (False, True)
    inside = WebhookSender(WebhookOptions(allow_private=True))
    monkeypatch.setattr(customer.services.webhooks, "options", inside.options)
    _, answer = await customer.call("POST", f"{PATH}/h1/test")
    assert (answer["delivered"], answer["why"]) == (True, "")
    (body,) = receiver.got
    assert (body["type"], body["customer"]) == ("test", "acme")
    header, raw = receiver.raw[0]
    at_s = int(header.partition("=")[2].partition(",")[0])
    assert documented_receiver(hook.secret)["is_genuine"](header, raw, at_s)
    _, answer = await customer.call("POST", f"{PATH}/h1/test")
    assert (answer["delivered"], answer["why"]) == (False, "it answered 500")


async def test_dead_letters(customer: Site) -> None:
    store: WebhookVerbs = customer.services.store
    await dead_letter(customer.services.store, "acme", "h1", "5-1")
    await dead_letter(customer.services.store, "acme", "h1", "6-1")
    await dead_letter(customer.services.store, "acme", "h2", "7-1")
    letters = f"{PATH}/h1/dead-letters"
    _, listed = await customer.call("GET", letters)
    assert [row["id"] for row in listed["items"]] == ["6-1", "5-1"]
    assert (listed["items"][0]["event"], listed["items"][0]["code"]) == ("h1.1-1", "no_seat")
    for wrong in ("7-1", "8-1"):
        status, refused = await customer.call("POST", f"{letters}/{wrong}/retry")
        assert (status, refused["code"]) == (404, "unknown_dead_letter")
    assert (await customer.call("DELETE", f"{letters}/nonsense"))[0] == 404
    assert (await customer.call("DELETE", f"{letters}/6-1"))[0] == 204
    assert await customer.call("POST", f"{letters}/5-1/retry") == (200, {"retried": 1})
    assert await store.waiting_deliveries() == 1
    assert await customer.call("POST", f"{letters}/retry") == (200, {"retried": 0})
    assert await customer.call("POST", f"{PATH}/h2/dead-letters/retry") == (200, {"retried": 1})
    _, trail = await customer.call("GET", "/api/v1/audit?customer=acme")
    assert [row["action"] for row in trail["items"]][:3] == [
        "webhooks.retry",
        "webhooks.retry",
        "webhooks.forget",
    ]


async def test_what_was_given_up_goes_with_the_webhook(customer: Site) -> None:
    await dead_letter(customer.services.store, "acme", "h1", "5-1")
    assert (await customer.call("DELETE", f"{PATH}/h1"))[0] == 204
    assert await customer.services.store.letters("acme", "h1") == []
