"""What the handlers of the admin listener work with, built once by the application."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from seatd.hub.hub import Hub
from seatd.licensing.catalog import Catalog
from seatd.licensing.trust import TrustStore
from seatd.metrics import Metrics
from seatd.store.redis import Store
from seatd.store.registry_values import LicenseRow
from seatd.web.auth import Authenticator
from seatd.web.console import Console, ConsoleOptions
from seatd.web.passwords import Passwords
from seatd.web.siblings import ALONE, Siblings
from seatd.web.webhook_sender import WebhookSender


def wall_clock_ms() -> int:
    """Now, in milliseconds since 1970 in UTC."""
    return time.time_ns() // 1_000_000


async def no_weeks(_of: object) -> Mapping[str, float]:
    """Nobody knows how use has changed."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """`cooldown_s` is how long a forced logout keeps a user out when the call does not say; `admin_host` is where the admin
    listener listens. `week_changes` answers, by license id, how the use has changed against the week before, in percent; of
    what is not known nothing. `customer_weeks` answers the same by customer. `store_weakness`: how somebody else might
    come at the store, in a sentence. `siblings`: the other workers of this server."""

    store: Store
    hub: Hub
    metrics: Metrics
    catalog: Catalog
    trust: TrustStore
    cooldown_s: int = 60
    console: ConsoleOptions = field(default_factory=ConsoleOptions)
    passwords: Passwords = field(default_factory=Passwords)
    webhooks: WebhookSender = field(default_factory=WebhookSender)
    admin_host: str = "127.0.0.1"
    store_weakness: str = ""
    siblings: Siblings = ALONE
    now_ms: Callable[[], int] = wall_clock_ms
    week_changes: Callable[[Sequence[LicenseRow]], Awaitable[Mapping[str, float]]] = no_weeks
    customer_weeks: Callable[[Sequence[str]], Awaitable[Mapping[str, float]]] = no_weeks


SERVICES = web.AppKey("services", Services)
CONSOLE = web.AppKey("console", Console)
AUTHENTICATOR = web.AppKey("authenticator", Authenticator)
