"""`seatd logout`: forces users out, and shows for each session what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import click

from seatd.cli.access import Access, access_options, json_option
from seatd.cli.answers import Receipt, Receipts
from seatd.cli.output import console, print_json, print_table, say
from seatd.cli.parsing import DURATION_TYPE


@click.command("logout")
@access_options
@click.argument("users", metavar="[USER]...", nargs=-1)
@click.option("--session", "sessions", multiple=True, help="This session only; repeatable.")
@click.option("--license", "license_id", help="All who hold a seat of this license.")
@click.option("--domain", help="All users of this domain.")
@click.option("--customer", help="All users of this customer.")
@click.option("--reason", help="Shown to the users.")
@click.option(
    "--cooldown",
    type=DURATION_TYPE,
    help="How long they are refused again, such as 60s.  [default: the server's]",
)
@json_option
def logout(
    access: Access,
    users: tuple[str, ...],
    sessions: tuple[str, ...],
    license_id: str | None,
    domain: str | None,
    customer: str | None,
    reason: str | None,
    cooldown: int | None,
    as_json: bool,
) -> None:
    """Force users out, and show the receipts.

    Users are forced out on all their devices. A user's seat is free once the client has confirmed the logout,
    or can no longer believe to hold it.
    """
    from seatd.cli.rest import ask, decoded

    whom: dict[str, object] = {
        "users": list(users),
        "sessions": list(sessions),
        "license": license_id,
        "domain": domain,
        "customer": customer,
    }
    targets = {name: value for name, value in whom.items() if value}
    if not targets:
        raise click.UsageError("Say whom to log out: USER..., --session, --license, --domain or --customer.")
    how: dict[str, object] = {
        name: value for name, value in (("reason", reason), ("cooldown_s", cooldown)) if value is not None
    }
    with _waiting():
        answer = ask(access, "POST", "logout", body=targets | how)
    if as_json:
        print_json(answer)
    else:
        _print_receipts(decoded(answer, Receipts).sessions)


@contextlib.contextmanager
def _waiting() -> Iterator[None]:
    """A sign of life while the server waits for the clients' receipts; only where somebody looks."""
    err = console(stderr=True)
    with err.status("Logging out, waiting for receipts") if err.is_terminal else contextlib.nullcontext():
        yield


def _print_receipts(receipts: tuple[Receipt, ...]) -> None:
    if not receipts:
        say("Nobody was signed in.")
        return
    print_table(
        ("Session", "User", "Device", "Node", "Delivered", "Acknowledged", ">Milliseconds", "Outcome"),
        (
            (
                row.session,
                row.user,
                f"{row.device.kind} {row.device.name or row.device.id}",
                row.node,
                "yes" if row.delivered else "no",
                "yes" if row.acknowledged else "no",
                "" if row.milliseconds is None else str(row.milliseconds),
                row.outcome,
            )
            for row in receipts
        ),
    )
    pending = sum(row.outcome == "pending" for row in receipts)
    if pending:
        say(
            f"{pending} not confirmed yet: logged out, but the seat is free only when the client's lease ends."
        )
