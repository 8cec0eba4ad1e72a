"""`seatd session list`: live sessions."""

from __future__ import annotations

from collections.abc import Iterable

import click

from seatd.cli.access import Access, access_options, json_option, page_options
from seatd.cli.answers import Listing, Session
from seatd.cli.output import minute, more, print_json, print_table

COLUMNS = ("Session", "User", "Device", "State", "Node", "Since", "Seats")


@click.group("session")
def session_group() -> None:
    """Live sessions."""


@session_group.command("list")
@access_options
@click.option("--user", help="Of this user only.")
@click.option("--customer", help="Of this customer only.")
@page_options
@json_option
def list_(
    access: Access, user: str | None, customer: str | None, page: int, size: int, as_json: bool
) -> None:
    """List live sessions and the seats they hold."""
    from seatd.cli.rest import ask, decoded

    asked = {"user": user, "customer": customer, "page": str(page), "size": str(size)}
    answer = ask(access, "GET", "sessions", query={name: text for name, text in asked.items() if text})
    if as_json:
        print_json(answer)
        return
    listing = decoded(answer, Listing[Session])
    print_table(COLUMNS, rows(listing.items))
    more(page, size, len(listing.items), listing.total)


def rows(sessions: Iterable[Session]) -> Iterable[tuple[str, ...]]:
    """The sessions as rows of a table with COLUMNS."""
    for row in sessions:
        device = f"{row.device.kind} {row.device.name or row.device.id}"
        seats = ", ".join(seat.product + (" (overdraft)" if seat.overdraft else "") for seat in row.seats)
        yield row.session, row.user, device, row.state, row.node, minute(row.since), seats
