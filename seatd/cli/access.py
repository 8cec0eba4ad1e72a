"""Which server a verb speaks to, and with which API token.

`--url` and `--token` (SEATD_URL, SEATD_TOKEN) name both. Without `--url` it is the server of the local data
folder, with that folder's own token. A data folder's token is never sent to another address.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar
from urllib.parse import urlsplit

import click

from seatd.cli.failures import NotAllowed, Unreachable
from seatd.cli.local import admin_token, reachable_url, running

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_DATA = Path("seatd-data")


class Server(NamedTuple):
    """An admin address, and the token to use there."""

    url: str
    token: str


class Access(NamedTuple):
    """What the command line and the environment say about the server."""

    url: str | None
    token: str | None
    data: Path

    def server(self) -> Server:
        """The server meant. Raises UsageError, Unreachable or NotAllowed with what to do about it."""
        url = _checked_url(self.url) if self.url else self._local_url()
        token = self.token or (None if self.url else admin_token(self.data))
        if not token and self.url:
            raise click.UsageError("--url needs an API token as well: --token, or SEATD_TOKEN.")
        if not token:
            raise NotAllowed(f"{self.data}/admin.token cannot be read; give --token, or SEATD_TOKEN.")
        if not (token.isascii() and token.isprintable()):
            raise click.UsageError("The API token holds characters that no token has.")
        return Server(url, token)

    def _local_url(self) -> str:
        found = running(self.data)
        if found is None:
            raise Unreachable(
                f"There is no running server in {self.data} (no seatd.json). "
                "Start one with `seatd serve`, or say where it is: --data, or --url and --token."
            )
        return reachable_url(found.admin, "http")


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise click.UsageError("--url must be the admin address, such as http://127.0.0.1:8471.")
    return url.rstrip("/")


def data_option(command: Callable[P, R]) -> Callable[P, R]:
    """`--data`."""
    return click.option(
        "--data",
        envvar="SEATD_STORE_DATA",
        type=click.Path(path_type=Path, file_okay=False),
        default=DEFAULT_DATA,
        show_default=True,
        help="Data folder of a server on this machine.",
    )(command)


def access_options(command: Callable[..., R]) -> Callable[..., R]:
    """`--url`, `--token` and `--data`; the verb gets them as its first argument."""

    @click.option("--url", envvar="SEATD_URL", help="Admin address of the server.  [env: SEATD_URL]")
    @click.option(
        "--token", envvar="SEATD_TOKEN", help="API token; better in the environment.  [env: SEATD_TOKEN]"
    )
    @data_option
    @functools.wraps(command)
    def with_access(url: str | None, token: str | None, data: Path, **others: object) -> R:
        return command(Access(url, token, data), **others)

    return with_access


def json_option(command: Callable[P, R]) -> Callable[P, R]:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def page_options(command: Callable[P, R]) -> Callable[P, R]:
    """`--page` and `--size`."""
    command = click.option(
        "--size", type=click.IntRange(1, 500), default=100, show_default=True, help="Rows on a page."
    )(command)
    return click.option(
        "--page", type=click.IntRange(1), default=1, show_default=True, help="Which page, from 1."
    )(command)
