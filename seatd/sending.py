"""What a node sends out by itself: built and begun here, ended with its hub."""

from __future__ import annotations

from seatd.config import Settings
from seatd.hub.deliveries import Deliveries
from seatd.hub.forever import forever
from seatd.hub.hub import Hub
from seatd.web.webhook_sender import WebhookOptions, WebhookSender


def start_sending(settings: Settings, hub: Hub) -> WebhookSender:
    """Begins to send what webhooks are to be told; answers by what it is sent."""
    webhooks = settings.webhooks
    options = WebhookOptions(
        try_s=webhooks.timeout_s, allow_private=webhooks.allow_private, allow_http=webhooks.allow_http
    )
    sender = WebhookSender(options)
    deliveries = Deliveries(
        hub.store, hub.metrics, sender.send, hub.spawn, node=hub.node, try_s=webhooks.timeout_s
    )
    hub.spawn(forever(deliveries.watch))
    return sender
