"""The CSV file of extensions, and what is then checked of each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import msgspec

from seatd.licensing.extension_file import MOST_ROWS, BadFile, read, template, written
from seatd.licensing.extensions import Block, faults_of
from tests.fuzz.target import Target
from tests.licensing.build import CATALOG

BLOCKS = (Block(first=200, last=299),)
FORMULAS = ("=", "-", "@", "\t", "\r")


def run(data: bytes) -> None:
    """Refused at a row, or rows whose faults can be told, and which can be written so that no spreadsheet computes them."""
    lines = []
    try:
        lines.extend(read(data))
    except BadFile as refusal:
        assert refusal.faults
        assert all(0 <= fault.row <= MOST_ROWS + 2 or not lines for fault in refusal.faults)
        assert msgspec.json.encode(refusal.faults)
    for line in lines[:20]:
        assert 2 <= line.row <= MOST_ROWS + 1
        assert msgspec.json.encode(list(faults_of(line.extension, BLOCKS, CATALOG))) is not None
        cells = [
            line.extension.extension,
            line.extension.number,
            line.extension.user,
            *line.extension.add_ons,
        ]
        (again,) = csv.reader(io.StringIO(written([cells]), newline=""))
        assert not any(cell.startswith(FORMULAS) for cell in again)


def seeds() -> Iterator[bytes]:
    yield template().encode()
    yield template().replace(",", ";").encode("utf-8-sig")
    yield b'Ext key,Number,User,Addon license\r\n201,"+43 1 5550201","a""b@acme.example",\r\n\r\n202,,,call_recording\n'


TARGET = Target(
    "extension_file",
    run,
    seeds,
    (
        b"Ext key",
        b"Number",
        b"Addon license",
        b'"',
        b'""',
        b";",
        b"\r",
        b"=1+1",
        b"\xef\xbb\xbf",
        b"\xc2\x85",
    ),
)
