"""Webhooks as they lie in the store, for tests that do not care how they came there."""

from __future__ import annotations

import msgpack
import msgspec

from seatd.store.audit_values import SYSTEM, Change, Deed
from seatd.store.keys import customer_key
from seatd.store.redis import Store
from seatd.store.webhook_values import HOOK_TYPES, Delivery, Webhook
from seatd.store.webhooks import webhook_change

SECRET = "a secret of these tests"


async def webhook(store: Store, customer: str, id: str, url: str = "https://127.0.0.1/") -> Webhook:
    """A webhook that wants everything. By default nobody may send to its address."""
    hook = Webhook(id=id, url=url, types=HOOK_TYPES, secret=SECRET)

    async def decide() -> list[Change]:
        return [webhook_change(id, None, hook)]

    await store.amend(customer, Deed(by=SYSTEM, action="test"), decide, creates=True)
    return hook


async def dead_letter(store: Store, customer: str, id: str, letter: str) -> None:
    """A webhook with one dead letter, under that id."""
    await webhook(store, customer, id)
    delivery = Delivery(id=f"{id}.1-1", webhook=id, type="denial", seq="1-1", event={"code": "no_seat"})
    name = customer_key("dead_letters", store.partition(customer), customer)
    packed = msgpack.packb(msgspec.to_builtins(delivery), use_bin_type=False)
    await store.pipeline.command("XADD", name, letter, "d", packed)
