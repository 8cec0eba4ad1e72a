"""One server and its files: killed, cut short, emptied, damaged, old. (Full: `full.py`.)"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from seatd.store.keys import partition_key
from seatd_protocol.messages import Welcome
from tests.faults.churn import Churn, Writes, first_after, longest_pause, refused_for
from tests.faults.fault import fault
from tests.faults.losses import note_loss, put_back, sessions_on
from tests.faults.nodes import sessions_of
from tests.faults.pair import one_server
from tests.faults.people import Person, all_live
from tests.faults.stubborn import Stubborn
from tests.faults.trial import PARTITIONS, Trial
from tests.faults.whole import broken
from tests.topologies import Server

HOUR_MS = 3_600_000


def alone(trial: Trial, folder: Path | None = None, **settings: str) -> Server:
    """One server as the trial's store."""
    server = trial.stand_on(one_server(folder, **settings))
    trial.store = f"redis://{server.address}"
    return server


def tail_of(server: Server) -> Path:
    """The file that it appends to."""
    return max((server.folder / "appendonlydir").glob("*.incr.aof"), key=lambda path: path.stat().st_mtime)


def files_of(server: Server, name: str) -> Path:
    """A copy of its files, beside them."""
    copy = server.folder.with_name(f"{server.folder.name}-{name}")
    shutil.copytree(server.folder, copy)
    return copy


@contextmanager
def loaded(files: Path) -> Iterator[Server]:
    """Another server, which loads a copy of these files."""
    with tempfile.TemporaryDirectory(prefix="seatd-") as folder, one_server(Path(folder)) as server:
        server.kill()
        shutil.rmtree(server.folder / "appendonlydir")
        shutil.copytree(files / "appendonlydir", server.folder / "appendonlydir")
        server.start()
        yield server


def ended(trial: Trial, since: float) -> int:
    """How many connections servers have ended, other than at their client's wish."""
    return len([code for code in trial.ends_by_server(since) if code != 4300])


async def afterwards(trial: Trial, people: list[Person], before: dict[str, str], since: float) -> None:
    """Everybody goes on, nobody was disconnected."""
    await all_live(people, trial.times.linger)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
    trial.exactly("connections ended by servers", ended(trial, since), 0)
    trial.told("put back", put_back(trial.nodes))


