"""For each call of the API one request that makes sense, about a customer: for walking through all of them as everybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.web.conftest import license_key
from tests.web.people import PASSWORD, code_now


class Sample(NamedTuple):
    """One request. `lists`: it answers what is there for the caller instead of refusing what is not. `own`: it is about
    whoever calls, and about no customer. `person`: it is made by somebody who has signed in, not by an API token."""

    path: str
    request: dict[str, Any] = {}  # noqa: RUF012  # never changed
    lists: bool = False
    own: bool = False
    person: bool = False


def admin_of(customer: str) -> dict[str, Any]:
    """The grant of an admin."""
    return {"role": "admin", "customers": [customer]}


def mine(path: str, body: dict[str, Any] | None = None) -> Callable[[str], Sample]:
    """A call of the profile."""
    request = {} if body is None else {"json": body}
    return lambda _: Sample(f"/api/v1/profile{path}", request, own=True, person=True)


SAMPLES: dict[str, Callable[[str], Sample]] = {
    "import_license": lambda customer: Sample(
        "/api/v1/licenses",
        {"json": {"key": license_key({"id": f"{customer}-9"}, customer=customer, jti="9")}},
    ),
    "list_licenses": lambda _: Sample("/api/v1/licenses", lists=True),
    "one_license": lambda customer: Sample(f"/api/v1/licenses/{customer}-1"),
    "license_key": lambda customer: Sample(f"/api/v1/licenses/{customer}-1/key"),
    "withdraw_license": lambda customer: Sample(f"/api/v1/licenses/{customer}-1"),
    "license_users": lambda customer: Sample(f"/api/v1/licenses/{customer}-1/users"),
    "assign_license": lambda customer: Sample(f"/api/v1/licenses/{customer}-2/users/ann@{customer}.example"),
    "unassign_license": lambda customer: Sample(
        f"/api/v1/licenses/{customer}-2/users/zoe@{customer}.example"
    ),
    "force_logout": lambda customer: Sample("/api/v1/logout", {"json": {"license": f"{customer}-1"}}),
    "list_sessions": lambda _: Sample("/api/v1/sessions", lists=True),
    "profile": mine(""),
    "change_password": mine("/password", {"old": PASSWORD, "new": "another good pass phrase"}),
    "begin_totp": mine("/totp", {"password": PASSWORD}),
    "confirm_totp": mine("/totp", {"code": code_now()}),
    "remove_totp": mine("/totp", {"code": code_now()}),
    "switch": mine("/switch", {"grant": 0}),
    "my_sessions": mine("/sessions"),
    "end_my_sessions": mine("/sessions"),
    "sign_out": lambda _: Sample("/api/v1/sign-out", own=True, person=True),
    "list_administrators": lambda _: Sample("/api/v1/administrators", lists=True),
    "one_administrator": lambda customer: Sample(f"/api/v1/administrators/admin-of-{customer}"),
    "create_administrator": lambda customer: Sample(
        "/api/v1/administrators", {"json": {"name": f"new-at-{customer}", "grants": [admin_of(customer)]}}
    ),
    "change_administrator": lambda customer: Sample(
        f"/api/v1/administrators/admin-of-{customer}", {"json": {"must_totp": True}}
    ),
    "delete_administrator": lambda customer: Sample(f"/api/v1/administrators/admin-of-{customer}"),
    "create_link": lambda customer: Sample(
        "/api/v1/sign-in-links", {"json": {"name": f"admin-of-{customer}"}}
    ),
    "list_tokens": lambda _: Sample("/api/v1/tokens", lists=True),
    "create_token": lambda customer: Sample(
        "/api/v1/tokens", {"json": {"name": "billing", "grant": admin_of(customer)}}
    ),
    "delete_token": lambda customer: Sample(f"/api/v1/tokens/token-of-{customer}"),
    "one_session": lambda customer: Sample(f"/api/v1/sessions/{{session of {customer}}}"),
    "usage": lambda _: Sample("/api/v1/usage", lists=True),
    "activity": lambda customer: Sample(f"/api/v1/usage/activity?customer={customer}"),
    "events": lambda customer: Sample(f"/api/v1/events?customer={customer}"),
    "denials": lambda customer: Sample(f"/api/v1/denials?customer={customer}"),
}
"""Operation id -> the request about a customer (`acme` or `beta`), on the world of `test_rights`."""
