"""The audit trail: who changed what, when, from where, and how."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from seatd.store.audit_values import Actor, Entry, Json, Recorded
from seatd.web.api.audit_scope import trail_of
from seatd.web.api.differences import Difference, differences
from seatd.web.api.downloads import Download, csv_line
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import EntryId, Input, Moment, Nothing, Search, moment

ops = Ops("audit")

LOOKED_AT = 5000
"""Entries that one call looks through at the most; the next one goes on where it stopped."""
PAGE = 200
COLUMNS = (
    "id",
    "at",
    "actor",
    "role",
    "address",
    "action",
    "customer",
    "target",
    "place",
    "field",
    "before",
    "after",
)

When = Annotated[datetime, msgspec.Meta(tz=True)]


class AuditFilter(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entries. Without `customer`: the deployment's trail, for who is everywhere. `action` may be a part: `users`."""

    customer: Search = ""
    actor: Search = ""
    action: Search = ""
    target: Search = ""
    since: When | None = msgspec.field(name="from", default=None)
    until: When | None = msgspec.field(name="to", default=None)


class AuditQuery(AuditFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entries, and which part of them: those before the one with the id `before`."""

    before: EntryId = ""
    size: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50


class ExportQuery(AuditFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entries, and how they are written."""

    format: Literal["csv", "json"] = "csv"


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a place, before and after, and what of it differs."""

    place: str
    field: str
    before: Json
    after: Json
    difference: tuple[Difference, ...]


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the trail; `hash` chains it to those before it."""

    id: str
    at: Moment
    by: Actor
    action: str
    customer: str
    target: str
    changes: tuple[ChangeView, ...]
    detail: dict[str, Json]
    hash: str


class AuditAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, the newest first. `next`: give it as `before` for those that come then; null: there are none."""

    items: tuple[EntryView, ...]
    next: str | None
    total: Annotated[int, msgspec.Meta(description="of the whole trail")]


@ops.op("GET", "/api/v1/audit", "audit.read", problems=("unknown_customer",))
async def list_audit(call: Call[Nothing, AuditQuery, Nothing]) -> AuditAnswer:
    """The audit trail, the newest entries first, with what they changed"""
    query, store = call.query, call.services.store
    customer = await trail_of(call, query.customer)
    found: list[EntryView] = []
    last, looked_at = query.before, 0
    async for recorded in _newest_first(call, customer, query.before):
        if len(found) == query.size or looked_at == LOOKED_AT or _is_over(recorded, query):
            ended = len(found) < query.size and looked_at < LOOKED_AT
            return AuditAnswer(
                items=tuple(found), next=None if ended else last, total=await store.audit_length(customer)
            )
        last, looked_at = recorded.id, looked_at + 1
        entry = recorded.entry()
        if _is_sought(entry, query):
            found.append(view(recorded, entry))
    return AuditAnswer(items=tuple(found), next=None, total=await store.audit_length(customer))


@ops.op("GET", "/api/v1/audit/export", "audit.read", problems=("unknown_customer",))
async def export_audit(call: Call[Nothing, ExportQuery, Nothing]) -> Download:
    """The audit trail as a file, the oldest entries first"""
    customer = await trail_of(call, call.query.customer)
    pieces = _as_csv(call, customer) if call.query.format == "csv" else _as_json(call, customer)
    return Download("audit", call.query.format, pieces)


def view(recorded: Recorded, entry: Entry) -> EntryView:
    """The entry as it is shown."""
    changes = (
        ChangeView(
            place=change.place,
            field=change.field,
            before=change.before,
            after=change.after,
            difference=tuple(differences(change.before, change.after)),
        )
        for change in entry.changes
    )
    return EntryView(
        id=recorded.id,
        at=moment(entry.at_ms),
        by=entry.by,
        action=entry.action,
        customer=entry.customer,
        target=entry.target,
        changes=tuple(changes),
        detail=entry.detail,
        hash=recorded.hash,
    )


async def _newest_first(
    call: Call[Any, Any, Any], customer: str | None, before: str
) -> AsyncIterator[Recorded]:
    while True:
        page = await call.services.store.audit_page(customer, before=before or "+", size=PAGE)
        for recorded in page.items:
            yield recorded
        if len(page.items) < PAGE:
            return
        before = page.items[-1].id


def _is_over(recorded: Recorded, query: AuditFilter) -> bool:
    """Whether an entry, and so all before it, was too early. (The hour is for clocks that differ.)"""
    made_ms = int(recorded.id.partition("-")[0])
    return query.since is not None and made_ms < query.since.timestamp() * 1000 - 3_600_000


def _is_sought(entry: Entry, query: AuditFilter) -> bool:
    at_s = entry.at_ms / 1000
    return (
        query.actor in ("", entry.by.name)
        and (not query.action or entry.action == query.action or entry.action.startswith(f"{query.action}."))
        and query.target in ("", entry.target)
        and (query.since is None or at_s >= query.since.timestamp())
        and (query.until is None or at_s < query.until.timestamp())
    )


async def _sought(call: Call[Any, ExportQuery, Any], customer: str | None) -> AsyncIterator[EntryView]:
    async for recorded in call.services.store.audit_trail(customer):
        entry = recorded.entry()
        if _is_sought(entry, call.query):
            yield view(recorded, entry)


async def _as_csv(call: Call[Any, ExportQuery, Any], customer: str | None) -> AsyncIterator[bytes]:
    """A line per change; an entry that says of none has one line."""
    yield csv_line(COLUMNS)
    async for entry in _sought(call, customer):
        by = entry.by
        head = (
            entry.id,
            entry.at.isoformat(),
            by.name,
            by.role,
            by.address,
            entry.action,
            entry.customer,
            entry.target,
        )
        for change in entry.changes or (
            ChangeView(place="", field="", before=None, after=None, difference=()),
        ):
            yield csv_line((*head, change.place, change.field, _cell(change.before), _cell(change.after)))


async def _as_json(call: Call[Any, ExportQuery, Any], customer: str | None) -> AsyncIterator[bytes]:
    before = b"["
    async for entry in _sought(call, customer):
        yield before + b"\n" + msgspec.json.encode(entry)
        before = b","
    yield b"[]\n" if before == b"[" else b"\n]\n"


def _cell(value: Json) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
