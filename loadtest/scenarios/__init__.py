"""What virtual clients can be made to do, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from loadtest.scenarios import churn, kill, logout, queue, ramp, reconnect, roaming, steady, storm
from loadtest.scenarios.plan import Plan


class Scenario(NamedTuple):
    """`about`: one sentence, for people."""

    about: str
    run: Callable[[Plan], Awaitable[None]]


SCENARIOS = {
    "ramp": Scenario("clients sign in at a steady rate, and stay", ramp.run),
    "steady": Scenario("all are signed in; they acquire and release a further product at a rate", steady.run),
    "churn": Scenario("people come and go at a rate", churn.run),
    "storm": Scenario("everybody signs in at once", storm.run),
    "reconnect": Scenario("all connections are cut at once, and everybody comes back", reconnect.run),
    "queue": Scenario("more clients than seats: those who wait are served as others leave", queue.run),
    "logout": Scenario("an administrator forces everybody out at once", logout.run),
    "kill": Scenario("a node dies with all sessions on it, and everybody comes back on the others", kill.run),
    "roaming": Scenario("sessions move from node to node", roaming.run),
}
