"""One run: a first client tries, the scenario goes its way, everybody leaves, and there is a report."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from loadtest import report
from loadtest.clients.client import Terms, VirtualClient
from loadtest.clients.connection import Place
from loadtest.clients.errors import Unusable
from loadtest.clients.recorder import Recorder
from loadtest.options import Options
from loadtest.progress import Progress
from loadtest.registry import Registry
from loadtest.scenarios import SCENARIOS
from loadtest.scenarios.plan import Plan, until
from loadtest.sources import addresses, check_here, check_room
from loadtest.target import Target, target

SLACK_S = 120.0
"""A scenario that is this late is ended: its clients wait for answers that do not come."""
LEAVING_S = 10.0
"""Within that the last goodbye is answered, or not waited for."""


async def measure(options: Options) -> int:
    """Exit status 0, or 1 when something happened that should not have. Raises `Unusable` before anything is measured."""
    sources = addresses(options.sources)
    check_here(sources)
    check_room(options.clients, sources)
    if options.report is not None:
        report.make_folder(options.report)
    with stopped_by_signals() as stopped:
        async with target(options) as found:
            plan = _plan(options, found, sources)
            if not await _unless(stopped, _prepared(options, found, plan)):
                print("stopped before it began", file=sys.stderr)
                return 1
            return await _measured(options, found, plan, stopped)


async def _measured(options: Options, found: Target, plan: Plan, stopped: asyncio.Event) -> int:
    began_s = plan.recorder.began_s = time.perf_counter()
    ended = await _gone_through(options, plan, stopped)
    seconds = time.perf_counter() - began_s
    made = report.report_of(options.scenario, options.told(), plan.recorder, seconds)
    made |= {"stopped": not ended, "sessions_by_the_server": await _counted(found.registry)}
    await _left(plan)
    if not ended:
        print("stopped", file=sys.stderr)
    report.show(made)
    if options.report is not None:
        report.write(options.report, made)
        print(f"written: {options.report}/report.json and report.svg")
    return int(made["errors"] > 0)


async def _gone_through(options: Options, plan: Plan, stopped: asyncio.Event) -> bool:
    """Whether nobody stopped it. When the scenario itself cannot go on, everybody must leave all the same, and be told of."""
    scenario = SCENARIOS[options.scenario]
    try:
        with Progress(scenario.about, plan):
            return await _unless(stopped, _in_time(scenario.run(plan), plan))
    except Unusable as error:
        plan.recorder.count("error the scenario could not go on")
        print(f"the scenario could not go on: {error}", file=sys.stderr)
        return True


def _plan(options: Options, found: Target, sources: tuple[str, ...]) -> Plan:
    terms = Terms(
        places=found.places,
        token=found.token_of,
        need=options.need,
        protocol="seatd.v1.json" if options.json else "seatd.v1.msgpack",
        sources=sources,
        ca=None if options.ca is None else str(options.ca),
    )
    return Plan(
        terms,
        options.clients,
        options.seconds,
        options.rate_per_s,
        options.free_seats,
        options.further,
        found.registry.force_out if found.registry else None,
        kill=found.kill,
    )


# -- before and after ------------------------------------------------------------------------------------------


async def _prepared(options: Options, found: Target, plan: Plan) -> None:
    """All tokens are signed, and one client has signed in, so that what is wrong with all of them is told once."""
    for number in range(options.clients):
        found.token_of(number)
    for place in plan.terms.places:
        await _tried(replace(plan.terms, recorder=Recorder()), place)
    if options.scenario == "logout":
        await _nobody_else_is_here(found.registry)


async def _tried(terms: Terms, place: Place) -> None:
    one = VirtualClient(terms, 0)
    if not await one.sign_in(place=place):
        why = ", ".join(terms.recorder.counts) or "no answer"
        raise Unusable(
            f"a first client could not sign in at {place.authority} ({why}): do address, tokens, customer and domain belong "
            f"together, and has the customer a free seat of {', '.join(terms.need)}?"
        )
    one.bye()
    await until(lambda: not one.present, LEAVING_S)


async def _nobody_else_is_here(registry: Registry | None) -> None:
    """A logout of the whole customer would end the work of people."""
    assert registry is not None
    if number := await registry.sessions():
        raise Unusable(
            f"customer {registry.customer} has {number:,} sessions that are not the load tester's, and a logout would end "
            f"them too: choose a customer that nobody works for"
        )


async def _counted(registry: Registry | None) -> int | None:
    if registry is None:
        return None
    with contextlib.suppress(Unusable):
        return await registry.sessions()
    return None


async def _left(plan: Plan) -> None:
    """Everybody says goodbye, and hears that it was heard, so that no seat stays taken."""
    plan.terms.recorder = Recorder()
    for one in plan.crowd:
        one.bye()
    await until(lambda: not any(one.present for one in plan.crowd), LEAVING_S)
    for one in plan.crowd:
        one.drop()


# -- time and signals ------------------------------------------------------------------------------------------


@contextmanager
def stopped_by_signals() -> Iterator[asyncio.Event]:
    """Set by Ctrl-C and SIGTERM, which end a run in order."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _unless(stopped: asyncio.Event, doing: Awaitable[None]) -> bool:
    """Whether it came to its end before somebody stopped it. Raises what it raises."""
    running = asyncio.ensure_future(doing)
    waiting = asyncio.ensure_future(stopped.wait())
    await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if running.done():
        running.result()
        return True
    running.cancel()
    await asyncio.wait([running])
    return False


async def _in_time(scenario: Awaitable[None], plan: Plan) -> None:
    try:
        async with asyncio.timeout(plan.seconds + SLACK_S):
            await scenario
    except TimeoutError:
        plan.recorder.count("error the scenario did not end in time")
