"""`seatd status`: who holds what, once or live."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import click

from seatd.cli.access import Access, access_options, json_option
from seatd.cli.answers import License, Listing, Session
from seatd.cli.failures import Unreachable
from seatd.cli.license_registry import status as license_status
from seatd.cli.output import console, print_json, table, visible
from seatd.cli.parsing import DURATION_TYPE
from seatd.cli.session import COLUMNS, rows

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST = 500  # the largest page that the API gives
SESSIONS_SHOWN = 20


class Seen(NamedTuple):
    """What the server answered: as shapes, and as it was."""

    licenses: Listing[License]
    sessions: Listing[Session]
    raw: bytes


@click.command("status")
@access_options
@click.option("--customer", help="Of this customer only.")
@click.option("--watch", is_flag=True, help="Go on showing it, until Ctrl-C.")
@click.option("--every", type=DURATION_TYPE, default="2s", show_default=True, help="How often, with --watch.")
@json_option
def status(access: Access, customer: str | None, watch: bool, every: int, as_json: bool) -> None:
    """Show who holds what: licenses with their use, and live sessions.

    With --watch and --json: one JSON document per line.
    """
    if watch and not as_json and not console().is_terminal:
        raise click.UsageError("--watch needs a terminal; for programs there is --watch --json.")
    with contextlib.suppress(KeyboardInterrupt) if watch else contextlib.nullcontext():
        if not watch:
            _once(access, customer, as_json)
        elif as_json:
            _stream(access, customer, max(every, 1))
        else:
            _watch(access, customer, max(every, 1))


def _once(access: Access, customer: str | None, as_json: bool) -> None:
    if as_json:
        print_json(look(access, customer, MOST).raw)
    else:
        console().print(picture(look(access, customer)))


def _stream(access: Access, customer: str | None, every_s: int) -> None:
    while True:
        click.echo(look(access, customer, MOST).raw)
        time.sleep(every_s)


def look(access: Access, customer: str | None, sessions_shown: int = SESSIONS_SHOWN) -> Seen:
    """One look at the server."""
    from seatd.cli.rest import ask, decoded

    query = {"customer": customer} if customer else {}
    licenses = ask(access, "GET", "licenses", query=query | {"size": str(MOST)})
    sessions = ask(access, "GET", "sessions", query=query | {"size": str(sessions_shown)})
    return Seen(
        decoded(licenses, Listing[License]),
        decoded(sessions, Listing[Session]),
        b'{"licenses":%b,"sessions":%b}' % (licenses, sessions),
    )


def picture(seen: Seen) -> RenderableType:
    """The tables for people."""
    from rich.console import Group

    use = ("License", "Product", "Kind", "Use", ">Used", ">Limit", "Status", "Customer")
    cut = f", the first {SESSIONS_SHOWN}" if seen.sessions.total > SESSIONS_SHOWN else ""
    return Group(
        f"{seen.licenses.total} licenses\n",
        table(use, _bars(seen.licenses.items)),
        f"\n{seen.sessions.total} live sessions{cut}\n",
        table(COLUMNS, rows(seen.sessions.items)),
    )


def _bars(licenses: Iterable[License]) -> Iterable[tuple[RenderableType, ...]]:
    from rich.progress_bar import ProgressBar

    for row in licenses:
        full = row.used >= row.limit
        yield (
            row.id,
            row.product,
            row.kind,
            ProgressBar(
                total=row.limit,
                completed=min(row.used, row.limit),
                width=20,
                complete_style="red" if full else "green",
                finished_style="red",
            ),
            str(row.used),
            str(row.limit),
            license_status(row),
            row.customer,
        )


def _watch(access: Access, customer: str | None, every_s: int) -> None:
    """Live until Ctrl-C; a server that is away for a while is waited for."""
    from rich.console import Group
    from rich.live import Live

    shown: RenderableType = picture(look(access, customer))
    with Live(shown, console=console(), screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(every_s)
            try:
                shown = picture(look(access, customer))
                live.update(shown, refresh=True)
            except Unreachable as failure:
                live.update(Group(visible(failure.message), shown), refresh=True)
