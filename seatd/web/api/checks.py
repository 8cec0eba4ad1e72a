"""What `seatd doctor` wants to know of a deployment, and only this node can tell."""

from __future__ import annotations

import ipaddress
import resource
import time
from collections.abc import AsyncIterator, Iterator
from typing import Literal

import msgspec

from seatd.store.values import WrongDeployment
from seatd.web.api.license_use import Uses
from seatd.web.api.ops import Call, Ops
from seatd.web.api.shapes import Nothing
from seatd.web.services import Services

ops = Ops("deployment")

CLOCK_WARNING_S = 2.0
CLOCK_WRONG_S = 30.0
"""License ends and tokens go by the calendar, so clocks should agree to within seconds."""
NAMED = 5
"""So many licenses are named in a message."""
SPARE_FILES = 256
"""Open files that a node needs besides its clients' sockets."""

Level = Literal["ok", "warning", "wrong"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `message`: what was found, for a person to read."""

    name: str
    level: Level
    message: str


class Checks(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, and the node that looked."""

    node: str
    items: tuple[Check, ...]


@ops.op("GET", "/api/v1/checks", "deployment.read")
async def list_checks(call: Call[Nothing, Nothing, Nothing]) -> Checks:
    """What is wrong or unwise about the store, keys, clocks and limits"""
    services = call.services
    found = [check async for check in _store(services)]
    found += [
        store_access(services.store_weakness),
        _trust(services),
        _tokens(services),
        *_clocks(services),
        _limits(services),
        _ready(services),
    ]
    found += [await _licenses(services), exposure(services.admin_host)]
    return Checks(node=services.hub.options.name, items=tuple(found))


async def _store(services: Services) -> AsyncIterator[Check]:
    try:
        unwise = await services.store.unwise()
    except WrongDeployment as error:
        yield Check(name="store", level="wrong", message=str(error))
        return
    for sentence in unwise:
        yield Check(name="store", level="warning", message=sentence)
    if not unwise:
        yield Check(name="store", level="ok", message="its settings keep what it acknowledges")


def store_access(weakness: str) -> Check:
    """Whether anybody but the nodes may come at the store."""
    level: Level = "warning" if weakness else "ok"
    return Check(
        name="store access", level=level, message=weakness or "nobody comes at it without being let in"
    )


def _trust(services: Services) -> Check:
    keys = sorted(services.trust.keys)
    if not keys:
        return Check(
            name="trust", level="warning", message="no vendor key is trusted: nothing can be imported"
        )
    return Check(name="trust", level="ok", message=f"trusted vendor keys: {', '.join(keys)}")


def _tokens(services: Services) -> Check:
    if not services.hub.tokens.configured:
        return Check(
            name="tokens", level="warning", message="no client token keys are set: nobody can sign in"
        )
    return Check(name="tokens", level="ok", message="client token keys are set")


def _clocks(services: Services) -> Iterator[Check]:
    leases = services.hub.leases
    ahead_s = max(
        (leases.store_ms(number) / 1000 - time.time() for number in range(services.store.partitions)), key=abs
    )
    level: Level = "ok" if abs(ahead_s) < CLOCK_WARNING_S else "warning"
    if abs(ahead_s) >= CLOCK_WRONG_S:
        level = "wrong"
    yield Check(
        name="clocks", level=level, message=f"the store's clock is {_tenth(ahead_s)} s from this node's"
    )
    percent = leases.drift * 100
    level = "ok" if abs(percent) < 1 else "warning"
    yield Check(
        name="clock rate", level=level, message=f"the store's clock runs {_tenth(percent)} % off this node's"
    )


def _tenth(value: float) -> str:
    """With its sign, but never -0.0."""
    return f"{round(value, 1) + 0.0:+.1f}"


def _limits(services: Services) -> Check:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    sessions = services.hub.options.max_sessions
    text = f"{files} open files for up to {sessions} sessions"
    if files != resource.RLIM_INFINITY and files < sessions + SPARE_FILES:
        return Check(name="limits", level="warning", message=f"{text}: raise the limit of open files")
    return Check(name="limits", level="ok", message=text)


async def _licenses(services: Services) -> Check:
    above: list[str] = []
    total = 0
    async for overview in services.store.overviews(await services.store.customers()):
        uses = Uses(overview.licenses, services.catalog, services.now_ms())
        above += [row.id for row in overview.licenses if uses.of(row).above_limit]
        total += len(overview.licenses)
    if above:
        named = ", ".join(above[:NAMED]) + (" ..." if len(above) > NAMED else "")
        text = f"{len(above)} of {total} are used above their limit: {named}"
        return Check(name="licenses", level="warning", message=text)
    return Check(name="licenses", level="ok", message=f"none of {total} is used above its limit")


def _ready(services: Services) -> Check:
    failed = [why for why in services.hub.checks().values() if why]
    if failed:
        return Check(name="ready", level="wrong", message="; ".join(failed))
    return Check(name="ready", level="ok", message="the node takes clients")


def exposure(host: str) -> Check:
    """Whether others than this machine reach the admin listener, which has no TLS of its own."""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if local:
        return Check(name="admin listener", level="ok", message="only this machine reaches it")
    text = f"it listens on {host or 'all addresses'} without TLS: others may read API tokens on the way"
    return Check(name="admin listener", level="warning", message=text)
