"""Many extensions at once, out of a CSV file: all rows are checked first, and a bad file changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from typing import Literal

import msgspec
import structlog

from seatd.licensing.extension_file import BadFile, BadRow, Line, read, template
from seatd.licensing.extensions import Extension, Wrong
from seatd.store.audit_values import Deed
from seatd.store.redis import Store
from seatd.store.values import StoreUnavailable
from seatd.web.api.customer_views import CustomerPath
from seatd.web.api.downloads import Download
from seatd.web.api.ops import Call, CsvBody, Ops
from seatd.web.api.provisioning import PROBLEMS, check_active
from seatd.web.api.shapes import Input, Nothing
from seatd.web.errors import FieldError, Problem

ops = Ops("provisioning")

ROWS_AT_ONCE = 500
"""Made in one go: so long does the store work for nobody else."""
MOST_ERRORS = 1000
WAITS_S = (0.5, 1, 2, 4, 8, 16, 30)
"""Between attempts to take back what was made, while the store is away."""

_running: set[asyncio.Task[None]] = set()
_log = structlog.get_logger(__name__)


class BulkQuery(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`dry_run`: only check. `progress`: answer line by line (NDJSON) while it goes on, the report last."""

    dry_run: bool = False
    progress: bool = False


class RowReport(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the file, as a spreadsheet counts it, and what became of it."""

    row: int
    extension: str
    outcome: Literal["created", "checked", "wrong", "left"]
    errors: tuple[FieldError, ...] = ()


class BulkReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the file. `refused`: nothing was changed; each row that is wrong says why, the others are `left`."""

    status: Literal["created", "checked", "refused"]
    rows: int
    created: int
    errors: tuple[FieldError, ...]
    report: tuple[RowReport, ...]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far it has come."""

    step: Literal["read", "made"]
    rows: int
    of: int


@ops.op(
    "GET",
    "/api/v1/customers/{customer}/provision/template.csv",
    "provisioning.read",
    problems=("unknown_customer",),
    formats=("csv",),
)
async def provision_template(call: Call[CustomerPath, Nothing, Nothing]) -> Download:
    """A sample file to fill in"""
    await call.scope.named_customer(call.path.customer)

    async def pieces() -> AsyncIterator[bytes]:
        yield template().encode()

    return Download("extensions", "csv", pieces())


@ops.op(
    "POST",
    "/api/v1/customers/{customer}/provision/bulk",
    "provisioning.change",
    formats=("json", "ndjson"),
    problems=PROBLEMS,
)
async def provision_bulk(call: Call[CustomerPath, BulkQuery, CsvBody]) -> BulkReport | Download:
    """Make the extensions of a CSV file, all of them or none"""
    customer = await call.scope.whole_customer(call.path.customer)
    check_active(await call.services.store.account(customer))
    steps = _carried_out(call, customer)
    if call.query.progress:
        return Download("report", "ndjson", _lines(steps))
    *_, report = [step async for step in steps]
    assert isinstance(report, BulkReport)
    if report.status == "refused":
        raise Problem("cannot_provision", report.errors[0].message, errors=report.errors)
    return report


async def _lines(steps: AsyncIterator[Progress | BulkReport]) -> AsyncIterator[bytes]:
    async for step in steps:
        yield msgspec.json.encode(step) + b"\n"


async def _carried_out(
    call: Call[CustomerPath, BulkQuery, CsvBody], customer: str
) -> AsyncIterator[Progress | BulkReport]:
    """Reads, checks and makes, and says how far it has come."""
    lines: list[Line] = []
    try:
        rows, of = read(call.body.data), call.body.data.count(b"\n")
        while await asyncio.to_thread(_read_some, rows, lines) == ROWS_AT_ONCE:
            yield Progress(step="read", rows=len(lines), of=of)
    except BadFile as bad:
        yield _refused([], [_of_file(fault) for fault in bad.faults], lines)
        return
    new = [line.extension for line in lines]
    faults = await call.services.store.check_extensions(customer, new, call.services.catalog)
    if faults or not lines:
        yield _refused(faults, [] if lines else [FieldError(path="", message="the file has no rows")], lines)
        return
    if call.query.dry_run:
        yield _report("checked", lines)
        return
    async for made in _made(call, customer, lines):
        yield made


def _read_some(rows: Iterator[Line], lines: list[Line]) -> int:
    """Reads a portion into `lines`, as far as the file is good; how many."""
    before = len(lines)
    lines.extend(islice(rows, ROWS_AT_ONCE))  # what comes before a bad row is kept
    return len(lines) - before


async def _made(
    call: Call[CustomerPath, BulkQuery, CsvBody], customer: str, lines: Sequence[Line]
) -> AsyncIterator[Progress | BulkReport]:
    """Makes them in a task of its own, which goes to its end also when nobody listens any more."""
    steps: asyncio.Queue[Progress | BulkReport | None] = asyncio.Queue()
    task = asyncio.create_task(_make(call, customer, lines, steps))
    _running.add(task)
    task.add_done_callback(_running.discard)
    task.add_done_callback(lambda _: steps.put_nowait(None))
    while (step := await steps.get()) is not None:
        yield step
    await task


async def _make(
    call: Call[CustomerPath, BulkQuery, CsvBody],
    customer: str,
    lines: Sequence[Line],
    steps: asyncio.Queue[Progress | BulkReport | None],
) -> None:
    """Makes them portion by portion. When a portion cannot be made, all is taken back."""
    store = call.services.store
    deed = call.caller.deed("provisioning.bulk", f"{len(lines)} extensions")
    new = [line.extension for line in lines]
    for start in range(0, len(new), ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE, len(new))
        try:
            faults = await store.provision(
                customer, new[start:end], call.services.catalog, deed, check=check_active
            )
        except (StoreUnavailable, Problem):
            await _taken_back(store, customer, new[:end], deed, sure=start)  # this portion may be there
            raise
        if faults:
            left = await _taken_back(store, customer, new[:start], deed, sure=start)
            steps.put_nowait(_refused([(start + at, wrong) for at, wrong in faults], _of_left(left), lines))
            return
        steps.put_nowait(Progress(step="made", rows=end, of=len(lines)))
    steps.put_nowait(_report("created", lines))


async def _taken_back(
    store: Store, customer: str, made: Sequence[Extension], deed: Deed, sure: int
) -> list[str]:
    """Takes back what was made, also when the store is away for a while; what others have changed meanwhile, and so stays.
    Of those from `sure` on it is not known whether they were made."""
    left: list[str] = []
    for start in range(0, len(made), ROWS_AT_ONCE):
        for wait_s in WAITS_S:
            try:
                portion = made[start : start + ROWS_AT_ONCE]
                left += await store.take_back(customer, portion, deed, is_sure=start < sure)
                break
            except StoreUnavailable:
                await asyncio.sleep(wait_s)
        else:
            _log.error("extensions are left of a file", customer=customer, extensions=len(made) - start)
            raise StoreUnavailable("not all that was made of the file could be taken back")
    return left


def _of_left(extensions: Sequence[str]) -> list[FieldError]:
    message = "it was made and is left: somebody else has changed it meanwhile"
    return [FieldError(path=extension, message=message) for extension in extensions]


def _report(status: Literal["created", "checked"], lines: Sequence[Line]) -> BulkReport:
    rows = tuple(
        RowReport(row=line.row, extension=line.extension.extension, outcome=status) for line in lines
    )
    created = len(lines) if status == "created" else 0
    return BulkReport(status=status, rows=len(lines), created=created, errors=(), report=rows)


def _refused(
    faults: Sequence[tuple[int, Wrong]], of_file: Sequence[FieldError], lines: Sequence[Line]
) -> BulkReport:
    by_row: dict[int, list[FieldError]] = {}
    for place, wrong in faults:
        line = lines[place]
        path = f"row {line.row}, {line.columns.get(wrong.field, wrong.field)}"
        by_row.setdefault(place, []).append(FieldError(path=path, message=wrong.message))
    report = tuple(
        RowReport(
            row=line.row,
            extension=line.extension.extension,
            outcome="wrong" if place in by_row else "left",
            errors=tuple(by_row.get(place, ())),
        )
        for place, line in enumerate(lines)
    )
    errors = [*of_file, *(error for found in by_row.values() for error in found)]
    return BulkReport(
        status="refused", rows=len(lines), created=0, errors=tuple(errors[:MOST_ERRORS]), report=report
    )


def _of_file(fault: BadRow) -> FieldError:
    place = ", ".join(filter(None, (f"row {fault.row}" if fault.row else "", fault.column)))
    return FieldError(path=place, message=fault.message)
