"""From an administrator's request to one node until the client on another one has lost its connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from functools import partial

import aiohttp

from loadtest.clients.client import VirtualClient
from loadtest.own import DOMAIN, own_servers
from loadtest.rows.cores import apart
from loadtest.rows.people import FURTHER, NEED, all_signed_in, cut, plan
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale
from loadtest.scenarios.plan import Plan, until
from loadtest.server import Server

CLOSED_S = 5.0


async def measured(scale: Scale, _names: Collection[str], say: Callable[[str], None]) -> list[Row]:
    """One user after another, while all the others stay."""
    async with own_servers(2, scale.clients, NEED, FURTHER) as (asked, other):
        apart([asked, other])
        crowd = plan([other], scale.clients)
        say(f"{scale.clients:,} sign in at one node")
        people = await all_signed_in(crowd)
        say("the other one is asked to force out single ones")
        await _forced_out(asked, crowd, people[: scale.logouts])
        step = crowd.recorder.steps["logout closed"]
        cut(people)
    more = {"p50_ms": step.percentile(50), "max_ms": step.max_ms, "logouts": float(step.count)}
    return [Row("logout", step.percentile(99), more=more)]


async def _forced_out(asked: Server, crowd: Plan, people: Sequence[VirtualClient]) -> None:
    headers = {"Authorization": f"Bearer {asked.token}"}
    async with aiohttp.ClientSession(f"http://{asked.admin}", headers=headers) as http:
        for one in people:
            crowd.terms.asked_s = time.perf_counter()
            body = {"users": [f"load-{one.number}@{DOMAIN}"], "cooldown_s": 0}
            async with http.post("/api/v1/logout", json=body) as answer:
                receipts = await answer.json()
            if receipts.get("logged_out") != 1 or not await until(partial(_gone, one), CLOSED_S):
                raise ValueError(f"the logout of one was answered {receipts}")


def _gone(one: VirtualClient) -> bool:
    return not one.present
