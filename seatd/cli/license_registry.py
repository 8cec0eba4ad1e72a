"""`seatd license import`, `list`, `users`, `assign`, `unassign`, `withdraw`: the registry of a server."""

from __future__ import annotations

from typing import IO

import click

from seatd.cli.access import Access, access_options, json_option, page_options
from seatd.cli.answers import Affected, Assignment, Imported, License, Listing, User
from seatd.cli.license import license_group, read_text
from seatd.cli.output import minute, more, print_json, print_table, say, visible


@license_group.command("import")
@access_options
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@json_option
def import_(access: Access, file: IO[bytes], dry_run: bool, as_json: bool) -> None:
    """Import a license key: all of it or nothing.

    FILE may be - for standard input.
    """
    from seatd.cli.rest import ask, decoded

    query = {"dry_run": "true"} if dry_run else {}
    answer = ask(access, "POST", "licenses", query=query, body={"key": read_text(file)})
    if as_json:
        print_json(answer)
        return
    done = decoded(answer, Imported)
    print_table(
        ("License", "Product", "Kind", ">Limit", "Valid from", "Valid till", "Change"),
        (
            (
                row.id,
                row.product,
                row.kind,
                str(row.limit),
                minute(row.valid_from),
                minute(row.valid_till),
                row.change,
            )
            for row in done.licenses
        ),
    )
    for notice in done.notices:
        say(f"{notice.license}: {notice.message}")
    for affected in done.affected:
        _say_affected(affected.license, "would be above the limit", affected.above_limit)
        _say_affected(affected.license, "would not be covered any more", affected.not_covered)
        _say_affected(affected.license, "would lose the assignment", affected.assignments_lost)
    say(_outcome(done))


def _say_affected(license_id: str, what: str, affected: Affected) -> None:
    if affected.number:
        names = visible(", ".join(affected.users))
        left_out = affected.number - len(affected.users)
        more_users = f" and {left_out} more" if left_out > 0 else ""
        say(f"{license_id}: {affected.number} {what}: {names}{more_users}")


def _outcome(done: Imported) -> str:
    if done.status == "already_imported":
        return f"This key was imported before for {done.customer}; nothing changes."
    if done.dry_run:
        return f"Dry run for {done.customer}: nothing was changed."
    return f"Imported for {done.customer}."


@license_group.command("list")
@access_options
@click.option("--search", help="Part of the product, id, name or customer.")
@click.option("--customer", help="Of this customer only.")
@click.option("--domain", help="For this domain only.")
@page_options
@json_option
def list_(
    access: Access,
    search: str | None,
    customer: str | None,
    domain: str | None,
    page: int,
    size: int,
    as_json: bool,
) -> None:
    """List the licenses with their use."""
    from seatd.cli.rest import ask, decoded

    asked = {"search": search, "customer": customer, "domain": domain, "page": str(page), "size": str(size)}
    answer = ask(access, "GET", "licenses", query={name: text for name, text in asked.items() if text})
    if as_json:
        print_json(answer)
        return
    listing = decoded(answer, Listing[License])
    print_table(
        ("License", "Product", "Kind", ">Used", ">Limit", "Valid till", "Status", "Customer", "Domains"),
        (
            (
                row.id,
                row.product,
                row.kind,
                str(row.used),
                f"{row.limit}" + (f" +{row.overdraft}" if row.overdraft else ""),
                minute(row.valid_till),
                status(row),
                row.customer,
                ", ".join(row.domains),
            )
            for row in listing.items
        ),
    )
    more(page, size, len(listing.items), listing.total)


def status(row: License) -> str:
    """Whether the license counts, and for how long still."""
    if row.validity != "valid":
        return row.validity.replace("_", " ")
    return "ends today" if row.status == 0 else f"{row.status} days"


@license_group.command("users")
@access_options
@click.argument("license_id", metavar="ID")
@click.option("--search", help="Part of the user's name.")
@page_options
@json_option
def users(access: Access, license_id: str, search: str | None, page: int, size: int, as_json: bool) -> None:
    """List who uses a license, or is assigned to it."""
    from seatd.cli.rest import ask, decoded

    query = {"page": str(page), "size": str(size)} | ({"search": search} if search else {})
    answer = ask(access, "GET", "licenses", license_id, "users", query=query)
    if as_json:
        print_json(answer)
        return
    listing = decoded(answer, Listing[User])
    print_table(
        ("User", "Domain", "Online", ">Sessions", "Since", "Assigned"),
        (
            (
                row.user,
                row.domain,
                "yes" if row.used else "no",
                str(row.sessions),
                minute(row.since),
                "yes" if row.assigned else "",
            )
            for row in listing.items
        ),
    )
    more(page, size, len(listing.items), listing.total)


@license_group.command("assign")
@access_options
@click.argument("license_id", metavar="ID")
@click.argument("user", metavar="USER")
@json_option
def assign(access: Access, license_id: str, user: str, as_json: bool) -> None:
    """Assign a nominal license to a user."""
    from seatd.cli.rest import ask, decoded

    answer = ask(access, "PUT", "licenses", license_id, "users", user)
    if as_json:
        print_json(answer)
        return
    done = decoded(answer, Assignment)
    verb = "was assigned already" if done.status == "already" else "is assigned"
    say(f"{license_id} {verb} to {user}: {done.used} of {done.limit} assigned.")


@license_group.command("unassign")
@access_options
@click.argument("license_id", metavar="ID")
@click.argument("user", metavar="USER")
def unassign(access: Access, license_id: str, user: str) -> None:
    """Take a nominal license back from a user."""
    from seatd.cli.rest import ask

    ask(access, "DELETE", "licenses", license_id, "users", user)
    say(f"{license_id} is no longer assigned to {user}.")


@license_group.command("withdraw")
@access_options
@click.argument("license_id", metavar="ID")
def withdraw(access: Access, license_id: str) -> None:
    """Withdraw a license: no new seats on it."""
    from seatd.cli.rest import ask

    ask(access, "DELETE", "licenses", license_id)
    say(f"{license_id} is withdrawn.")
