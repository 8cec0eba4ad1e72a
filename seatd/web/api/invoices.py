"""Invoice statements: drafted, issued, and read by a billing system."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
import structlog

from seatd.store.statement_values import MOST_DAYS, Metering, Period, Statement
from seatd.store.statements import Ended, NotOver, Overlaps
from seatd.web.api.customer_views import CustomerPath
from seatd.web.api.downloads import Download, table
from seatd.web.api.invoice_table import COLUMNS, cells
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Input, Listing, Nothing, PageQuery
from seatd.web.errors import Problem, invalid

ops = Ops("invoices")
_log = structlog.get_logger(__name__)

DAYS_KEPT = 800
"""So long the store has rows of days; those of months it has for ever."""

Day = Annotated[date, msgspec.Meta(description="a day in UTC, such as 2026-01-31")]


class PeriodInput(Input, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """From the first day to the last, in UTC; both belong to it."""

    from_: Day
    to: Day


class DraftQuery(
    PeriodInput, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """Of which days, and how it is told."""

    format: Literal["json", "csv"] = "json"


class FormatQuery(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it is told."""

    format: Literal["json", "csv"] = "json"


class InvoicePath(CustomerPath, frozen=True, kw_only=True):
    """Which statement of which customer."""

    number: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class InvoiceRow(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A statement in a list."""

    number: str
    issued: datetime
    from_: date
    to: date
    currency: str
    total: str
    metering: Metering


@ops.op("GET", "/api/v1/customers/{customer}/invoices/draft", "invoices.read", problems=("unknown_customer",))
async def draft_invoice(call: Call[CustomerPath, DraftQuery, Nothing]) -> Statement | Download:
    """What a statement of these days would say now"""
    customer = await call.scope.whole_customer(call.path.customer)
    period = await _period(call, call.query)
    draft = await call.services.store.draft(customer, period)
    return _told(draft, call.query.format)


@ops.op(
    "POST",
    "/api/v1/customers/{customer}/invoices",
    "invoices.issue",
    problems=("unknown_customer", "customer_deleted", "period_not_over", "invoice_overlaps"),
)
async def issue_invoice(call: Call[CustomerPath, Nothing, PeriodInput]) -> Statement:
    """Issue the statement of these days: from then on it is never changed"""
    customer = await call.scope.whole_customer(call.path.customer)
    period = await _period(call, call.body)
    deed = call.caller.deed("invoices.issue", f"{period.first} {period.last}")
    match await call.services.store.issue(customer, period, deed):
        case NotOver():
            raise Problem("period_not_over")
        case Ended():
            raise Problem("customer_deleted")
        case Overlaps(number=number):
            raise Problem("invoice_overlaps", f"{number} has days of this period already.")
        case Statement() as statement:
            _log.info("statement issued", by=call.caller.name, customer=customer, number=statement.number)
            return statement


@ops.op("GET", "/api/v1/customers/{customer}/invoices", "invoices.read", problems=("unknown_customer",))
async def list_invoices(call: Call[CustomerPath, PageQuery, Nothing]) -> Listing[InvoiceRow]:
    """The statements that were issued, the latest first"""
    query = call.query
    rows = await call.services.store.statements(await _customer(call))
    shown = rows[query.offset : query.offset + query.size]
    items = tuple(
        InvoiceRow(**{name: getattr(row, name) for name in InvoiceRow.__struct_fields__}) for row in shown
    )
    return Listing(items=items, page=query.page, size=query.size, total=len(rows))


@ops.op(
    "GET",
    "/api/v1/customers/{customer}/invoices/{number}",
    "invoices.read",
    problems=("unknown_customer", "unknown_invoice"),
)
async def one_invoice(call: Call[InvoicePath, FormatQuery, Nothing]) -> Statement | Download:
    """A statement that was issued"""
    statement = await call.services.store.statement(await _customer(call), call.path.number)
    if statement is None:
        raise Problem("unknown_invoice")
    return _told(statement, call.query.format)


async def _customer(call: Call[Any, Any, Any]) -> str:
    """The customer whose statements are read. Those of deleted customers are there for who is everywhere."""
    customer: str = call.path.customer
    if call.caller.grant.is_everywhere and customer in await call.services.store.former_customers():
        return customer
    return await call.scope.whole_customer(customer)


async def _period(call: Call[Any, Any, Any], given: PeriodInput) -> Period:
    """The days that are meant, when figures of all of them can be there."""
    if given.to < given.from_:
        raise invalid("to", "is before from")
    period = Period(given.from_, given.to)
    if given.from_.year < 1970:
        raise invalid("from", "is before 1970")
    if period.days > MOST_DAYS:
        raise invalid("to", f"more than {MOST_DAYS} days")
    now_ms = await call.services.store.time_ms()
    if period.from_ms > now_ms:
        raise invalid("from", "is still to come")
    _, days = period.parts()
    if days and min(days) < now_ms // 86_400_000 - DAYS_KEPT:
        raise invalid("from", f"of more than {DAYS_KEPT} days ago only whole months are known")
    return period


def _told(statement: Statement, format: Literal["json", "csv"]) -> Statement | Download:
    if format == "json":
        return statement
    return table(_file_name(statement), COLUMNS, cells(statement))


def _file_name(statement: Statement) -> str:
    name = statement.number or f"{statement.customer}-draft"
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in name
    )
