"""What a node sends out by itself: built and begun here, ended with its hub."""

from __future__ import annotations

import asyncio

from seatd.config import Settings
from seatd.hub.deliveries import Deliveries
from seatd.hub.forever import forever
from seatd.hub.hub import Hub
from seatd.web.webhook_sender import WebhookOptions, WebhookSender

QUIET_SHARE = 0.5
"""The part of the time for draining that what is under way to receivers has."""


def start_sending(settings: Settings, hub: Hub) -> tuple[WebhookSender, Deliveries]:
    """Begins to send what webhooks are to be told; answers by what it is sent, and what sends it."""
    webhooks = settings.webhooks
    options = WebhookOptions(
        try_s=webhooks.timeout_s, allow_private=webhooks.allow_private, allow_http=webhooks.allow_http
    )
    sender = WebhookSender(options)
    deliveries = Deliveries(
        hub.store, hub.metrics, sender.send, hub.spawn, node=hub.node, try_s=webhooks.timeout_s
    )
    hub.spawn(forever(deliveries.watch))
    return sender, deliveries


async def drain(hub: Hub, deliveries: Deliveries) -> None:
    """Sends clients elsewhere, and lets deliveries that are under way arrive; nothing new is begun."""
    await asyncio.gather(hub.drain(), deliveries.quiet(hub.options.drain_s * QUIET_SHARE))
