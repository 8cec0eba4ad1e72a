"""Queries of REST calls, each as its call declares it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from yarl import URL

from seatd.web.api.ops import read_query
from seatd.web.api.shapes import Nothing
from seatd.web.api.table import OPS
from seatd.web.errors import Problem
from tests.fuzz.target import Target

SHAPES = list({op.query: op for op in OPS if op.query is not Nothing})


def run(data: bytes) -> None:
    """The first byte chooses a call; the others are refused as a query of it, or are one."""
    shape = SHAPES[(data[0] if data else 0) % len(SHAPES)]
    asked = data[1:].decode("utf-8", "surrogateescape")  # as aiohttp decodes a request line
    values = URL.build(path="/", query_string=asked, encoded=True).query
    try:
        query = read_query(values, shape)
    except Problem as refusal:
        assert refusal.code == "invalid"
        assert refusal.response().body
        return
    assert msgspec.json.encode(query)


def seeds() -> Iterator[bytes]:
    for at, shape in enumerate(SHAPES):
        names = [part.encode_name for part in msgspec.structs.fields(shape)]
        yield bytes([at]) + "&".join(f"{name}={VALUES.get(name, '1')}" for name in names).encode()


VALUES = {
    "from": "2026-01-01T00:00:00Z",
    "to": "2026-02-01T00:00:00Z",
    "format": "csv",
    "before": "1-1",
    "dry_run": "true",
    "customer": "acme",
    "search": "a%20b",
}
WORDS = (
    b"%ff",
    b"%ed%a0%80",
    b"%00",
    b"&page=2",
    b"size=0",
    b"+",
    b"%",
    b"=&=",
    b"%0a",
    b"from=",
    b"9" * 5000,
)
TARGET = Target("queries", run, seeds, WORDS)
