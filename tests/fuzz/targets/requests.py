"""What stands on the admin listener's sockets, to a whole server: request lines, headers, cookies, bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.fuzz.server import Watch, answer, server
from tests.fuzz.target import Target

INTERNALS = re.compile(rb"Traceback|File \"|site-packages|/seatd/[a-z]|\.py\b")
BROKEN = re.compile(rb"^HTTP/1\.1 5(?!03)", re.MULTILINE)
TOKEN = b"{TOKEN}"
WATCH = Watch()


def run(data: bytes) -> None:
    """Whatever is asked, nothing breaks. `{TOKEN}` stands for the operator's token."""
    got = answer(server().admin, data.replace(TOKEN, server().token.encode()), silence_s=0.05)
    assert not BROKEN.search(got), got
    if not got.startswith(b"HTTP/1.1 200"):  # the document, the console and exports may speak of anything
        assert not INTERNALS.search(got), got
    WATCH.look()


def request(line: str, body: bytes = b"", **headers: str) -> bytes:
    """A request that ends its connection."""
    given = {"Host": "x", "Authorization": "Bearer {TOKEN}", "Connection": "close"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    if body:
        given["Content-Length"] = str(len(body))
    lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def seeds() -> Iterator[bytes]:
    yield request("GET /api/v1/licenses?page=1&size=2&search=a%20b&customer=acme")
    yield request("GET /api/v1/denials?format=csv&from=2026-01-01T00:00:00Z&customer=acme")
    yield request(
        "GET /api/v1/customers/acme",
        Cookie='seatd="' + "A" * 43 + '"; other=1',
        X_Forwarded_For="10.0.0.1, [::1]:80",
    )
    yield request(
        "POST /api/v1/logout",
        b'{"users":["ann@acme.example"]}',
        Content_Type="application/json",
        Idempotency_Key="k-1",
    )
    yield request(
        "POST /api/v1/customers/acme/provision/bulk?dry_run=true", b"Ext key\n201\n", Content_Type="text/csv"
    )
    yield request(
        "POST /api/v1/sign-in",
        b'{"name":"root","password":"x"}',
        Content_Type="application/json",
        Origin="http://x",
    )
    yield request(
        "PUT /api/v1/profile/password",
        b'{"new":"x"}',
        Cookie="seatd=" + "A" * 43,
        X_Seatd_CSRF="0",
        Content_Type="application/json",
    )
    yield request("GET /metrics", Accept="text/plain;version=0.0.4", Accept_Encoding="gzip")
    yield request("GET /readyz?verbose")
    yield request("GET /openapi.json")
    yield request("GET /")


WORDS = (
    b"\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
    b"Cookie: seatd=",
    b"X-Forwarded-For: ",
    b"Origin: null\r\n",
    b"%2f..%2f",
    b"%00",
    b"%ff",
    b"\xff",
    b"\xc3\xbc",
    b"Idempotency-Key: \xff\r\n",
    b"Content-Encoding: gzip\r\n",
    b"If-None-Match: *\r\n",
    b"X-Seatd-CSRF: \xff\r\n",
    b"Range: bytes=0-\r\n",
    b"HEAD",
    b"OPTIONS",
    b"Expect: 100-continue\r\n",
)
TARGET = Target("requests", run, seeds, WORDS)
