"""`seatd-loadtest`: virtual clients against a server of its own, or against one that you name."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import click
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from loadtest import report
from loadtest.clients import tokens
from loadtest.clients.client import Terms, VirtualClient
from loadtest.clients.connection import Place
from loadtest.own import CUSTOMER, DOMAIN, own_server
from loadtest.scenarios import SCENARIOS, Scenario
from loadtest.scenarios.plan import Plan
from seatd.serving import uvloop_factory

MOST_CLIENTS, MOST_SECONDS = 1000, 600
SLACK_S = 120.0
"""A scenario that is this late is ended: its clients wait for answers that do not come."""


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    scenario: str
    clients: int
    seconds: float
    rate: float | None
    seats: int | None
    urls: tuple[str, ...]
    admin: str | None
    token: str | None
    secret_file: Path | None
    tokens_file: Path | None
    customer: str
    domain: str
    audience: str
    issuer: str | None
    need: tuple[str, ...]
    further: str
    json: bool
    sources: tuple[str, ...]
    no_limits: bool
    report: Path | None


@dataclass(frozen=True)
class Target:
    """Whom the clients talk to. `admin` and `token`: of the REST API, where they are known."""

    places: tuple[Place, ...]
    token_of: Callable[[int], str]
    customer: str
    admin: str | None
    token: str | None


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("scenario", type=click.Choice(list(SCENARIOS)))
@click.option("--clients", type=click.IntRange(1), default=100, show_default=True, help="How many.")
@click.option("--seconds", type=click.FloatRange(0.1), default=30, show_default=True, help="For how long.")
@click.option("--rate", type=click.FloatRange(0.01), help="Things a second.  [default: all clients once]")
@click.option(
    "--seats", type=click.IntRange(1), help="Free seats, for `queue`.  [default: half of --clients]"
)
@click.option(
    "--url",
    "urls",
    multiple=True,
    help="ws:// or wss:// of a node; repeatable.  [default: a server of its own]",
)
@click.option("--admin", help="http:// of the REST API, for `logout`.")
@click.option("--token", envvar="SEATD_TOKEN", help="An administrator's token for it; better in SEATD_TOKEN.")
@click.option(
    "--secret-file", type=FILE, help="The shared secret that clients' tokens are signed with (HS256)."
)
@click.option(
    "--tokens", "tokens_file", type=FILE, help="Instead of that: a file of ready tokens, one a line."
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
@click.option("--source", "sources", multiple=True, help="An own address to connect from; repeatable.")
@click.option(
    "--no-limits", is_flag=True, help=f"Allow more than {MOST_CLIENTS} clients and {MOST_SECONDS} s."
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

    Exit status: 0, or 1 when something happened that should not have, such as a lost session.
    """
    options = Options(**given)  # type: ignore[arg-type]  # click has checked them
    _check(options)
    sys.exit(_run(options))


def _check(options: Options) -> None:
    if not options.no_limits and (options.clients > MOST_CLIENTS or options.seconds > MOST_SECONDS):
        raise click.UsageError(
            f"More than {MOST_CLIENTS} clients or {MOST_SECONDS} s: say --no-limits if you mean it."
        )
    if options.urls and not (options.secret_file or options.tokens_file):
        raise click.UsageError("With --url give --secret-file or --tokens, for the clients to sign in with.")
    if options.scenario == "logout" and options.urls and not (options.admin and options.token):
        raise click.UsageError("`logout` with --url needs --admin and --token: it asks the REST API.")
    if options.scenario == "queue" and _seats(options) >= options.clients:
        raise click.UsageError("`queue` needs more --clients than --seats.")


