"""What is refused before any call is made: paths, queries and bodies that do not fit their types."""

from __future__ import annotations

import io
import json
import zlib
from typing import Any

import pytest

from seatd.web.api.ops import MAX_BODY, Call, OpenCall, Ops
from seatd.web.api.shapes import Nothing
from tests.web.conftest import Site

JSON = {"Content-Type": "application/json"}


async def refused(
    site: Site, method: str, path: str, **request: Any
) -> tuple[int, str, list[dict[str, str]]]:
    status, body = await site.call(method, path, **request)
    return status, body["code"], body["errors"]


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        ("page=0", "page", "Expected `int` >= 1"),
        ("page=-1", "page", "Expected `int` >= 1"),
        ("page=x", "page", "Expected `int`, got `str`"),
        ("page=1.5", "page", "Expected `int`, got `str`"),
        ("page=", "page", "Expected `int`, got `str`"),
        ("page=1000001", "page", "Expected `int` <= 1000000"),
        ("page=99999999999999999999999999", "page", "Expected `int` <= 1000000"),
        ("size=0", "size", "Expected `int` >= 1"),
        ("size=501", "size", "Expected `int` <= 500"),
        ("sort=password", "sort", "Invalid enum value 'password'"),
        ("sort=--used", "sort", "Invalid enum value '--used'"),
        ("sort=", "sort", "Invalid enum value ''"),
        ("search=" + "x" * 201, "search", "Expected `str` of length <= 200"),
        ("page=1&page=2", "page", "given more than once"),
        ("role=operator", "role", "there is no such field"),
        ("limit=5", "limit", "there is no such field"),
        ("a`b=5", "a`b", "there is no such field"),
        ("=5", "", "there is no such field"),
    ],
)
async def test_queries(site: Site, query: str, path: str, message: str) -> None:
    expected = (422, "invalid", [{"path": path, "message": message}])
    assert await refused(site, "GET", f"/api/v1/licenses?{query}") == expected


@pytest.mark.parametrize("query", ["x=1", "verbose", "page=1"])
async def test_calls_without_a_query_take_none(site: Site, query: str) -> None:
    status, code, _ = await refused(site, "GET", f"/api/v1/sessions/s1?{query}")
    assert (status, code) == (422, "invalid")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_json"),
        (b"{", 400, "bad_json"),
        (b"key", 400, "bad_json"),
        (b'{"key":"\xff"}', 400, "bad_json"),
        (b'{"key":NaN}', 400, "bad_json"),
        (b'{"key":"x"}{}', 400, "bad_json"),
        (b'\xef\xbb\xbf{"key":"x"}', 400, "bad_json"),
        (b"[" * 100_000, 422, "invalid"),
        (b'{"key":' + b"[" * 100_000, 422, "invalid"),
    ],
)
async def test_bodies_that_are_not_json(site: Site, body: bytes, status: int, code: str) -> None:
    seen = await refused(site, "POST", "/api/v1/licenses", data=body, headers=JSON)
    assert seen[:2] == (status, code)


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ([], "", "Expected `object`, got `array`"),
        (None, "", "Expected `object`, got `null`"),
        ("key", "", "Expected `object`, got `str`"),
        ({}, "", "Object missing required field `key`"),
        ({"key": None}, "key", "Expected `str`, got `null`"),
        ({"key": 5}, "key", "Expected `str`, got `int`"),
        ({"key": ["x"]}, "key", "Expected `str`, got `array`"),
        ({"key": ""}, "key", "Expected `str` of length >= 1"),
        ({"key": "x", "role": "operator"}, "role", "there is no such field"),
    ],
)
async def test_bodies_of_another_shape(site: Site, body: object, path: str, message: str) -> None:
    expected = (422, "invalid", [{"path": path, "message": message}])
    seen = await refused(site, "POST", "/api/v1/licenses", data=json.dumps(body).encode(), headers=JSON)
    assert seen == expected


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json", ""])
async def test_another_content_type(site: Site, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    status, code, _ = await refused(site, "POST", "/api/v1/licenses", data=b'{"key":"x"}', headers=headers)
    assert (status, code) == (415, "unsupported_media_type")


async def test_a_charset_may_be_named(site: Site) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    _, code, _ = await refused(site, "POST", "/api/v1/licenses", data=b'{"key":"x"}', headers=headers)
    assert code == "invalid_license_key"


async def test_a_body_above_the_limit(site: Site) -> None:
    body = io.BytesIO(b'{"key":"' + b"x" * MAX_BODY + b'"}')
    seen = await refused(site, "POST", "/api/v1/licenses", data=body, headers=JSON)
    assert seen[:2] == (413, "body_too_large")


async def test_a_body_that_unfolds_above_the_limit(site: Site) -> None:
    headers = {**JSON, "Content-Encoding": "deflate"}
    body = zlib.compress(b" " * (MAX_BODY * 4))
    seen = await refused(site, "POST", "/api/v1/licenses", data=body, headers=headers)
    assert seen[:2] == (413, "body_too_large")


async def test_a_body_that_does_not_unfold(site: Site) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}
    seen = await refused(site, "POST", "/api/v1/licenses", data=b'{"key":"x"}', headers=headers)
    assert seen[:2] == (400, "bad_request")


