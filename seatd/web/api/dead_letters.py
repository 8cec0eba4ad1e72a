"""Dead letters: deliveries to a webhook that were given up, to be looked at, sent after all, or thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from seatd.store.webhook_values import HookType, Letter
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Listing, Moment, Nothing, PageQuery, moment
from seatd.web.api.webhooks import UNKNOWN, WebhookPath, found_webhook
from seatd.web.errors import Problem

ops = Ops("webhooks")

LETTERS = "/api/v1/customers/{customer}/webhooks/{id}/dead-letters"


class LetterPath(WebhookPath, frozen=True, kw_only=True):
    """Which dead letter of which webhook."""

    letter: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,15}-[0-9]{1,15}$")]


class LetterView(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter: what was to be told (`at`: when it happened), how often it was tried, and why it did not get through."""

    id: str
    event: str
    type: HookType
    at: Moment
    given_up: Moment
    tries: int
    why: str
    times: int
    code: str | None
    product: str | None
    license: str | None
    user: str | None


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """How many are sent once more."""

    retried: int


@ops.op("GET", LETTERS, "webhooks.read", problems=UNKNOWN)
async def list_dead_letters(call: Call[WebhookPath, PageQuery, Nothing]) -> Listing[LetterView]:
    """Deliveries that were given up, the newest first"""
    await found_webhook(call)
    found, query = await call.services.store.letters(call.path.customer, call.path.id), call.query
    page = tuple(map(_view, found[query.offset : query.offset + query.size]))
    return Listing(items=page, page=query.page, size=query.size, total=len(found))


@ops.op("POST", LETTERS + "/retry", "webhooks.change", problems=UNKNOWN)
async def retry_dead_letters(call: Call[WebhookPath, Nothing, Nothing]) -> Retried:
    """Send all of them once more"""
    await found_webhook(call)
    letters = await call.services.store.letters(call.path.customer, call.path.id)
    return Retried(retried=await _take(call, call.path.id, [letter.id for letter in letters], again=True))


@ops.op("POST", LETTERS + "/{letter}/retry", "webhooks.change", problems=(*UNKNOWN, "unknown_dead_letter"))
async def retry_dead_letter(call: Call[LetterPath, Nothing, Nothing]) -> Retried:
    """Send one once more"""
    return Retried(retried=await _take_one(call, again=True))


@ops.op("DELETE", LETTERS + "/{letter}", "webhooks.change", problems=(*UNKNOWN, "unknown_dead_letter"))
async def delete_dead_letter(call: Call[LetterPath, Nothing, Nothing]) -> None:
    """Throw one away"""
    await _take_one(call, again=False)


async def _take_one(call: Call[LetterPath, Nothing, Nothing], *, again: bool) -> int:
    await found_webhook(call)
    letters = await call.services.store.letters(call.path.customer, call.path.id)
    known = any(letter.id == call.path.letter for letter in letters)
    if not known or not await _take(call, call.path.id, [call.path.letter], again=again):
        raise Problem("unknown_dead_letter")
    return 1


async def _take(call: Call[Any, Any, Any], webhook: str, letters: Sequence[str], *, again: bool) -> int:
    if not letters:
        return 0
    deed = call.caller.deed("webhooks.retry" if again else "webhooks.forget", webhook, letters=len(letters))
    return await call.services.store.take_letters(call.path.customer, letters, again=again, deed=deed)


def _view(letter: Letter) -> LetterView:
    delivery = letter.delivery
    facts = {name: delivery.event.get(name) for name in ("code", "product", "license", "user")}
    return LetterView(
        id=letter.id,
        event=delivery.id,
        type=delivery.type,
        at=moment(delivery.at_ms),
        given_up=moment(letter.at_ms),
        tries=delivery.tries,
        why=delivery.error,
        times=delivery.event.get("times", 1),
        **facts,
    )
