"""API tokens: made for programs, shown once, taken back by their id."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import msgspec

from seatd.licensing.names import BadName, check_text
from seatd.store.access_values import TokenRecord
from seatd.store.api_tokens import token_change
from seatd.store.audit_values import Change
from seatd.web.api.grants import GrantBody, GrantView, given_grant, grant_view
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Input, Listing, Moment, Nothing, PageQuery, moment
from seatd.web.auth import token_hash
from seatd.web.errors import Problem, invalid
from seatd.web.granting import covers

ops = Ops("tokens")

PREFIX = "seatd_"
"""By which tools that look for leaked secrets know one."""
DAY_MS = 24 * 60 * 60 * 1000


class TokenPath(msgspec.Struct, frozen=True, kw_only=True):
    """Which token."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class NewToken(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it is for, what it may do, and for how many days; `days` null: until it is taken back."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    grant: GrantBody
    days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = 90


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token, without its secret. One without an `id` is a node's own, from the data folder."""

    id: str
    name: str
    grant: GrantView
    created: Moment
    created_by: str
    expires: Moment | None


class MadeToken(TokenView, frozen=True, kw_only=True):
    """A new token, with its secret: it is shown this once."""

    token: str


@ops.op("GET", "/api/v1/tokens", "tokens.read")
async def list_tokens(call: Call[Nothing, PageQuery, Nothing]) -> Listing[TokenView]:
    """API tokens that may do no more than the caller"""
    found = [record for record in (await call.services.store.tokens()).values() if _is_there(call, record)]
    query = call.query
    items = tuple(_view(record) for record in found[query.offset : query.offset + query.size])
    return Listing(items=items, page=query.page, size=query.size, total=len(found))


@ops.op("POST", "/api/v1/tokens", "tokens.change", problems=("unknown_customer",))
async def create_token(call: Call[Nothing, Nothing, NewToken]) -> MadeToken:
    """Make an API token that may do no more, and lasts no longer, than the caller's own"""
    secret = PREFIX + secrets.token_urlsafe(32)
    record = TokenRecord(
        id=secrets.token_hex(8),
        name=_checked_name(call.body.name),
        grant=await given_grant(call, call.body.grant, "grant"),
        created_ms=call.services.now_ms(),
        created_by=call.caller.made_by or call.caller.name,  # a token's tokens are its maker's
        expires_ms=_expiry_ms(call, call.body.days),
    )

    async def decide() -> list[Change]:
        return [token_change(token_hash(secret), None, record)]

    await call.services.store.amend(None, call.caller.deed("token.create", record.id), decide)
    view = _view(record)
    return MadeToken(**{name: getattr(view, name) for name in view.__struct_fields__}, token=secret)


@ops.op("DELETE", "/api/v1/tokens/{id}", "tokens.change", problems=("unknown_token",))
async def delete_token(call: Call[TokenPath, Nothing, Nothing]) -> None:
    """Take an API token back"""

    async def decide() -> list[Change]:
        for digest, record in (await call.services.store.tokens()).items():
            if record.id == call.path.id and _is_there(call, record):
                return [token_change(digest, record, None)]
        raise Problem("unknown_token")

    await call.services.store.amend(None, call.caller.deed("token.delete", call.path.id), decide)


def _is_there(call: Call[Any, Any, Any], record: TokenRecord) -> bool:
    return covers(call.caller.grant, record.grant)


def _expiry_ms(call: Call[Any, Any, Any], days: int | None) -> int | None:
    """An API token makes none that outlives it."""
    wanted = None if days is None else call.services.now_ms() + days * DAY_MS
    if call.caller.via == "session" or call.caller.ends_ms is None:
        return wanted
    return call.caller.ends_ms if wanted is None else min(wanted, call.caller.ends_ms)


def _checked_name(name: str) -> str:
    try:
        return check_text(name, "name")
    except BadName as error:
        raise invalid("name", str(error)) from None


def _view(record: TokenRecord) -> TokenView:
    return TokenView(
        id=record.id,
        name=record.name,
        grant=grant_view(record.grant),
        created=moment(record.created_ms),
        created_by=record.created_by,
        expires=None if record.expires_ms is None else moment(record.expires_ms),
    )
