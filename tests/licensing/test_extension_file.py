"""The CSV file of extensions: its template can be read, and what is wrong is told with its place."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatd.licensing.catalog import Catalog
from seatd.licensing.extension_file import LONGEST_ROW, MOST_ROWS, BadFile, read, template, written
from seatd.licensing.extensions import Block, Extension, faults_of

HEADER = "Ext key,Number,User,Addon license,Addon license\n"


def lines(text: str) -> list[tuple[int, Extension]]:
    return [(line.row, line.extension) for line in read(text.encode())]


def faults(data: bytes | str) -> list[tuple[int, str]]:
    with pytest.raises(BadFile) as caught:
        list(read(data.encode() if isinstance(data, str) else data))
    return [(bad.row, bad.column) for bad in caught.value.faults]


def test_the_template_is_a_good_file() -> None:
    found = list(read(template().encode()))
    blocks, catalog = [Block(first=200, last=299)], Catalog.load()
    assert [line.extension.extension for line in found] == ["201", "202"]
    assert [wrong for line in found for wrong in faults_of(line.extension, blocks, catalog)] == []


def test_a_row() -> None:
    text = HEADER + "201,+43 1 5550201, ann@acme.example ,call_recording,device_mobile_app\n\n,,,,\n202\n"
    assert lines(text) == [
        (
            2,
            Extension(
                extension="201",
                number="+43 1 5550201",
                user="ann@acme.example",
                add_ons=("call_recording", "device_mobile_app"),
            ),
        ),
        (5, Extension(extension="202")),
    ]


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_as_spreadsheets_write_it(start: str, end: str) -> None:
    text = f'{start}Ext key;User;Addon license{end}201;"ann@acme.example";call_recording{end}'
    assert lines(text) == [
        (2, Extension(extension="201", user="ann@acme.example", add_ons=("call_recording",)))
    ]


def test_columns_in_any_order_and_as_many_add_ons_as_one_likes() -> None:
    names = ["Addon license"] * 50 + ["Ext key"]
    (line,) = read((",".join(names) + "\n" + "call_recording," * 50 + "201\n").encode())
    assert len(line.extension.add_ons) == 50
    assert line.columns["add_ons[49]"] == "Addon license (column 50)"


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ("", [(1, "Ext key")]),
        ("Ext,User\n201,x\n", [(1, "Ext"), (1, "Ext key")]),
        ("Ext key,Ext key\n", [(1, "Ext key")]),
        (HEADER + "201,,,,,more\n", [(2, "")]),
        (HEADER + "201," + "x" * 301 + "\n", [(2, "")]),
        (HEADER + '201,"open\n', [(2, "")]),
        (HEADER.encode() + b"201,\xff\n", [(2, "")]),
        (",".join(["Ext key", *["Addon license"] * 100]) + "\n", [(1, "")]),
        ("," * 10_000 + "\n", [(1, "")]),
        (HEADER + "," * 1_000_000 + "\n", [(2, "")]),
        (HEADER + '201\n202,"' + "\n,,," * 100_000 + '"\n', [(3, "")]),
    ],
)
def test_what_is_wrong_with_the_file(data: bytes | str, where: list[tuple[int, str]]) -> None:
    assert faults(data) == where


def test_too_many_rows() -> None:
    assert faults("Ext key\n" + "201\n" * (MOST_ROWS + 1)) == [(MOST_ROWS + 2, "")]


def test_empty_rows_are_counted() -> None:
    assert faults("Ext key\n" + "\n" * (MOST_ROWS + 1)) == [(MOST_ROWS + 2, "")]
    assert lines("Ext key\n" + "\n" * (MOST_ROWS - 1) + "201") == [
        (MOST_ROWS + 1, Extension(extension="201"))
    ]


def test_a_row_that_is_too_long_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    taken_apart: list[int] = []
    real = csv.reader

    def reader(lines: Iterable[str], **options: Any) -> Any:
        return real((taken_apart.append(len(line)) or line for line in lines), **options)  # type: ignore[func-returns-value]

    monkeypatch.setattr(csv, "reader", reader)
    for text in ("," * 1_000_000, HEADER + "," * 1_000_000):
        faults(text)
    assert max(taken_apart) <= LONGEST_ROW


def test_formulas_are_written_as_text() -> None:
    cells = ["=1+1", "+1", "+43 1 5550201", "-1", "@sum", "\tx", "plain", "+1+cmd|x"]
    assert written([cells]) == "'=1+1,+1,+43 1 5550201,'-1,'@sum,'\tx,plain,'+1+cmd|x\r\n"


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    rows = []
    with suppress(BadFile):
        rows = [line.row for line in read(HEADER.encode() + data)]
    assert all(row >= 2 for row in rows)
