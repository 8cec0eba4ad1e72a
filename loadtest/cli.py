"""`seatd-loadtest`: virtual clients against servers of its own, or against those that you name."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from loadtest.clients import tokens
from loadtest.clients.errors import Unusable
from loadtest.options import MOST_CLIENTS, MOST_RATE, MOST_SECONDS, Options, check
from loadtest.own import CUSTOMER, DOMAIN
from loadtest.run import measure
from loadtest.scenarios import SCENARIOS
from seatd.serving import uvloop_factory

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("scenario", type=click.Choice(list(SCENARIOS)))
@click.option("--clients", type=click.IntRange(1), default=100, show_default=True, help="How many.")
@click.option("--seconds", type=click.FloatRange(0.1), default=30, show_default=True, help="For how long.")
@click.option("--rate", type=click.FloatRange(0.01), help="Things a second.  [default: all clients once]")
@click.option(
    "--nodes",
    type=click.IntRange(1, 8),
    help="Servers of its own that share a store.  [default: 1; for `kill` and `roaming` 2]",
)
@click.option(
    "--seats", type=click.IntRange(1), help="Free seats, for `queue`.  [default: half of --clients]"
)
@click.option(
    "--url",
    "urls",
    multiple=True,
    help="ws:// or wss:// of a node; repeatable.  [default: a server of its own]",
)
@click.option("--ca", type=FILE, help="Certificates (PEM) to trust for wss://, instead of the system's.")
@click.option("--admin", help="http:// of the REST API, for `logout`.")
@click.option("--token", envvar="SEATD_TOKEN", help="An administrator's token for it; better in SEATD_TOKEN.")
@click.option(
    "--secret-file", type=FILE, help="The shared secret that clients' tokens are signed with (HS256)."
)
@click.option(
    "--key", "key_file", type=FILE, help="Or the private key (PEM: EdDSA, ES256, RS256) that signs them."
)
@click.option("--kid", help="Its id in the tokens' header.  [default: the name of --key without its ending]")
@click.option("--tokens", "tokens_file", type=FILE, help="Or a file of ready tokens, one a line.")
@click.option(
    "--user", default=tokens.USER, show_default=True, help="Their names; {n} is the client's number."
)
@click.option("--customer", default=CUSTOMER, show_default=True, help="Whose users the clients are.")
@click.option("--domain", default=DOMAIN, show_default=True, help="Their domain.")
@click.option("--audience", default="seatd", show_default=True, help="`aud` of their tokens.")
@click.option("--issuer", help="`iss` of their tokens.")
@click.option(
    "--need",
    multiple=True,
    default=("CALL_CENTER",),
    show_default=True,
    help="What each signs in for; repeatable.",
)
@click.option(
    "--further", default="CALL_MANAGER", show_default=True, help="What `steady` acquires and releases."
)
@click.option("--json/--msgpack", default=False, help="The sub-protocol.  [default: msgpack]")
@click.option(
    "--source",
    "sources",
    multiple=True,
    help="Addresses to connect from, 127.0.0.2 or 127.0.0.2-127.0.0.9; repeatable.",
)
@click.option(
    "--no-limits",
    is_flag=True,
    help=f"Allow more than {MOST_CLIENTS:,} clients, {MOST_SECONDS} s and {MOST_RATE:,} things a second.",
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for report.json and report.svg.",
)
def main(**given: object) -> None:
    """Let virtual clients sign in, work and leave, and tell how long it took.

    \b
    ramp       clients sign in at a steady rate, and stay
    steady     all are signed in; they acquire and release a further product
    churn      people come and go
    storm      everybody signs in at once
    reconnect  all connections are cut at once, and everybody comes back
    queue      more clients than seats: who waits is served as others leave
    logout     an administrator forces everybody out at once
    roaming    sessions move from node to node
    kill       a node dies with all sessions on it, and everybody comes back on the others

    Exit status: 0; 1 when something happened that should not have, such as a lost session; 2 when it cannot be done.
    """
    options = Options(**given)  # type: ignore[arg-type]  # click has checked them
    try:
        check(options)
        with asyncio.Runner(loop_factory=uvloop_factory()) as runner:
            sys.exit(runner.run(measure(options)))
    except Unusable as error:
        raise click.UsageError(f"{error}{'' if str(error).endswith('?') else '.'}") from None


if __name__ == "__main__":
    main()