async def _killed_and_started(trial: Trial, fsync: str) -> None:
    store = alone(trial, appendfsync=fsync)
    await trial.deploy(3, seats=2 * trial.size)
    people = await trial.crowd(trial.size // 2)
    churn = Churn(trial, trial.size // 4).start()
    writes = Writes(trial.store, 500).start(trial.history)
    await churn.until_come(trial.size // 2, 20)
    before, since = sessions_of(people), time.monotonic()
    await asyncio.to_thread(store.kill)
    files = files_of(store, "killed")
    await asyncio.sleep(trial.times.scaled(3))
    await asyncio.to_thread(store.start)
    started_s = time.monotonic() - since
    await churn.until_come(10, trial.times.recovery + 5)
    await writes.stop()
    await churn.stop()
    missing, halves = await asyncio.to_thread(_in_the_files, files, trial.company.name, before)
    trial.exactly("sessions missing in the files", missing, 0)
    trial.exactly("half scripts", halves, 0)
    trial.at_most("foreign writes lost", writes.acknowledged - int(store.ask("GET", Writes.KEY) or 0), 0)
    trial.told("foreign writes", writes.acknowledged)
    trial.at_most("new seats paused, s", longest_pause(trial, since), started_s + 2)
    trial.told("refused for, s", refused_for(trial, since))
    await afterwards(trial, people, before, since)


def _in_the_files(files: Path, customer: str, before: dict[str, str]) -> tuple[int, int]:
    """How many of these sessions are missing there, and how much does not fit together."""
    with loaded(files) as kept:
        return len(set(before.values()) - sessions_on(kept, customer)), len(broken(kept, customer))


SAME = "nothing acknowledged lost; nobody disconnected; new seats at most 2 s after it is back"


@fault("F08", "store killed and started again 3 s later, AOF always", SAME, seconds=40)
async def killed_always(trial: Trial) -> None:
    await _killed_and_started(trial, "always")


@fault("F09", "store killed and started again 3 s later, AOF everysec", SAME, seconds=40)
async def killed_everysec(trial: Trial) -> None:
    await _killed_and_started(trial, "everysec")


@fault(
    "F10",
    "power loss: the store killed, its AOF's tail cut at random places within the last second",
    "every one loads, without half a script; nobody disconnected, never above the limit",
    seconds=120,
)
async def power_loss(trial: Trial) -> None:
    store = alone(trial)
    await trial.deploy(2, seats=trial.size)
    people = await trial.crowd(trial.size // 2)
    churn = Churn(trial, trial.size // 2).start()
    await churn.until_come(trial.size, 30)
    early = tail_of(store).stat().st_size
    await asyncio.sleep(1.0)
    before, since = sessions_of(people), time.monotonic()
    await asyncio.to_thread(store.kill)
    files, tail = files_of(store, "whole"), tail_of(store)
    late, rng = tail.stat().st_size, random.Random(10)
    os.truncate(tail, rng.randint(early, late))
    await asyncio.to_thread(store.start)
    note_loss(trial)
    await trial.watch.follow(trial.store)
    await churn.until_come(10, trial.times.recovery + 5)
    await churn.stop()
    await afterwards(trial, people, before, since)
    trial.told("bytes of the last second", late - early)
    trial.told("new seats after, s", first_after(trial, since))
    tries = 200 if trial.times.scale == 1 else 20
    results = [await asyncio.to_thread(_cut, trial, files, rng.randint(early, late)) for _ in range(tries)]
    trial.exactly("loaded", sum(result is not None for result in results), tries)
    trial.exactly("with half a script", sum(bool(result) for result in results), 0)


def _cut(trial: Trial, files: Path, size: int) -> list[str] | None:
    """What is broken in a copy that was cut to this size; None when it does not load."""
    with tempfile.TemporaryDirectory(prefix="seatd-") as folder:
        copy = Path(folder) / "cut"
        shutil.copytree(files, copy)
        os.truncate(next((copy / "appendonlydir").glob("*.incr.aof")), size)
        try:
            with loaded(copy) as server:
                return broken(server, trial.company.name)
        except AssertionError:
            return None


@fault(
    "F11",
    "the store's data deleted while it is down",
    "at least 99.9 % of sessions go on; new seats at most R + 2 s after; nobody who was forced out comes back",
    seconds=120,
)
async def all_deleted(trial: Trial) -> None:
    store = alone(trial)
    nodes = await trial.deploy(2, seats=2 * trial.size)
    people = await trial.crowd(trial.size // 2)
    gone = trial.stubborn_person("gone")
    await gone.connect(nodes[0].clients)
    resume = gone.resume
    user = trial.company.user("gone")
    await nodes[1].call("POST", "/api/v1/logout", {"users": [user], "cooldown_s": 600})
    await gone.wait_closed(5)
    before, since = sessions_of(people), time.monotonic()
    await asyncio.to_thread(store.kill)
    shutil.rmtree(store.folder / "appendonlydir")
    await asyncio.to_thread(store.start)
    note_loss(trial)
    await trial.watch.follow(trial.store)
    churn = Churn(trial, trial.size // 4).start()
    await asyncio.sleep(2 * trial.times.renew)
    await imported_again(trial, 2 * trial.size)
    back = Stubborn(trial.history, trial.company, "gone")
    got_in = 0
    for _ in range(5):
        await back.connect(nodes[0].clients, resume=resume)
        got_in += back.welcome is not None
        back.drop()
        await asyncio.sleep(trial.times.recovery / 5)
    await churn.until_come(5, trial.times.recovery + 5)
    await churn.stop()
    trial.exactly("forced out and back", got_in, 0)
    trial.at_most("new seats after, s", first_after(trial, since), trial.times.recovery + 2 + 1)
    await afterwards(trial, people, before, since)


async def imported_again(trial: Trial, seats: int) -> None:
    """The customer's first key once more: the store has forgotten it, unless the nodes have told it."""
    trial.company._keys = itertools.count(1)
    await trial.company.licensed(f"CALL_CENTER:competitive:{seats}")


@fault(
    "F12",
    "AOF damaged in the middle: the store does not start (strict mode)",
    "no new seats; connections that stay are closed (4002) within T + C and a beat; back at most 5 s after the repair",
    seconds=120,
)
async def damaged(trial: Trial) -> None:
    store = alone(trial)
    a, *_ = await trial.deploy(2, seats=trial.size, SESSIONS_STRICT="true")
    stays = [trial.stubborn_person(f"s{n}") for n in range(5)]
    for person in stays:
        await person.connect(a.clients)
    people = await trial.crowd(trial.size // 2)
    await asyncio.sleep(1.2)
    since = time.monotonic()
    await asyncio.to_thread(store.kill)
    files, tail = files_of(store, "whole"), tail_of(store)
    content = tail.read_bytes()
    command = content.index(b"\r\n*", len(content) // 2) + 2  # within a value the engine would not notice
    tail.write_bytes(content[:command] + b"X" + content[command + 1 :])
    with contextlib.suppress(AssertionError):  # it has ended
        await asyncio.to_thread(store.start)
    trial.exactly("store serves damaged data", int(not await _ends(store)), 0)
    closed = [await person.wait_closed(trial.times.stop + trial.times.beat + 5) for person in stays]
    trial.exactly("closed", sum(closed), len(stays))
    trial.exactly("with store_lost (4002)", sum(person.code == 4002 for person in stays), len(stays))
    last_s = max((person.closed_at or since + 999) - since for person in stays)
    trial.at_most("last closed after, s", last_s, trial.times.stop + trial.times.beat + 1)
    answer = await trial.knock("early", a)
    trial.exactly("new seats meanwhile", int(isinstance(answer, Welcome)), 0)
    shutil.rmtree(store.folder / "appendonlydir")
    shutil.copytree(files / "appendonlydir", store.folder / "appendonlydir")
    await asyncio.to_thread(store.start)
    repaired_s = time.monotonic()
    churn = Churn(trial, 3).start()
    await churn.until_come(1, trial.times.recovery + 10)
    await churn.stop()
    trial.at_most("new seats after the repair, s", first_after(trial, repaired_s), 5.0)
    await all_live(people, trial.times.linger)
    trial.told("of the others, live", sum(person.live for person in people) / len(people))


async def _ends(store: Server) -> bool:
    until_s = time.monotonic() + 3
    while store.is_running and time.monotonic() < until_s:
        await asyncio.sleep(0.05)
    return not store.is_running


# -- a disk without room --------------------------------------------------------------------------


@fault(
    "F55",
    "a backup (RDB) that is one hour old restored; since then people have left and come",
    "never above the limit, no seat left behind; new seats at most R + 2 s after",
    seconds=120,
)
async def old_backup(trial: Trial) -> None:
    store = alone(trial, appendonly="no")
    await trial.deploy(2, seats=trial.size)
    early = await trial.crowd(trial.size // 2)
    store.ask("SAVE")
    backup = files_of(store, "backup") / "dump.rdb"
    await asyncio.gather(*(person.bye() for person in early[: trial.size // 4]))
    people = early[trial.size // 4 :] + await trial.crowd(trial.size // 2, prefix="late")
    before, since = sessions_of(people), time.monotonic()
    await asyncio.to_thread(store.kill)
    await asyncio.to_thread(_age, backup, store.folder / "dump.rdb")
    await asyncio.to_thread(store.start)
    note_loss(trial)
    await trial.watch.follow(trial.store)
    churn = Churn(trial, trial.size // 2).start()
    await churn.until_come(5, trial.times.recovery + 5)
    await asyncio.sleep(2 * trial.times.client)
    await churn.stop()
    trial.at_most("new seats after, s", first_after(trial, since), trial.times.recovery + 2 + 1)
    await afterwards(trial, people, before, since)


def _age(backup: Path, into: Path) -> None:
    """The same backup, as if it had been made an hour ago: all times of the ledger are that much earlier."""
    with one_server(appendonly="no") as side:
        side.kill()
        shutil.copy(backup, side.folder / "dump.rdb")
        side.start()
        with Redis(port=side.port, socket_timeout=10) as client:
            for partition in range(PARTITIONS):
                _age_partition(client, partition)
            client.save()
        shutil.copy(side.folder / "dump.rdb", into)


def _age_partition(client: Redis, partition: int) -> None:
    meta = partition_key("meta", partition)
    for field in ("clock_ms", "recover_until_ms"):
        value = client.hget(meta, field)
        if value:
            client.hset(meta, field, str(int(float(value)) - HOUR_MS))
    for name in ("nodes", "deadlines", "tombs", "cooldowns"):
        scores: Any = client.zrange(partition_key(name, partition), 0, -1, withscores=True)
        for member, score in scores:
            client.zadd(partition_key(name, partition), {member: score - HOUR_MS})
