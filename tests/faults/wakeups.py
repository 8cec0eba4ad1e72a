"""The channel that wakes nodes up: nothing may hang on it."""

from __future__ import annotations

import asyncio
import time

from redis.asyncio import Redis

from tests.faults.ending import ended
from tests.faults.fault import fault
from tests.faults.nodes import sessions_of
from tests.faults.stubborn import Stubborn
from tests.faults.trial import Trial, share


@fault(
    "F37x60",
    "the wake-up channel is cut for a minute, people are forced out all the while",
    "every one of them told at most a renewal and 1 s after his order",
    seconds=80,
)
async def deaf_for_a_minute(trial: Trial) -> None:
    a, b = await trial.deploy(2, seats=2 * trial.size)
    others = await trial.crowd(trial.size // 2)
    deafening = asyncio.create_task(_deafens(trial))
    await asyncio.sleep(0.5)
    before, began_s = sessions_of(others), time.monotonic()
    took: list[float] = []
    try:
        while time.monotonic() < began_s + trial.times.scaled(60):
            person = trial.stubborn_person(f"k{len(took)}")
            await person.connect(a.clients)
            took.append(await _told_after(trial, person))
    finally:
        await ended(deafening)
    woken = sum([await trial.metric(node, "seatd_orders_total") for node in (a, b)])
    took.sort()
    trial.told("forced out", len(took))
    trial.told("orders read", woken)
    trial.told("p50 told after, s", share(took, 0.5))
    trial.at_most("last told after, s", share(took, 1), trial.times.renew + 1)
    trial.exactly("sessions of others kept", trial.kept(others, before), 1.0)


async def _told_after(trial: Trial, person: Stubborn) -> float:
    """Forces somebody out at the other node; seconds until he heard of it, more than can be when he did not."""
    user, asked_s = trial.company.user(person.name), time.monotonic()
    trial.note_kick("invoke", user, 0, ())
    body = {"users": [user], "cooldown_s": 0}
    answer = await trial.nodes[1].call("POST", "/api/v1/logout", body)
    trial.note_kick("ok", user, 0, [receipt["session"] for receipt in answer["sessions"]])
    await person.wait_closed(30)
    return (person.logout_at or asked_s + 99) - asked_s


async def _deafens(trial: Trial) -> None:
    async with Redis.from_url(trial.engine.url) as client:
        while True:
            await client.client_kill_filter(_type="pubsub")
            await asyncio.sleep(0.01)
