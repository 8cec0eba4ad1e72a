"""The CSV file by which many extensions are made at once: its template, and how it is read. No I/O.

    Ext key,Number,User,Addon license,Addon license
    201,+43 1 234201,ann@acme.example,device_mobile_app,call_recording

As many `Addon license` columns as are needed. Rows are counted as a spreadsheet counts them: the header is row 1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

import msgspec

from seatd.licensing.extensions import Extension

EXTENSION, NUMBER, USER, ADD_ON = "Ext key", "Number", "User", "Addon license"
MOST_ROWS = 10_000
MOST_COLUMNS = 100
LONGEST_CELL = 300
LONGEST_ROW = MOST_COLUMNS * (LONGEST_CELL + 3)
"""Characters: of all cells, quoted and separated. One that is longer is not even taken apart."""

TEMPLATE_ROWS = (
    (EXTENSION, NUMBER, USER, ADD_ON, ADD_ON, ADD_ON),
    ("201", "+43 1 5550201", "ann@example.com", "device_desktop_app", "device_mobile_app", "call_recording"),
    ("202", "", "", "device_ip_phone", "", ""),
)


class BadRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong in the file, and where. `row` 0: with the file as a whole; `column` "": with the row."""

    row: int
    column: str
    message: str


class BadFile(ValueError):
    """The file cannot be read as what it should be; `faults` says where and why."""

    def __init__(self, *faults: BadRow) -> None:
        self.faults = faults
        super().__init__("\n".join(f"row {bad.row}, {bad.column}: {bad.message}" for bad in faults))


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the file, and the column that each of the extension's fields stands in."""

    row: int
    extension: Extension
    columns: dict[str, str]


def template() -> str:
    """The sample file that administrators download."""
    return written(TEMPLATE_ROWS)


def written(rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV. What a spreadsheet would take for a formula is written as the text that it is."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_harmless(str(cell)) for cell in row])
    return out.getvalue()


def read(data: bytes) -> Iterator[Line]:
    """The rows of a file, one after another. Raises `BadFile`: at once for what is wrong with all of it, and at a row that has
    cells where no column is.

    What is wrong with an extension itself is not looked at (see `extensions.faults_of`).
    """
    rows = _rows(_text(data))
    names = next(rows, [])
    _check(names)
    for number, cells in enumerate(rows, 2):
        if number > MOST_ROWS + 1:
            message = f"a file has at most {MOST_ROWS} rows, empty ones included"
            raise BadFile(BadRow(row=number, column="", message=message))
        if any(cells):
            yield _line(number, names, cells)


def _rows(text: str) -> Iterator[list[str]]:
    """The cells of each row. Raises `BadFile` for what is not CSV, and before a row that is too long is taken apart."""
    lines = _Lines(text)
    header = text[: text.find("\n")]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in rows:
            yield [cell.strip() for cell in cells]
            lines.begin_row()
    except csv.Error as error:
        raise BadFile(BadRow(row=rows.line_num, column="", message=f"this is not CSV: {error}")) from None


class _Lines:
    """The lines of a text, of which a row may take only so many characters (a cell in quotes goes on over their ends)."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text)
        self._row = 1
        self._left = LONGEST_ROW

    def begin_row(self) -> None:
        """What comes now belongs to another row."""
        self._row += 1
        self._left = LONGEST_ROW

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._left -= len(line)
        if self._left < 0:
            message = f"a row has more than {LONGEST_ROW} characters"
            raise BadFile(BadRow(row=self._row, column="", message=message))
        return line


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise BadFile(BadRow(row=row, column="", message="the file must be in UTF-8")) from None


def _check(names: list[str]) -> None:
    if len(names) > MOST_COLUMNS:
        raise BadFile(BadRow(row=1, column="", message=f"there are more than {MOST_COLUMNS} columns"))
    known = {EXTENSION, NUMBER, USER, ADD_ON}
    faults = [
        BadRow(row=1, column=name, message=f"there is no such column; there are {', '.join(sorted(known))}")
        for name in names
        if name not in known
    ]
    faults += [
        BadRow(row=1, column=name, message="the column stands twice")
        for name in (EXTENSION, NUMBER, USER)
        if names.count(name) > 1
    ]
    if EXTENSION not in names:
        faults.append(BadRow(row=1, column=EXTENSION, message="the column is missing"))
    if faults:
        raise BadFile(*faults[:20])


def _line(number: int, names: list[str], cells: list[str]) -> Line:
    if len(cells) > len(names):
        raise BadFile(BadRow(row=number, column="", message="there are more cells than columns"))
    if any(len(cell) > LONGEST_CELL for cell in cells):
        raise BadFile(
            BadRow(row=number, column="", message=f"a cell has more than {LONGEST_CELL} characters")
        )
    found: dict[str, str] = {}
    add_ons: list[str] = []
    columns = {"extension": EXTENSION, "number": NUMBER, "user": USER}
    for place, (name, cell) in enumerate(zip(names, cells, strict=False), 1):
        if name == ADD_ON and cell:
            columns[f"add_ons[{len(add_ons)}]"] = f"{ADD_ON} (column {place})"
            add_ons.append(cell)
        elif name != ADD_ON:
            found[name] = cell
    extension = Extension(
        extension=found.get(EXTENSION, ""),
        number=found.get(NUMBER, ""),
        user=found.get(USER, ""),
        add_ons=tuple(add_ons),
    )
    return Line(row=number, extension=extension, columns=columns)


def _harmless(cell: str) -> str:
    """OWASP, CSV injection: a cell that begins like a formula is given an apostrophe. A telephone number may begin with +."""
    if cell[:1] in ("=", "-", "@", "\t", "\r") or (
        cell[:1] == "+" and not cell[1:].replace(" ", "").isdigit()
    ):
        return f"'{cell}"
    return cell
