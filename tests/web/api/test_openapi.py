"""The OpenAPI document is valid, complete, and what /openapi.json serves."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp import web
from openapi_spec_validator import validate

from seatd.web.api.openapi import document, problem_codes
from seatd.web.api.ops import Op
from seatd.web.api.table import OPS
from seatd.web.errors import PROBLEMS
from seatd.web.rights import OPEN
from tests.web.conftest import Site

DOCUMENT = document(OPS)


def operation(op: Op) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][op.url][op.method.lower()]
    return found


def test_it_is_a_valid_openapi_document() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")


def test_every_operation_has_its_own_id() -> None:
    assert len({op.name for op in OPS}) == len(OPS)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_every_operation_is_described(op: Op) -> None:
    described = operation(op)
    assert described["summary"]
    names = [part["name"] for part in described["parameters"] if part["in"] == "path"]
    assert names == re.findall(r"{(\w+)}", op.url)
    statuses = {str(PROBLEMS[code].status) for code in problem_codes(op)}
    assert set(described["responses"]) == statuses | {"204" if op.returns is None else "200"}


def test_bodies_are_the_types_that_validate() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["LogoutBody"]["additionalProperties"] is False
    assert schemas["LogoutBody"]["properties"]["users"]["maxItems"] == 1000
    assert schemas["LicenseView"]["properties"]["valid_till"]["format"] == "date-time"


def test_every_problem_code_may_be_met() -> None:
    named = {code for op in OPS for code in problem_codes(op)}
    assert set(PROBLEMS) - named == {"method_not_allowed"}


async def test_it_is_what_is_served_and_routed(site: Site) -> None:
    async with site.admin.get("/openapi.json") as response:
        assert await response.json() == DOCUMENT
    app = site.admin.app
    assert isinstance(app, web.Application)
    routed = {
        (route.method, re.sub(r"{(\w+):[^}]*}", r"{\1}", route.resource.canonical))
        for route in app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/api/")
    }
    assert routed == {(op.method, op.url) for op in OPS}


def test_only_calls_that_need_no_caller_say_so() -> None:
    assert DOCUMENT["security"] == [{"token": []}, {"cookie": []}]
    assert {scheme["type"] for scheme in DOCUMENT["components"]["securitySchemes"].values()} == {
        "http",
        "apiKey",
    }
    without = {op.name for op in OPS if operation(op).get("security") == []}
    assert without == set(OPEN)
