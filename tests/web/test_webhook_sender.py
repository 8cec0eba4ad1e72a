"""Sending to webhooks: real receivers that answer in every way."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from msgspec.structs import replace

from seatd.hub.webhook_message import message, signature
from seatd.store.webhook_values import Delivery, Webhook
from seatd.web.webhook_sender import WebhookOptions, WebhookSender
from tests.web.receiver import Receiver, documented_receiver

Servers = Callable[[web.Application], Awaitable[TestServer]]

HOOK = Webhook(id="h1", url="", types=("denial",), secret="whsec_of_these_tests")
INSIDE = WebhookOptions(allow_private=True, try_s=5.0)
DELIVERY = Delivery(
    id="h1.1790000000000-0", webhook="h1", type="denial", seq="1790000000000-0", event={"code": "no_seat", "times": 3}
)  # fmt: skip


async def sent(
    servers: Servers, receiver: Receiver, options: WebhookOptions = INSIDE, host: str = "127.0.0.1"
) -> str:
    port = (await servers(receiver.app())).port
    hook = replace(HOOK, url=f"http://{host}:{port}/x")
    return await WebhookSender(options).send(hook, DELIVERY.id, message("acme", DELIVERY))


async def test_what_arrives(aiohttp_server: Servers) -> None:
    receiver = Receiver(204)
    assert await sent(aiohttp_server, receiver) == ""
    (body,) = receiver.got
    assert body["id"] == receiver.headers[0]["Seatd-Event-Id"] == DELIVERY.id
    assert (body["customer"], body["type"], body["code"], body["times"]) == ("acme", "denial", "no_seat", 3)
    assert (body["at"], body["user"]) == ("2026-09-21T14:13:20.000Z", None)


async def test_the_documented_receiver_believes_it_and_nothing_else(aiohttp_server: Servers) -> None:
    receiver = Receiver(204)
    await sent(aiohttp_server, receiver)
    ((header, body),) = receiver.raw
    is_genuine = documented_receiver(HOOK.secret)["is_genuine"]
    assert is_genuine(header, body, time.time())
    assert not is_genuine(header, body + b" ", time.time())
    assert not is_genuine(header, body, time.time() + 301)
    assert not is_genuine(signature("another", int(time.time()), body), body, time.time())
    for wrong in ("", "t=,v1=", "t=x,v1=y", "v1=" + header.partition("v1=")[2]):
        assert not is_genuine(wrong, body, time.time())


@pytest.mark.parametrize("status", [200, 201, 202, 299])
async def test_any_2xx_will_do(aiohttp_server: Servers, status: int) -> None:
    assert await sent(aiohttp_server, Receiver(status)) == ""


@pytest.mark.parametrize("status", [302, 307, 400, 410, 500, 503])
async def test_everything_else_is_a_failure(aiohttp_server: Servers, status: int) -> None:
    receiver = Receiver(status)
    assert await sent(aiohttp_server, receiver) == f"it answered {status}"
    assert len(receiver.got) == 1


async def test_no_answer(aiohttp_server: Servers) -> None:
    assert await sent(aiohttp_server, Receiver(0), replace(INSIDE, try_s=0.1)) == "no answer in time"


async def test_nobody_is_there() -> None:
    hook = replace(HOOK, url=f"http://127.0.0.1:{unused_port()}/")
    assert await WebhookSender(INSIDE).send(hook, "id", b"{}") == "it cannot be reached"


async def test_an_endless_answer_is_cut(aiohttp_server: Servers) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    app = web.Application()
    app.router.add_post("/", endless)
    hook = replace(HOOK, url=str((await aiohttp_server(app)).make_url("/")))
    assert await WebhookSender(INSIDE).send(hook, "id", b"{}") == ""


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.0.0.1", "localhost.", "[::ffff:127.0.0.1]"])
async def test_no_way_to_write_it_leads_inside(aiohttp_server: Servers, host: str) -> None:
    receiver = Receiver(204)
    why = await sent(aiohttp_server, receiver, WebhookOptions(allow_http=True), host)
    assert "may not be reached" in why or "leads nowhere" in why or "makes no sense" in why
    assert receiver.got == []


async def test_no_proxy_of_the_environment(aiohttp_server: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    assert await sent(aiohttp_server, Receiver(204)) == ""


async def test_names_are_looked_up(aiohttp_server: Servers) -> None:
    receiver = Receiver(204)
    assert await sent(aiohttp_server, receiver, host="localhost") == ""
    hook = replace(HOOK, url="https://no-such-name.invalid/")
    assert await WebhookSender(INSIDE).send(hook, "id", b"{}") in (
        "its name leads nowhere",
        "no answer in time",
    )
