"""Inputs that once did what none may do. `./dev fuzz` prints what it finds as a case for this list."""

from __future__ import annotations

import pytest

from tests.fuzz.target import judged
from tests.fuzz.targets import target

GET = b"GET /api/v1/customers HTTP/1.1\r\nHost: x\r\n"
FINDINGS = [
    # A query that is not UTF-8 ended as an error of ours.
    ("queries", b"\x13page=1duu\xcd-.&search=a%20b"),
    (
        "requests",
        b"GET /api/v1/licenses?search=\xcd HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n",
    ),
    ("queries", b"\x0cpage=1&size=1&search=a%2:\x88"),
    ("requests", b"GET /api/v1/customers/\xcd HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"),
    # TOML that is nested deeply ended in a RecursionError.
    ("catalog", b"x = " + b"[" * 2000),
    ("configuration", b"tx = " + b"[" * 2000),
    # Whoever asked for the metrics in a version that is no number broke the page.
    (
        "requests",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/plain;version=x\r\nConnection: close\r\n\r\n",
    ),
    (
        "requests",
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text;version=2.\xff\r\n\r\n",
    ),
    # A store's URL without its two slashes ended as a KeyError, which told the URL, with its password.
    ("configuration", b"eSTORE_URL=redis+sentinel:/u:p@a/m"),
    # aiohttp logged what is not HTTP as an error, with a traceback and the line: here, the API token.
    ("requests", GET + b"Authorization: Bearer \r\n{TOKEN}\r\nConnection: close\r\n\r\n"),
    ("requests", b"\x00ET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("requests", GET + b"Host: y\r\n\r\n"),
    # A refusal that names the Host, which is not UTF-8, could not be written: an error of ours, with what was sent in the log.
    (
        "requests",
        b"POST /api/v1/sign-in HTTP/1.1\r\nHost:\xffBearer {TOKEN}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b'Origin: http://x\r\nContent-Length: 30\r\n\r\n{"name":"root","password":"x"}',
    ),
    # A body that is not packed as it says was unpacked while nobody wanted it any more: an error of ours in the log.
    (
        "requests",
        b"POST /api/v1/logout HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n"
        b"Content-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: 30\r\n\r\n"
        b'{"users":["ann@acme.example"]}',
    ),
]


@pytest.mark.parametrize(("name", "data"), FINDINGS)
def test_it_does_so_no_more(name: str, data: bytes) -> None:
    found = judged(target(name), data)
    assert found is None, found.what
