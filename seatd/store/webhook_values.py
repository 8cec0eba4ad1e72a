"""Webhooks, and what they are to be told."""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec

from seatd.store.values import Value

HookType = Literal["denial", "forced_logout", "license_expiring", "limit_reached"]
HOOK_TYPES: tuple[HookType, ...] = get_args(HookType)

Outcome = Literal["delivered", "again", "dead"]


class Webhook(Value, frozen=True, kw_only=True):
    """Where events of a customer are sent to. `product` and `license`: only what concerns these; "": all."""

    id: str
    url: str
    types: tuple[HookType, ...]
    secret: str
    enabled: bool = True
    product: str = ""
    license: str = ""
    created_ms: int = 0


class Delivery(Value, frozen=True, kw_only=True):
    """What a webhook is to be told. `id` stays the same however often it is sent; `seq` is the place of `event` (of the first
    one, of denials that were added up) in the customer's stream; `claim` whose it is now."""

    id: str
    webhook: str
    type: HookType
    seq: str
    event: dict[str, Any]
    tries: int = 0
    claim: str = ""
    error: str = ""

    @property
    def at_ms(self) -> int:
        """When it happened, by the store's clock."""
        return int(self.seq.partition("-")[0])


class Claimed(Value, frozen=True, kw_only=True):
    """The deliveries that the caller may send now, and the webhook's record as JSON; None: it is gone."""

    deliveries: tuple[Delivery, ...]
    hook: str | None = None

    @property
    def webhook(self) -> Webhook | None:
        """The webhook."""
        return None if self.hook is None else msgspec.json.decode(self.hook, type=Webhook)


class Letter(Value, frozen=True, kw_only=True):
    """A delivery that was given up, at `at_ms`. `id` is its place in the list."""

    id: str
    delivery: Delivery

    @property
    def at_ms(self) -> int:
        """When it was given up."""
        return int(self.id.partition("-")[0])
