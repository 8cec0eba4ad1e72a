"""The OpenAPI 3.1 document, generated from the types that validate the calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from seatd import __version__
from seatd.web.api.downloads import KINDS, Download, Format
from seatd.web.api.event_stream import CONTENT_TYPE as CONTENT_TYPE_EVENTS
from seatd.web.api.event_stream import HEADER as LAST_EVENT
from seatd.web.api.event_stream import EventStream
from seatd.web.api.idempotency import HEADER, takes_key
from seatd.web.api.ops import CsvBody, Op
from seatd.web.api.shapes import Nothing
from seatd.web.errors import CONTENT_TYPE, PROBLEMS, ProblemBody
from seatd.web.origin import CSRF_HEADER, READS

Json = dict[str, Any]
"""A JSON document under construction; its shape is OpenAPI's, not ours."""

ALWAYS = ("internal", "unavailable")
WITH_CALLER = ("unauthenticated", "forbidden")
HELD_UP = ("totp_needed",)
CHANGES = ("cross_site",)
WITH_QUERY = ("invalid",)
WITH_BODY = ("bad_json", "bad_request", "too_slow", "body_too_large", "unsupported_media_type", "invalid")
WITH_PATH = ("not_found",)
WITH_KEY = ("idempotency_mismatch", "idempotency_busy", "idempotency_too_long")

_DESCRIPTION = "Concurrent seats: licenses, live sessions, forced logout. Errors are problems (RFC 9457)."

_COOKIE = {
    "type": "apiKey",
    "in": "cookie",
    "name": "seatd",
    "description": (
        "A session (over TLS the name is __Host-seatd). A call that is not GET needs the header "
        f"{CSRF_HEADER} as well, with what GET /api/v1/profile answers."
    ),
}


def document(ops: Iterable[Op]) -> Json:
    """The document for these calls, in the values that JSON has."""
    written: Json = msgspec.json.decode(msgspec.json.encode(_document(tuple(ops))))
    return written


def _document(ops: tuple[Op, ...]) -> Json:
    refs, components = _components(ops)
    paths: Json = {}
    for op in ops:
        paths.setdefault(op.url, {})[op.method.lower()] = _operation(op, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "seatd", "version": __version__, "description": _DESCRIPTION},
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}, "cookie": _COOKIE},
        },
    }


def problem_codes(op: Op) -> tuple[str, ...]:
    """Every code the call may be refused with, in the order of the table."""
    named = {*op.problems, *ALWAYS}
    named.update(WITH_QUERY)  # a query that the call does not know is refused as well
    named.update(WITH_CALLER if op.action else ())
    named.update(HELD_UP if op.action and op.action != "profile" else ())
    named.update(CHANGES if op.method not in READS else ())
    named.update(WITH_PATH if _fields(op.path) else ())
    named.update(WITH_BODY if op.body is not Nothing else ())
    named.update(WITH_KEY if takes_key(op.method, op.action) else ())
    return tuple(code for code in PROBLEMS if code in named)


def _components(ops: tuple[Op, ...]) -> tuple[dict[object, Json], Json]:
    shapes = [op.returns for op in ops if op.returns not in (None, Download, EventStream)] + [
        op.body for op in ops if op.body not in (Nothing, CsvBody)
    ]
    unique = list(dict.fromkeys([*shapes, ProblemBody]))
    refs, components = msgspec.json.schema_components(unique, ref_template="#/components/schemas/{name}")
    return dict(zip(unique, refs, strict=True)), dict(components)


def _operation(op: Op, refs: dict[object, Json]) -> Json:
    operation: Json = {
        "operationId": op.name,
        "summary": op.summary,
        "tags": [op.tag],
        "parameters": [
            *_parameters(op.path, "path"),
            *_parameters(op.query, "query"),
            *_key(op),
            *_last_event(op),
        ],
        "responses": _responses(op, refs),
    }
    if op.action is None:
        operation["security"] = []
    if op.body is not Nothing:
        content = {"text/csv": {"schema": {"type": "string"}}}
        if op.body is not CsvBody:
            content = {"application/json": {"schema": refs[op.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _responses(op: Op, refs: dict[object, Json]) -> Json:
    if op.returns is None:
        responses: Json = {"204": {"description": "done"}}
    elif op.returns is EventStream:
        content = {CONTENT_TYPE_EVENTS: {"schema": {"type": "string"}}}
        responses = {"200": {"description": "events as they happen", "content": content}}
    else:
        responses = {"200": {"description": "ok", "content": _content(op, refs)}}
    for code in problem_codes(op):
        status = str(PROBLEMS[code].status)
        response = responses.setdefault(
            status, {"description": "", "content": {CONTENT_TYPE: {"schema": refs[ProblemBody]}}}
        )
        response["description"] = ", ".join(filter(None, (response["description"], code)))
    return responses


def _content(op: Op, refs: dict[object, Json]) -> Json:
    """By kind of file, where the call names them or its query lets the caller choose one; else JSON."""
    formats: Sequence[Format] = op.formats or _fields(op.query).get("format", {"enum": ["json"]})["enum"]
    as_json = {"type": "array"} if op.returns is Download else refs[op.returns]
    return {
        KINDS[format]: {"schema": as_json if format == "json" else {"type": "string"}} for format in formats
    }


def _parameters(shape: type[msgspec.Struct], place: str) -> list[Json]:
    return [
        {"name": name, "in": place, "required": place == "path" or name in required, "schema": schema}
        for required in (_required(shape),)
        for name, schema in _fields(shape).items()
    ]


def _key(op: Op) -> list[Json]:
    schema = {"type": "string", "minLength": 1, "maxLength": 255}
    parameter = {"name": HEADER, "in": "header", "required": False, "schema": schema}
    return [parameter] if takes_key(op.method, op.action) else []


def _last_event(op: Op) -> list[Json]:
    schema = {"type": "string"}
    parameter = {"name": LAST_EVENT, "in": "header", "required": False, "schema": schema}
    return [parameter] if op.returns is EventStream else []


def _schema(shape: type[msgspec.Struct]) -> Json:
    return dict(msgspec.json.schema(shape)["$defs"][shape.__name__])


def _fields(shape: type[msgspec.Struct]) -> Json:
    return dict(_schema(shape)["properties"])


def _required(shape: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(_schema(shape).get("required", ()))
