"""The `seatd` command."""

from __future__ import annotations

import click

from seatd import __version__
from seatd.cli import license_issue, license_registry, license_show, token_api
from seatd.cli.admin import admin_group
from seatd.cli.config import config_group
from seatd.cli.demo import demo_group
from seatd.cli.doctor import doctor
from seatd.cli.keys import keys_group
from seatd.cli.license import license_group
from seatd.cli.logout import logout
from seatd.cli.serve import serve
from seatd.cli.session import session_group
from seatd.cli.status import status
from seatd.cli.token import token_group


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="seatd", message="%(prog)s %(version)s")
def cli() -> None:
    """Real-time concurrent seats: a session server, and the tools around it.

    `keys` and `license issue|show` work without a server. All verbs that need one speak to its REST API: that
    of the local data folder, or the one named by --url and --token.

    Exit codes: 0 done, 1 failed or refused, 2 wrong command line, 3 no server reached, 4 API token refused.
    """


# Importing these adds their verbs to `license_group` and `token_group`.
__all__ = ["cli", "license_issue", "license_registry", "license_show", "main", "token_api"]

for verb in (
    serve,
    demo_group,
    status,
    license_group,
    session_group,
    logout,
    doctor,
    keys_group,
    token_group,
    admin_group,
    config_group,
):
    cli.add_command(verb)


def main() -> None:
    """The entry point: does what the command line says and exits."""
    cli(prog_name="seatd")
