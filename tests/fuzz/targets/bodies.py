"""Bodies of REST calls, each as its call declares it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from seatd.web.api.ops import CsvBody, read_json
from seatd.web.api.shapes import Nothing
from seatd.web.api.table import OPS
from seatd.web.errors import Problem
from tests.fuzz.target import Target

SHAPES = list({op.body: op for op in OPS if op.body not in (Nothing, CsvBody)})


def run(data: bytes) -> None:
    """The first byte chooses a call; the others are refused as a body of it, or are one."""
    shape = SHAPES[(data[0] if data else 0) % len(SHAPES)]
    try:
        body = read_json(data[1:], shape)
    except Problem as refusal:
        assert refusal.code in ("bad_json", "invalid")
        assert refusal.response().body
        return
    assert msgspec.json.encode(body)


def seeds() -> Iterator[bytes]:
    for at, shape in enumerate(SHAPES):
        sample = {part.encode_name: _sample(part.type) for part in msgspec.structs.fields(shape)}
        yield bytes([at]) + msgspec.json.encode(sample)


def _sample(kind: object) -> object:
    """A value that may fit a field of this type."""
    text = str(kind)
    for word, value in {"tuple": ["a"], "bool": True, "int": 3, "datetime": "2026-01-01T00:00:00Z"}.items():
        if word in text:
            return value
    return "ann@acme.example"


WORDS = (
    b"null",
    b"1e999",
    b"true",
    b"[[[[[[[[",
    b'{"a":' * 500,
    b'"\\ud800"',
    b"2026-13-01T00:00:00Z",
    b"9" * 400,
    b'"grants":[{"role":"owner"}]',
)
TARGET = Target("bodies", run, seeds, WORDS)
