"""An operator's own catalogue of products."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

from seatd.licensing.catalog import BadCatalog, Catalog
from tests.fuzz.target import Target
from tests.licensing.test_catalog_file import SMALL


def run(data: bytes) -> None:
    """Refused with faults, or a catalogue that answers what is asked of it."""
    try:
        catalog = Catalog.load(data.decode("utf-8", "replace"))
    except BadCatalog as refusal:
        assert refusal.faults
        return
    for product in catalog.products:
        catalog.requirements([product], "mobile")
        catalog.sections([product])


def seeds() -> Iterator[bytes]:
    yield SMALL.encode()
    whole = resources.files("seatd.licensing").joinpath("catalog.toml").read_bytes()
    yield from (b"[products." + part for part in whole.split(b"\n[products.")[1:4])


WORDS = (
    b'base = "line"',
    b'device = "none"',
    b"per_extension = 0",
    b'counts = "resource"',
    b"[[sections]]",
    b"x = " + b"[" * 2000,
)
TARGET = Target("catalog", run, seeds, WORDS)
