"""Refusals have one shape and no internals."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from seatd.store.values import StoreUnavailable
from seatd.web.errors import PROBLEMS, FieldError, Problem, problems
from tests.web.conftest import Clients


async def answer(
    clients: Clients, raises: Exception | Callable[[web.Request], Awaitable[Any]], method: str = "GET"
) -> tuple[Any, dict[str, Any]]:
    """What a client gets when a handler raises this."""

    async def handle(request: web.Request) -> web.Response:
        if isinstance(raises, Exception):
            raise raises
        await raises(request)
        return web.Response()

    app = web.Application(middlewares=[problems], client_max_size=1000)
    app.router.add_route(method, "/x", handle)
    client = await clients(app)
    async with client.request(method, "/x", data=b"x" * 2000 if method == "POST" else None) as response:
        assert response.content_type == "application/problem+json"
        body = json.loads(await response.text())
        assert body["status"] == response.status
        return response, body


@pytest.mark.parametrize("code", PROBLEMS)
async def test_every_code_has_its_status_and_title(aiohttp_client: Clients, code: str) -> None:
    _, body = await answer(aiohttp_client, Problem(code))
    assert body == {
        "type": f"urn:seatd:problem:{code}",
        "title": PROBLEMS[code].title,
        "status": PROBLEMS[code].status,
        "detail": PROBLEMS[code].title,
        "code": code,
        "errors": [],
    }


async def test_detail_errors_and_headers(aiohttp_client: Clients) -> None:
    wrong = FieldError(path="users[0]", message="no")
    problem = Problem("invalid", "Because.", errors=(wrong,), headers={"X-Test": "1"})
    response, body = await answer(aiohttp_client, problem)
    assert (body["detail"], body["errors"]) == ("Because.", [{"path": "users[0]", "message": "no"}])
    assert response.headers["X-Test"] == "1"


async def test_nothing_of_an_unexpected_error_reaches_the_client(aiohttp_client: Clients) -> None:
    with capture_logs() as logs:
        _, body = await answer(aiohttp_client, RuntimeError("secret of the server"))
    assert body["code"] == "internal"
    assert "secret" not in json.dumps(body)
    assert logs[0]["event"] == "request failed"
    assert logs[0]["exc_info"]


@pytest.mark.parametrize(("method", "detail"), [("GET", "try again"), ("POST", "is not known")])
async def test_store_away(aiohttp_client: Clients, method: str, detail: str) -> None:
    response, body = await answer(aiohttp_client, StoreUnavailable("redis://user:pw@h"), method)
    assert (body["code"], response.headers["Retry-After"]) == ("unavailable", "2")
    assert detail in body["detail"]
    assert "redis" not in json.dumps(body)


async def test_a_body_that_is_too_large(aiohttp_client: Clients) -> None:
    _, body = await answer(aiohttp_client, lambda request: request.read(), "POST")
    assert (body["status"], body["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nothing", 404, "not_found"), ("PATCH", "/x", 405, "method_not_allowed")],
)
async def test_what_aiohttp_itself_refuses(
    aiohttp_client: Clients, method: str, path: str, status: int, code: str
) -> None:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application(middlewares=[problems])
    app.router.add_get("/x", handle)
    client = await aiohttp_client(app)
    async with client.request(method, path) as response:
        body = json.loads(await response.text())
    assert (response.status, body["code"]) == (status, code)
    assert response.headers.get("Allow") == ("GET,HEAD" if status == 405 else None)


async def test_redirects_pass_through(aiohttp_client: Clients) -> None:
    async def leave(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/y")

    app = web.Application(middlewares=[problems])
    app.router.add_get("/x", leave)
    client = await aiohttp_client(app)
    async with client.get("/x", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "/y")