@pytest.mark.parametrize("coding", ["deflate", "br"])
async def test_what_the_http_parser_itself_refuses(site: Site, coding: str) -> None:
    headers = {**JSON, "Content-Encoding": coding}
    async with site.admin.post("/api/v1/licenses", data=b'{"key":"x"}', headers=headers) as response:
        assert response.status == 400
        assert "Traceback" not in await response.text()


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/api/v1/licenses", "GET,POST"),
        ("PATCH", "/api/v1/licenses/x", "DELETE,GET"),
        ("GET", "/api/v1/logout", "POST"),
        ("POST", "/livez", "GET,HEAD"),
        ("TRACE", "/api/v1/sessions", "GET"),
    ],
)
async def test_methods(site: Site, method: str, path: str, allow: str) -> None:
    async with site.admin.request(method, path) as response:
        assert (response.status, response.headers["Allow"]) == (405, allow)
        assert response.content_type == "application/problem+json"


async def test_the_method_is_the_one_of_the_request_line(site: Site) -> None:
    headers = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}
    await site.imported()
    status, row = await site.call("GET", "/api/v1/licenses/acme-1", headers=headers)
    assert (status, row["id"]) == (200, "acme-1")
    status, _ = await site.call("GET", "/api/v1/licenses/acme-1")
    assert status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/licenses/..%2F..%2Fetc%2Fpasswd",
        "/api/v1/licenses/%00",
        "/api/v1/licenses/%FF",
        "/api/v1/licenses/%7Bid%7D",
        "/api/v1/licenses/" + "x" * 2000,
        "/api/v1/licenses/x/key",
        "/api/v1/licenses//key",
        "/api/v1/sessions/..%2f",
        "/../../etc/passwd",
        "/api/v2/licenses",
    ],
)
async def test_paths_that_lead_nowhere(site: Site, path: str) -> None:
    status, _, _ = await refused(site, "GET", path)
    assert status == 404


def test_a_call_must_say_what_it_is() -> None:
    async def silent(call: Call[Nothing, Nothing, Nothing]) -> None:
        del call

    with pytest.raises(TypeError, match="says nothing"):
        Ops("x").op("GET", "/x", "licenses.read")(silent)


def test_a_call_must_have_an_action_that_somebody_may_do() -> None:
    async def lawless(call: Call[Nothing, Nothing, Nothing]) -> None:
        """Something"""
        del call

    with pytest.raises(TypeError, match="nobody has a right"):
        Ops("x").op("GET", "/x", "licenses.steal")(lawless)


def test_a_call_without_a_caller_must_be_named_as_such() -> None:
    async def one_license(call: OpenCall[Nothing, Nothing, Nothing]) -> None:
        """Something"""
        del call

    with pytest.raises(TypeError, match=r"rights\.OPEN does not say why"):
        Ops("x").open("GET", "/x")(one_license)


def test_whether_there_is_a_caller_is_said_in_the_types_as_well() -> None:
    async def sign_in(call: Call[Nothing, Nothing, Nothing]) -> None:
        """Something"""
        del call

    with pytest.raises(TypeError, match="takes a Call, or an OpenCall"):
        Ops("x").open("GET", "/x")(sign_in)
