"""`seatd token api`: API tokens for programs, made by the server."""

from __future__ import annotations

import click

from seatd.cli.access import Access, access_options, json_option
from seatd.cli.answers import MadeToken
from seatd.cli.grant import grant_options
from seatd.cli.output import print_json, say
from seatd.cli.token import token_group


@token_group.command("api")
@access_options
@grant_options()
@click.option("--name", default="made by seatd token api", show_default=True, help="What it is for.")
@click.option(
    "--days",
    type=click.IntRange(0, 3650),
    default=90,
    show_default=True,
    help="How long it is good; 0: until it is taken back.",
)
@json_option
def api(access: Access, grant: dict[str, object], name: str, days: int, as_json: bool) -> None:
    """Make an API token and print it. It is shown this once.

    It may do no more than the token that asks for it.
    """
    from seatd.cli.rest import ask, decoded

    body = {"name": name, "grant": grant, "days": days or None}
    answer = ask(access, "POST", "tokens", body=body)
    if as_json:
        print_json(answer)
        return
    made = decoded(answer, MadeToken)
    until = f"until {made.expires:%Y-%m-%d %H:%M} UTC" if made.expires else "until it is taken back"
    say(f"Token {made.id}, good {until}; it is not shown again.")
    click.echo(made.token)
