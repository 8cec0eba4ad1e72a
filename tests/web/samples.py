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


def webhook_of(customer: str) -> str:
    """The path of the customer's webhook."""
    return f"/api/v1/customers/{customer}/webhooks/hook-of-{customer}"


LETTER = "1-1"
"""The dead letter of each of them."""
AGENCIES = {"acme": "wholesale", "beta": "elsewhere"}

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
    "force_logout": lambda customer: Sample("/api/v1/logout", {"json": {"license": f"{customer}-2"}}),
    "list_sessions": lambda _: Sample("/api/v1/sessions", lists=True),
    "list_queue": lambda _: Sample("/api/v1/queue", lists=True),
    "profile": mine(""),
    "change_password": mine("/password", {"old": PASSWORD, "new": "another good pass phrase"}),
    "begin_totp": mine("/totp", {"password": PASSWORD, "code": code_now()}),
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
    "stream": lambda customer: Sample(f"/api/v1/stream?customer={customer}&after=0-0&seconds=0"),
    "denials": lambda customer: Sample(f"/api/v1/denials?customer={customer}"),
    "license_totals": lambda _: Sample("/api/v1/licenses/totals", lists=True),
    "list_agencies": lambda _: Sample("/api/v1/agencies", lists=True),
    "create_agency": lambda _: Sample("/api/v1/agencies", {"json": {"id": "new"}}),
    "one_agency": lambda customer: Sample(f"/api/v1/agencies/{AGENCIES[customer]}"),
    "change_agency": lambda customer: Sample(
        f"/api/v1/agencies/{AGENCIES[customer]}", {"json": {"name": "Wholesale"}}
    ),
    "delete_agency": lambda _: Sample("/api/v1/agencies/idle"),
    "list_customers": lambda _: Sample("/api/v1/customers", lists=True),
    "create_customer": lambda _: Sample("/api/v1/customers", {"json": {"id": "new"}}),
    "one_customer": lambda customer: Sample(f"/api/v1/customers/{customer}"),
    "change_customer": lambda customer: Sample(f"/api/v1/customers/{customer}", {"json": {"name": "New"}}),
    "delete_customer": lambda customer: Sample(f"/api/v1/customers/{customer}"),
    "suspend_customer": lambda customer: Sample(f"/api/v1/customers/{customer}/suspend"),
    "resume_customer": lambda customer: Sample(f"/api/v1/customers/{customer}/resume"),
    "cancel_customer": lambda customer: Sample(f"/api/v1/customers/{customer}/cancel"),
    "reinstate_customer": lambda customer: Sample(f"/api/v1/customers/{customer}/reinstate"),
    "change_money": lambda customer: Sample(
        f"/api/v1/customers/{customer}/money", {"json": {"balance": "12.50", "currency": "EUR"}}
    ),
    "permit_agency": lambda customer: Sample(
        f"/api/v1/customers/{customer}/permissions", {"json": {"permissions": ["see"]}}
    ),
    "move_customer": lambda customer: Sample(
        f"/api/v1/customers/{customer}/agency", {"json": {"agency": "idle"}}
    ),
    "one_price_list": lambda customer: Sample(f"/api/v1/customers/{customer}/prices"),
    "change_prices": lambda customer: Sample(
        f"/api/v1/customers/{customer}/prices",
        {"json": {"currency": "EUR", "products": {"CALL_CENTER": {"seat_hours": "0.05"}}}},
    ),
    "draft_invoice": lambda customer: Sample(
        f"/api/v1/customers/{customer}/invoices/draft?from=2026-01-01&to=2026-01-31"
    ),
    "issue_invoice": lambda customer: Sample(
        f"/api/v1/customers/{customer}/invoices", {"json": {"from": "2026-01-01", "to": "2026-01-31"}}
    ),
    "list_invoices": lambda customer: Sample(f"/api/v1/customers/{customer}/invoices"),
    "one_invoice": lambda customer: Sample(f"/api/v1/customers/{customer}/invoices/{customer}-2025-0001"),
    "list_domains": lambda _: Sample("/api/v1/domains", lists=True),
    "one_domain": lambda customer: Sample(f"/api/v1/domains/{customer}.example"),
    "create_domain": lambda customer: Sample(
        f"/api/v1/customers/{customer}/domains", {"json": {"domain": "new.example"}}
    ),
    "delete_domain": lambda customer: Sample(f"/api/v1/domains/empty.{customer}.example"),
    "list_users": lambda customer: Sample(f"/api/v1/customers/{customer}/users"),
    "create_user": lambda customer: Sample(
        f"/api/v1/customers/{customer}/users", {"json": {"user": f"new@{customer}.example"}}
    ),
    "one_user": lambda customer: Sample(f"/api/v1/customers/{customer}/users/zoe@{customer}.example"),
    "change_user": lambda customer: Sample(
        f"/api/v1/customers/{customer}/users/zoe@{customer}.example", {"json": {"name": "Zoe"}}
    ),
    "delete_user": lambda customer: Sample(f"/api/v1/customers/{customer}/users/zoe@{customer}.example"),
    "list_resources": lambda customer: Sample(f"/api/v1/domains/{customer}.example/resources"),
    "one_resource": lambda customer: Sample(f"/api/v1/domains/{customer}.example/resources/CHAT/web"),
    "switch_on": lambda customer: Sample(f"/api/v1/domains/{customer}.example/resources/CHAT/mobile"),
    "switch_off": lambda customer: Sample(f"/api/v1/domains/{customer}.example/resources/CHAT/web"),
    "provision": lambda customer: Sample(
        f"/api/v1/customers/{customer}/provision", {"json": {"start": "210", "count": 2}}
    ),
    "provision_bulk": lambda customer: Sample(
        f"/api/v1/customers/{customer}/provision/bulk",
        {"data": b"Ext key\n220\n", "headers": {"Content-Type": "text/csv"}},
    ),
    "provision_template": lambda customer: Sample(f"/api/v1/customers/{customer}/provision/template.csv"),
    "list_extensions": lambda customer: Sample(f"/api/v1/customers/{customer}/extensions"),
    "one_extension": lambda customer: Sample(f"/api/v1/customers/{customer}/extensions/201"),
    "change_extension": lambda customer: Sample(
        f"/api/v1/customers/{customer}/extensions/201", {"json": {"number": "+43 1 5550201"}}
    ),
    "remove_extension": lambda customer: Sample(f"/api/v1/customers/{customer}/extensions/201"),
    "list_webhooks": lambda customer: Sample(f"/api/v1/customers/{customer}/webhooks"),
    "create_webhook": lambda customer: Sample(
        f"/api/v1/customers/{customer}/webhooks",
        {"json": {"url": "https://hooks.example/", "types": ["denial"]}},
    ),
    "one_webhook": lambda customer: Sample(webhook_of(customer)),
    "change_webhook": lambda customer: Sample(webhook_of(customer), {"json": {"enabled": False}}),
    "delete_webhook": lambda customer: Sample(webhook_of(customer)),
    "test_webhook": lambda customer: Sample(f"{webhook_of(customer)}/test"),
    "list_dead_letters": lambda customer: Sample(f"{webhook_of(customer)}/dead-letters"),
    "retry_dead_letters": lambda customer: Sample(f"{webhook_of(customer)}/dead-letters/retry"),
    "retry_dead_letter": lambda customer: Sample(f"{webhook_of(customer)}/dead-letters/{LETTER}/retry"),
    "delete_dead_letter": lambda customer: Sample(f"{webhook_of(customer)}/dead-letters/{LETTER}"),
    "list_audit": lambda customer: Sample(f"/api/v1/audit?customer={customer}"),
    "export_audit": lambda customer: Sample(f"/api/v1/audit/export?customer={customer}&format=json"),
    "list_trails": lambda _: Sample("/api/v1/audit/trails", lists=True),
    "verify_audit": lambda customer: Sample(f"/api/v1/audit/verify?customer={customer}"),
    "list_checks": lambda _: Sample("/api/v1/checks"),
    "list_nodes": lambda _: Sample("/api/v1/nodes"),
}
"""Operation id -> the request about a customer (`acme` or `beta`), on the world of `test_rights`."""
