"""`seatd admin create|list|disable|enable|link`: who may sign in to the console and the REST API."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from seatd.cli.access import Access, access_options, json_option, page_options
from seatd.cli.answers import Administrator, GrantShown, Link, Listing
from seatd.cli.failures import Refused
from seatd.cli.grant import grant_options
from seatd.cli.output import minute, more, print_json, print_table, say

COLUMNS = ("Name", "Grants", "Password", "One-time code", "State", "Created")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("admin")
def admin_group() -> None:
    """Administrators: who may sign in."""


@admin_group.command("create")
@access_options
@click.argument("name")
@grant_options("operator")
@click.option("--password-file", type=FILE, help="File with the password.  [default: it is asked for]")
@click.option("--no-password", is_flag=True, help="Without one: the way in is `seatd admin link`.")
@click.option("--must-totp", is_flag=True, help="Nothing may be done before one-time codes are set up.")
def create(
    access: Access,
    name: str,
    grant: dict[str, object],
    password_file: Path | None,
    no_password: bool,
    must_totp: bool,
) -> None:
    """Make an administrator."""
    from seatd.cli.rest import ask

    if no_password and password_file:
        raise click.UsageError("Give either --password-file or --no-password.")
    access.server()  # whoever cannot reach a server is not asked for a password first
    password = "" if no_password else _password(password_file)
    body = {"name": name, "grants": [grant], "password": password, "must_totp": must_totp}
    ask(access, "POST", "administrators", body=body)
    say(f"{name} may sign in." if password else f"{name} may sign in by a link: seatd admin link {name}")


@admin_group.command("list")
@access_options
@click.option("--search", default="", help="Only whose name contains this.")
@page_options
@json_option
def list_(access: Access, search: str, page: int, size: int, as_json: bool) -> None:
    """List administrators and their grants."""
    from seatd.cli.rest import ask, decoded

    query = {"page": str(page), "size": str(size), **({"search": search} if search else {})}
    answer = ask(access, "GET", "administrators", query=query)
    if as_json:
        print_json(answer)
        return
    listing = decoded(answer, Listing[Administrator])
    print_table(COLUMNS, _rows(listing.items))
    more(page, size, len(listing.items), listing.total)


@admin_group.command("disable")
@access_options
@click.argument("name")
def disable(access: Access, name: str) -> None:
    """Let an administrator sign in no more; sessions are over within seconds."""
    _set_disabled(access, name, True)
    say(f"{name} is disabled.")


@admin_group.command("enable")
@access_options
@click.argument("name")
def enable(access: Access, name: str) -> None:
    """Let a disabled administrator sign in again."""
    _set_disabled(access, name, False)
    say(f"{name} is enabled.")


@admin_group.command("link")
@access_options
@click.argument("name")
@click.option(
    "--create", "make", is_flag=True, help="Make this administrator, an operator, when there is none."
)
@json_option
def link(access: Access, name: str, make: bool, as_json: bool) -> None:
    """Print a link that signs an administrator in once, within ten minutes."""
    from seatd.cli.rest import ask, decoded

    if make and not _is_there(access, name):
        ask(access, "POST", "administrators", body={"name": name, "grants": [{"role": "operator"}]})
    answer = ask(access, "POST", "sign-in-links", body={"name": name})
    if as_json:
        print_json(answer)
    else:
        click.echo(access.server().url + decoded(answer, Link).path)


def _is_there(access: Access, name: str) -> bool:
    from seatd.cli.rest import ask, decoded

    listing = decoded(
        ask(access, "GET", "administrators", query={"search": name, "size": "500"}), Listing[Administrator]
    )
    return any(found.name == name for found in listing.items)


def _set_disabled(access: Access, name: str, disabled: bool) -> None:
    from seatd.cli.rest import ask

    ask(access, "PATCH", "administrators", name, body={"disabled": disabled})


def _password(file: Path | None) -> str:
    """From a file or from the keyboard; never from the command line, where others would see it."""
    if file is None:
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    try:
        password = file.read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise Refused(f"{file} cannot be read as text.") from None
    if not password:
        raise Refused(f"{file} is empty.")
    return password


def _rows(administrators: Iterable[Administrator]) -> Iterable[tuple[str, ...]]:
    for row in administrators:
        grants = "; ".join(map(_grant, row.grants))
        yield (
            row.name,
            grants,
            "yes" if row.has_password else "",
            "yes" if row.totp else "must" if row.must_totp else "",
            "disabled" if row.disabled else "",
            minute(row.created),
        )


def _grant(grant: GrantShown) -> str:
    where = ", ".join(filter(None, (grant.agency, *grant.customers, *grant.domains)))
    return f"{grant.role} ({where})" if where else grant.role