def _seats(options: Options) -> int:
    return options.seats or max(1, options.clients // 2)


def _run(options: Options) -> int:
    with asyncio.Runner(loop_factory=uvloop_factory()) as runner:
        try:
            return runner.run(_measure(options))
        except (ValueError, OSError) as error:
            raise click.UsageError(f"{error}.") from None


async def _measure(options: Options) -> int:
    async with _target(options) as target:
        plan, scenario = _plan(options, target), SCENARIOS[options.scenario]
        await _tried(_uncounted(plan))
        began_s = time.perf_counter()
        plan.recorder.began_s = began_s
        await _until_done_or_stopped(plan, scenario)
        found = report.report_of(
            options.scenario, _told(options), plan.recorder, time.perf_counter() - began_s
        )
        for one in plan.crowd:
            one.bye()
        report.show(found)
        if options.report is not None:
            report.write(options.report, found)
            print(f"written: {options.report}/report.json and report.svg")
        return int(found["errors"] > 0)


def _plan(options: Options, target: Target) -> Plan:
    terms = Terms(
        places=target.places,
        token=target.token_of,
        need=options.need,
        protocol="seatd.v1.json" if options.json else "seatd.v1.msgpack",
        sources=options.sources,
    )
    rate = options.rate or options.clients / options.seconds

    async def force_out() -> None:
        headers = {"Authorization": f"Bearer {target.token}"}
        body = {"customer": target.customer, "cooldown_s": 0}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(f"{target.admin}/api/v1/logout", json=body) as answer,
        ):
            if answer.status >= 300:
                raise ValueError(f"the REST API refuses the logout: {answer.status} {await answer.text()}")

    return Plan(terms, options.clients, options.seconds, rate, _seats(options), options.further, force_out)


def _uncounted(plan: Plan) -> Terms:
    """The same terms, noted elsewhere: for a client that is not to be counted."""
    return replace(plan.terms, recorder=type(plan.recorder)())


async def _tried(terms: Terms) -> None:
    """One client, so that what is wrong with all of them is told once. Raises ValueError."""
    one = VirtualClient(terms, 0)
    if not await one.sign_in():
        why = ", ".join(terms.recorder.counts) or "no answer"
        raise ValueError(
            f"a first client could not sign in ({why}): do address, tokens, customer and domain belong together, and "
            f"has the customer a free seat of {', '.join(terms.need)}?"
        )
    one.bye()
    for _ in range(500):
        if not one.connected:
            return
        await asyncio.sleep(0.01)


async def _until_done_or_stopped(plan: Plan, scenario: Scenario) -> None:
    """Runs it with progress; Ctrl-C ends it, and there is a report all the same."""
    running = asyncio.create_task(_ended(scenario.run(plan), plan.seconds + SLACK_S))
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, running.cancel)
    columns = (TextColumn("{task.description}"), TimeElapsedColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(scenario.about, total=None, told="")
        while not running.done():
            await asyncio.wait([running], timeout=0.5)
            recorder = plan.recorder
            done = sum(step.count for step in recorder.steps.values())
            progress.update(
                task, told=f"{recorder.live:,} sessions, {done:,} steps, {recorder.errors:,} errors"
            )
    if running.cancelled():
        print("stopped", file=sys.stderr)
    else:
        running.result()


async def _ended(scenario: object, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await scenario  # type: ignore[misc]  # a coroutine
    except TimeoutError:
        print("ended: it has taken far longer than it should", file=sys.stderr)


@asynccontextmanager
async def _target(options: Options) -> AsyncIterator[Target]:
    if options.urls:
        places = tuple(map(Place.of, options.urls))
        yield Target(places, _tokens(options), options.customer, options.admin, options.token)
        return
    seats = _seats(options) if options.scenario == "queue" else options.clients
    async with own_server(seats, options.need, options.further) as server:
        places = (Place.of(f"ws://{server.clients}"),)
        token_of = tokens.signed(
            server.secret, customer=CUSTOMER, domain=DOMAIN, audience="seatd", issuer=None
        )
        yield Target(places, token_of, CUSTOMER, f"http://{server.admin}", server.token)


def _tokens(options: Options) -> Callable[[int], str]:
    if options.tokens_file is not None:
        return tokens.read(options.tokens_file, options.clients)
    assert options.secret_file is not None
    secret = options.secret_file.read_text("utf-8").strip()
    return tokens.signed(
        secret,
        customer=options.customer,
        domain=options.domain,
        audience=options.audience,
        issuer=options.issuer,
    )


def _told(options: Options) -> dict[str, object]:
    """What the report says of how it was run: no secrets."""
    names = (
        "clients",
        "seconds",
        "rate",
        "seats",
        "urls",
        "customer",
        "domain",
        "need",
        "further",
        "json",
        "sources",
    )
    return {name: getattr(options, name) for name in names}


if __name__ == "__main__":
    main()
