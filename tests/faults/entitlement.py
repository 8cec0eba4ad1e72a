"""Licenses that end or shrink while all their seats are taken."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from datetime import UTC, datetime
from typing import Any

from seatd_protocol.messages import Denied
from tests.faults.churn import Churn
from tests.faults.fault import fault
from tests.faults.nodes import sessions_of
from tests.faults.people import Person, all_live
from tests.faults.trial import Trial, share

ENDED = 4303


async def renewed(trial: Trial, id_: str, seats: int, **fields: Any) -> None:
    """A newer key for the same license, with another limit, end or policy."""
    await trial.watch.look()  # so that what was granted before is not seen only afterwards
    trial.history.note("admin", "invoke", "limit", license=id_, value=seats)
    await trial.company.licensed(f"CALL_CENTER:competitive:{seats}", ids=[id_], **fields)
    trial.history.note("admin", "ok", "limit", license=id_, value=seats)


def sent_away(person: Person) -> bool:
    """Whether it was told that its license is the reason, and closed with the code for it."""
    return person.logouts == 1 and bool(person.ends) and person.ends[-1].code == ENDED


async def until_sent_away(people: list[Person], within_s: float) -> None:
    """Waits for all of them, but not for long."""
    give_up_s = time.monotonic() + within_s
    while not all(map(sent_away, people)) and time.monotonic() < give_up_s:
        await asyncio.sleep(0.01)


def told_s(trial: Trial, people: list[Person], since: float) -> list[float]:
    """For each that was told and closed, seconds from `since` to the later of the two; sorted."""
    procs, last = {person.proc for person in people}, dict[str, float]()
    for event in trial.history.of("logout", "closed"):
        if event.proc in procs:
            last[event.proc] = event.t - since
    return sorted(last.values())


@fault(
    "F41",
    "a license ends while all its seats are taken: hard (evict), then another soft (drain)",
    "hard: all told and closed at most 1 s later; soft: nobody is, and nobody new gets a seat",
    seconds=40,
)
async def license_ends(trial: Trial) -> None:
    await trial.deploy(2)
    (hard,) = trial.limits
    people = await trial.crowd()
    ended_s = await _until_end(trial, hard, "evict")
    await until_sent_away(people, 5)
    took = told_s(trial, people, ended_s)
    trial.exactly("hard: told and closed", sum(map(sent_away, people)), len(people))
    trial.at_least("hard: first told after, s", share(took, 0), 0)
    trial.at_most("hard: last closed after, s", share(took, 1), 1.0)
    trial.exactly("hard: newcomers let in", await _let_in(trial, "after"), 0)
    soft = await trial.license(trial.size)
    stays = await trial.crowd(trial.size // 2, prefix="v")  # there is room for others, but no license
    before = sessions_of(stays)
    ended_s = await _until_end(trial, soft, "drain")
    trial.exactly("soft: newcomers let in", await _let_in(trial, "late"), 0)
    await asyncio.sleep(2 * trial.times.client)
    trial.exactly("soft: connections ended by servers", _ended(trial, ended_s), 0)
    trial.exactly("soft: sessions kept", trial.kept(stays, before), 1.0)


async def _until_end(trial: Trial, license_: str, on_expiry: str) -> float:
    """A newer key ends the license two to three seconds from now, at a full second; that moment, when it has come."""
    wall_s = math.ceil(time.time() + 2)
    end = datetime.fromtimestamp(wall_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    await renewed(trial, license_, trial.size, valid_till=end, policy={"on_expiry": on_expiry})
    await asyncio.sleep(wall_s - time.time())
    return time.monotonic() + wall_s - time.time()


async def _let_in(trial: Trial, prefix: str) -> int:
    """Some ask for a seat at each node; how many were not refused."""
    answers = [await trial.knock(f"{prefix}{n}", node) for n in range(5) for node in trial.nodes]
    return sum(not isinstance(answer, Denied) for answer in answers)


def _ended(trial: Trial, since: float) -> int:
    return len([code for code in trial.ends_by_server(since) if code != 4300])  # who is refused a seat


@fault(
    "F42",
    "the limit is lowered from 100 to 40 while 100 are used: with eviction, then draining",
    "evict: exactly the 60 newest go, nobody else; drain: use never grows, no seat is granted until fewer than 40 are used",
    seconds=60,
)
async def limit_lowered(trial: Trial) -> None:
    number = min(100, trial.size)
    left = number * 2 // 5
    await trial.deploy(2, seats=number)
    (license_,) = trial.limits
    await _evicted(trial, license_, number, left)
    await renewed(trial, license_, number)
    await _drained(trial, license_, number, left)


async def _evicted(trial: Trial, license_: str, number: int, left: int) -> None:
    people = []
    for n in range(number):  # one after the other, so that all agree who is the newest
        people += await trial.crowd(1, trial.nodes[n % 2].clients, prefix=f"e{n}-")
    stay, go, before = people[:left], people[left:], sessions_of(people)
    since = time.monotonic()
    await renewed(trial, license_, left, policy={"on_lower": "evict"})
    await until_sent_away(go, 5)
    trial.told("evict: last closed after, s", share(told_s(trial, go, since), 1))
    trial.exactly("evict: newcomers let in", await _let_in(trial, "after"), 0)
    await asyncio.sleep(2 * trial.times.beat)
    trial.exactly("evict: the newest sent away", sum(map(sent_away, go)), number - left)
    trial.exactly("evict: others' sessions kept", trial.kept(stay, before), 1.0)
    trial.exactly("evict: others told", sum(person.logouts + len(person.ends) for person in stay), 0)
    await asyncio.gather(*(person.bye() for person in stay))


async def _drained(trial: Trial, license_: str, number: int, left: int) -> None:
    people = await trial.crowd(number, prefix="d")
    await renewed(trial, license_, left, policy={"on_lower": "drain"})
    await trial.watch.look()
    lowered_s = time.monotonic()
    knocking = Churn(trial, 5, stay_s=0.1).start()
    for person in people[left:]:
        await person.bye()
        await asyncio.sleep(trial.times.scaled(0.1))
    await trial.watch.look()
    trial.exactly("drain: grown", _grown(trial, license_, lowered_s), 0)
    trial.exactly("drain: newcomers let in, the limit used or more", knocking.came, 0)
    trial.at_least("drain: refused meanwhile", knocking.refused["no_seat"], 1)
    await asyncio.sleep(2 * trial.times.beat)
    trial.exactly("drain: the rest goes on", sum(person.live for person in people), left)
    await people[0].bye()
    trial.exactly("drain: newcomers let in below", await knocking.until_come(1, 5), True)
    await knocking.stop()
    await all_live(people[1:left], 5)


def _grown(trial: Trial, license_: str, since: float) -> int:
    """How often more seats were used than a moment before."""
    used = [e.value["used"] for e in trial.history.of("used") if e.license == license_ and e.t >= since]
    return sum(later > earlier for earlier, later in itertools.pairwise(used))
