"""Webhooks: where a customer's events are sent to. The secret that signs them is shown once."""

from __future__ import annotations

import secrets
import time
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from seatd.hub.webhook_message import trial
from seatd.store.audit_values import Change
from seatd.store.webhook_values import HookType, Webhook
from seatd.store.webhooks import webhook_change
from seatd.web.api.customer_views import CustomerPath, check_alive
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import Id, Text, named_fields, plain
from seatd.web.api.shapes import Input, Listing, Moment, Nothing, PageQuery, moment
from seatd.web.errors import Problem, invalid

ops = Ops("webhooks")

MOST = 10
PREFIX = "whsec_"
Address = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Types = Annotated[tuple[HookType, ...], msgspec.Meta(min_length=1, max_length=20)]
UNKNOWN = ("unknown_customer", "unknown_webhook")


class WebhookPath(msgspec.Struct, frozen=True, kw_only=True):
    """Which webhook of which customer."""

    customer: Id
    id: Id


class NewWebhook(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook to be made. `product` and `license`: only events that name these."""

    url: Address
    types: Types
    enabled: bool = True
    product: Text = ""
    license: Text = ""


class WebhookChange(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to become another. `new_secret`: the secret too; it is shown this once."""

    url: Address | UnsetType = UNSET
    types: Types | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    product: Text | UnsetType = UNSET
    license: Text | UnsetType = UNSET
    new_secret: bool | UnsetType = UNSET


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook, without its secret."""

    id: str
    url: str
    types: tuple[HookType, ...]
    enabled: bool
    product: str
    license: str
    created: Moment


class ShownWebhook(WebhookView, frozen=True, kw_only=True):
    """A webhook; `secret` where it is new, and this once."""

    secret: str | None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """How a delivery of the type `test` went: `why` it did not get through, and how long it took."""

    delivered: bool
    why: str
    took_ms: int


@ops.op(
    "GET",
    "/api/v1/customers/{customer}/webhooks",
    "webhooks.read",
    problems=("unknown_customer",),
)
async def list_webhooks(call: Call[CustomerPath, PageQuery, Nothing]) -> Listing[WebhookView]:
    """Where a customer's events are sent to"""
    customer = await call.scope.whole_customer(call.path.customer)
    found, query = await call.services.store.webhooks(customer), call.query
    page = tuple(map(_view, found[query.offset : query.offset + query.size]))
    return Listing(items=page, page=query.page, size=query.size, total=len(found))


@ops.op(
    "POST",
    "/api/v1/customers/{customer}/webhooks",
    "webhooks.change",
    problems=("unknown_customer", "customer_deleted", "webhook_limit"),
)
async def create_webhook(call: Call[CustomerPath, Nothing, NewWebhook]) -> ShownWebhook:
    """Make a webhook; its secret is shown this once"""
    store = call.services.store
    customer = await call.scope.whole_customer(call.path.customer)
    check_alive(await store.account(customer))
    hook = Webhook(
        **_checked(call, named_fields(call.body)),
        id=secrets.token_hex(8),
        secret=_new_secret(),
        created_ms=call.services.now_ms(),
    )

    async def decide() -> list[Change]:
        if len(await store.webhooks(customer)) >= MOST:
            raise Problem("webhook_limit")
        return [webhook_change(hook.id, None, hook)]

    await store.amend(customer, call.caller.deed("webhooks.create", hook.id), decide)
    return _shown(hook, hook.secret)


@ops.op("GET", "/api/v1/customers/{customer}/webhooks/{id}", "webhooks.read", problems=UNKNOWN)
async def one_webhook(call: Call[WebhookPath, Nothing, Nothing]) -> WebhookView:
    """One webhook"""
    return _view(await found_webhook(call))


@ops.op("PATCH", "/api/v1/customers/{customer}/webhooks/{id}", "webhooks.change", problems=UNKNOWN)
async def change_webhook(call: Call[WebhookPath, Nothing, WebhookChange]) -> ShownWebhook:
    """Change a webhook, or give it another secret"""
    fields = _checked(call, named_fields(call.body))
    secret = _new_secret() if fields.pop("new_secret", False) else None
    fields |= {"secret": secret} if secret else {}
    after = await found_webhook(call)

    async def decide() -> list[Change]:
        nonlocal after
        before = await found_webhook(call)
        after = replace(before, **fields)
        return [webhook_change(before.id, before, after)]

    deed = call.caller.deed("webhooks.change", call.path.id)
    await call.services.store.amend(call.path.customer, deed, decide)
    return _shown(after, secret)


@ops.op("DELETE", "/api/v1/customers/{customer}/webhooks/{id}", "webhooks.change", problems=UNKNOWN)
async def delete_webhook(call: Call[WebhookPath, Nothing, Nothing]) -> None:
    """Delete a webhook, with what waits for it and what was given up"""
    store, customer = call.services.store, call.path.customer

    async def decide() -> list[Change]:
        return [webhook_change(call.path.id, await found_webhook(call), None)]

    await store.amend(customer, call.caller.deed("webhooks.delete", call.path.id), decide)
    letters = [letter.id for letter in await store.letters(customer, call.path.id)]
    await store.take_letters(customer, letters, again=False, deed=None)


@ops.op("POST", "/api/v1/customers/{customer}/webhooks/{id}/test", "webhooks.change", problems=UNKNOWN)
async def test_webhook(call: Call[WebhookPath, Nothing, Nothing]) -> Trial:
    """Send a delivery of the type test now, and say how it went"""
    hook = await found_webhook(call)
    began_s = time.monotonic()
    id, body = trial(call.path.customer, hook.id, call.services.now_ms())
    why = await call.services.webhooks.send(hook, id, body)
    return Trial(delivered=not why, why=why, took_ms=round((time.monotonic() - began_s) * 1000))


async def found_webhook(call: Call[Any, Any, Any]) -> Webhook:
    """The webhook, when customer and webhook are there for the caller."""
    customer = await call.scope.whole_customer(call.path.customer)
    hook = await call.services.store.webhook(customer, call.path.id)
    if hook is None:
        raise Problem("unknown_webhook")
    return hook


def _checked(call: Call[Any, Any, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are kept; the problem `invalid` for what makes no sense."""
    if "url" in fields and (fault := call.services.webhooks.fault(fields["url"])):
        raise invalid("url", fault)
    if "types" in fields:
        fields["types"] = tuple(dict.fromkeys(fields["types"]))
    for name in ("product", "license"):
        plain(fields.get(name), name)
    return fields


def _new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def _view(hook: Webhook) -> WebhookView:
    return WebhookView(
        created=moment(hook.created_ms),
        **{name: getattr(hook, name) for name in WebhookView.__struct_fields__ if name != "created"},
    )


def _shown(hook: Webhook, secret: str | None) -> ShownWebhook:
    return ShownWebhook(**msgspec.structs.asdict(_view(hook)), secret=secret)
