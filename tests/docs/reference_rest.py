"""docs/reference/rest.md: every call of the REST API, from the OpenAPI document and the table of rights."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from seatd.store.access_values import ROLES
from seatd.web.api.openapi import document, problem_codes
from seatd.web.api.ops import Op
from seatd.web.api.table import OPS
from seatd.web.rights import RIGHTS
from tests.docs.markdown import MADE, table, ticked

Json = dict[str, Any]


def page() -> str:
    """The page."""
    written = document(OPS)
    parts = [
        "# REST",
        f"{MADE} How to call, and what it all means, is told in [REST API](../rest.md); the same for programs is "
        "`/openapi.json`.",
        "`may` names the roles that may make the call, and how far they reach "
        "([rights](../administrators.md#what-a-role-may-do)); a field with a star must be given. "
        "Shapes are at [the end](#shapes).",
    ]
    for tag, ops in groupby(OPS, key=lambda op: op.tag):
        parts += [f"## {tag}", *(_call(op, written["paths"][op.url][op.method.lower()]) for op in ops)]
    parts += ["## Shapes"]
    parts += [_shape(name, shape) for name, shape in sorted(written["components"]["schemas"].items())]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _call(op: Op, written: Json) -> str:
    lines = [f"### `{op.method} {op.url}`", f"{op.summary.rstrip('.')}.", f"* may: {_who(op)}"]
    query = [p for p in written["parameters"] if p["in"] == "query"]
    if query:
        lines.append("* query: " + "; ".join(f"`{p['name']}` {_type(p['schema'])}" for p in query))
    if body := written.get("requestBody"):
        lines.append("* body: " + ", ".join(_content(body["content"])))
    for status in ("200", "204"):
        if answer := written["responses"].get(status):
            content = ", ".join(_content(answer.get("content", {})))
            lines.append(f"* answers: {status}{' ' + content if content else ''}")
    lines.append(f"* refuses: {ticked(problem_codes(op))}")
    return lines[0] + "\n\n" + lines[1] + "\n\n" + "\n".join(lines[2:])


def _who(op: Op) -> str:
    if op.action is None:
        return "anybody"
    reach = dict(zip(ROLES, RIGHTS[op.action], strict=True))
    roles = [f"{role} ({cell})" if cell != "all" else role for role, cell in reach.items() if cell]
    return f"`{op.action}`: {', '.join(roles)}"


def _content(content: Json) -> list[str]:
    return [f"{_type(kind['schema'])} as `{name}`" for name, kind in content.items()]


def _shape(name: str, shape: Json) -> str:
    required = shape.get("required", ())
    rows = [
        (f"`{field}`{'*' if field in required else ''}", _type(schema))
        for field, schema in shape.get("properties", {}).items()
    ]
    return f"### {name}\n\n" + (table("field|type", rows) if rows else _type(shape))


def _type(schema: Json) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return _one_of(schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}" if schema.get("items") else "list"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])} by name"
    words = str(schema.get("type", "anything")) + _bounds(schema)
    default = schema.get("default")
    return words if default in (None, "", [], {}) else f"{words}, default `{json.dumps(default)}`"


def _one_of(values: list[str]) -> str:
    """Orders go both ways: `-used` is said of all of them together."""
    plain = [value for value in values if f"-{value}" in values]
    if plain and len(values) == 2 * len(plain):
        return f"one of {ticked(plain)}; with `-` before it the other way round"
    return f"one of {ticked(str(value) for value in values)}"


def _bounds(schema: Json) -> str:
    low = schema.get("minimum", schema.get("minLength", schema.get("minItems")))
    high = schema.get("maximum", schema.get("maxLength", schema.get("maxItems")))
    if low is None and high is None:
        return ""
    of = " characters" if {"minLength", "maxLength"} & set(schema) else ""
    if low is None:
        return f", at most {high}{of}"
    return f", {low} to {high}{of}" if high is not None else f", at least {low}{of}"
