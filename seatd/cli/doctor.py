"""`seatd doctor`: what is wrong with a deployment, and whether its audit trails are whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from urllib.parse import urlsplit

import click
import msgspec

from seatd.cli.access import Access, Server, access_options, json_option
from seatd.cli.answers import Answer, Listing
from seatd.cli.output import console, print_json, print_table, say, visible

PAGE = 500
LONG = 5000
"""From so many entries on, a bar shows how far the verification is."""


class Check(Answer, frozen=True):
    """One thing that was looked at; `level`: ok, warning or wrong."""

    name: str
    level: str
    message: str


class Checks(Answer, frozen=True):
    """What the node has looked at."""

    node: str = ""
    items: tuple[Check, ...] = ()


class Trail(Answer, frozen=True):
    """An audit trail; `customer` None: the deployment's. `statements`: kept beside it."""

    customer: str | None = None
    entries: int = 0
    statements: int = 0


class Verified(Answer, frozen=True):
    """A part of a trail that was checked."""

    checked: int
    broken: str | None = None
    next: str | None = None
    head: str = ""
    statements: int = 0
    changed: tuple[str, ...] = ()


class Followed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trail that was followed to its end, or to the first entry that does not follow from those before it. Of the invoice
    statements of which it tells (`statements`), those that are not kept as they were issued (`changed`); and how many more are
    kept of which it tells nothing (`untold`)."""

    customer: str | None
    checked: int
    broken: str | None
    statements: int = 0
    changed: tuple[str, ...] = ()
    untold: int = 0


@click.command("doctor")
@access_options
@json_option
def doctor(access: Access, as_json: bool) -> None:
    """Check the store's settings, keys, clocks, limits, every audit trail and every invoice statement.

    Exits with 1 when something is wrong; what is only unwise is a warning. Needs an operator's token.
    """
    server = access.server()
    checks, trails = asyncio.run(_examine(server))
    checks += (_way(server.url), _verdict(trails), _invoices(trails))
    healthy = all(check.level != "wrong" for check in checks)
    if as_json:
        print_json(msgspec.json.encode({"healthy": healthy, "checks": checks, "trails": trails}))
    else:
        print_table(
            ("Check", "Level", "Found"), ((check.name, check.level, check.message) for check in checks)
        )
        for trail in trails:
            if trail.broken:
                say(f"{_named(trail.customer)}: broken at {trail.broken}, entry {trail.checked}")
    if not healthy:
        click.get_current_context().exit(1)


async def _examine(server: Server) -> tuple[tuple[Check, ...], list[Followed]]:
    from seatd.cli.rest import call, decoded

    checks = decoded(await call(server, "GET", "checks"), Checks).items
    trails = [trail async for trail in _trails(server)]
    total = sum(trail.entries for trail in trails)
    if total < LONG or not console(stderr=True).is_terminal:
        return checks, [await _follow(server, trail, lambda _: None) for trail in trails]
    from rich.progress import Progress

    with Progress(console=console(stderr=True), transient=True) as progress:
        task = progress.add_task("audit trails", total=total)
        seen = partial(progress.advance, task)
        return checks, [await _follow(server, trail, seen) for trail in trails]


async def _trails(server: Server) -> AsyncIterator[Trail]:
    from seatd.cli.rest import call, decoded

    number, seen = 1, 0
    while True:
        query = {"page": str(number), "size": str(PAGE)}
        page = decoded(await call(server, "GET", "audit", "trails", query=query), Listing[Trail])
        for trail in page.items:
            yield trail
        number, seen = number + 1, seen + len(page.items)
        if not page.items or seen >= page.total:
            return


async def _follow(server: Server, trail: Trail, on_checked: Callable[[int], None]) -> Followed:
    """Follows a trail's chain part by part, each call from where the one before it stopped."""
    from seatd.cli.rest import call, decoded

    query = {"customer": trail.customer} if trail.customer is not None else {}
    checked, statements, part = 0, 0, Verified(checked=0, next="")
    changed: tuple[str, ...] = ()
    while part.next is not None:
        asked = {**query, "after": part.next, "head": part.head}
        part = decoded(await call(server, "GET", "audit", "verify", query=asked), Verified)
        checked, statements = checked + part.checked, statements + part.statements
        changed += part.changed
        on_checked(part.checked)
    untold = 0 if part.broken else max(0, trail.statements - statements)
    return Followed(trail.customer, checked, part.broken, statements, changed, untold)


def _way(url: str) -> Check:
    """How this command reaches the server: its API token goes that way."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        return Check(
            name="connection", level="warning", message="the API token goes over the network unencrypted"
        )
    return Check(name="connection", level="ok", message="nobody reads the API token on its way")


def _verdict(trails: Sequence[Followed]) -> Check:
    broken = [trail for trail in trails if trail.broken]
    if broken:
        names = ", ".join(_named(trail.customer) for trail in broken)
        return Check(name="audit trails", level="wrong", message=f"changed or incomplete: {names}")
    entries = sum(trail.checked for trail in trails)
    return Check(
        name="audit trails", level="ok", message=f"{entries} entries in {len(trails)} trails are whole"
    )


def _invoices(trails: Sequence[Followed]) -> Check:
    """Whether every statement is kept as it was issued, and none that was not."""
    changed = [number for trail in trails for number in trail.changed]
    untold = [_named(trail.customer) for trail in trails if trail.untold]
    if changed or untold:
        found = [f"changed or gone: {', '.join(map(visible, changed))}"] if changed else []
        found += [f"kept but never issued: {', '.join(untold)}"] if untold else []
        return Check(name="statements", level="wrong", message="; ".join(found))
    number = sum(trail.statements for trail in trails)
    return Check(
        name="statements", level="ok", message=f"{number} invoice statements are kept as they were issued"
    )


def _named(customer: str | None) -> str:
    return "the deployment" if customer is None else visible(customer)
