"""The store's own clock: it jumps, or runs at double speed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from pathlib import Path

from redis import Redis

from seatd_protocol.messages import Denied
from tests.engine import tested_engine
from tests.faults.churn import Churn, first_after
from tests.faults.fault import fault
from tests.faults.nodes import sessions_of
from tests.faults.pair import one_server
from tests.faults.people import all_live
from tests.faults.trial import Trial, share
from tests.topologies import Server

SOURCE = Path(__file__).parent / "inside" / "clock.c"
HOUR_S = 3600.0


class MovedClock:
    """The wall clock of an engine that was started with it."""

    def __init__(self, store: Server, file: Path) -> None:
        self.store = store
        self._file = file

    def jump(self, seconds: float) -> None:
        """From now on it shows so much more than the true time."""
        self._say(seconds, 1.0)

    def run(self, rate: float) -> None:
        """From now on it runs at this rate."""
        self._say(0.0, rate)

    def _say(self, offset_s: float, rate: float) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset_s} {rate} {time.time()}")
        new.rename(self._file)


def moved_clock(trial: Trial) -> MovedClock | None:
    """An engine whose clock can be moved as the trial's store; None, with a remark, where that cannot be had."""
    compiler = shutil.which("cc")
    if compiler is None:
        trial.remarks.append("not run: it takes a C compiler, for a library that moves the engine's clock")
        return None
    folder = trial.engine.socket.parent
    library, file = folder / "clock.so", folder / "engine-clock"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True, capture_output=True
    )
    environ = {"LD_PRELOAD": str(library), "FAULTY_CLOCK": str(file)}
    os.environ.update(environ)
    try:
        store = trial.stand_on(one_server())
    finally:
        for name in environ:
            del os.environ[name]
    trial.store = f"redis://{store.address}"
    made = MovedClock(store, file)
    made.jump(1000.0)
    with Redis(port=store.port) as client:
        seconds, _ = client.time()
    made.jump(0.0)
    if abs(seconds - time.time() - 1000) > 5:
        trial.remarks.append(f"not run: {tested_engine()} does not take its time from the C library")
        return None
    return made


@fault(
    "F44",
    "the store's clock jumps an hour ahead, then two back",
    "nobody's seat is freed, nobody disconnected; a seat that was let go of is free G + 10 s later",
    seconds=120,
)
async def store_clock_jumps(trial: Trial) -> None:
    clock = moved_clock(trial)
    if clock is None:
        return
    a, b = await trial.deploy(2)
    people = await trial.crowd()
    before, began_s = sessions_of(people), time.monotonic()
    for offset_s in (HOUR_S, -HOUR_S, 0.0):
        vanished = people.pop()
        before.pop(vanished.proc)
        session = vanished.session
        clock.jump(offset_s)
        await vanished.vanish()
        since = time.monotonic()
        answer = await trial.knock(f"early{offset_s:g}", b)
        trial.exactly(f"strangers let in at {offset_s:+g} s", int(not isinstance(answer, Denied)), 0)
        freed = await trial.freed_s([session], since, trial.times.free + 20)
        trial.at_most(
            f"seat of who vanished at {offset_s:+g} s free after, s", share(freed, 1), trial.times.linger + 10
        )
        people += await trial.crowd(1, prefix=f"instead{offset_s:g}")
        before |= sessions_of(people[-1:])
    await all_live(people, trial.times.linger)
    trial.exactly("leases lapsed", sum(node.said.count("lease had lapsed") for node in (a, b)), 0)
    ends = [code for code in trial.ends_by_server(began_s) if code != 4300]
    trial.exactly("connections ended by servers", len(ends), 0)
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)


@fault(
    "F45",
    "the store's clock runs at double speed for 60 s",
    "an alarm at most 15 s later; never above the limit",
    seconds=100,
)
async def store_clock_runs_away(trial: Trial) -> None:
    clock = moved_clock(trial)
    if clock is None:
        return
    nodes = await trial.deploy(2, seats=trial.size)
    people = await trial.crowd(trial.size // 2)
    churn = Churn(trial, trial.size // 2 + 5).start()
    before = sessions_of(people)
    clock.run(2.0)
    since, alarm_s = time.monotonic(), 0.0
    while time.monotonic() < since + max(20.0, trial.times.scaled(60)):
        if not alarm_s and all("clock does not run" in node.said for node in nodes):
            alarm_s = time.monotonic() - since
        await asyncio.sleep(0.2)
    clock.run(1.0)
    right_s = time.monotonic()
    await churn.until_come(5, 20)
    await churn.stop()
    await all_live(people, trial.times.linger)
    trial.at_most("alarm after, s", alarm_s or float("inf"), 15.0)
    trial.told("sign-ins", churn.came)
    trial.told("new seats after it ran right, s", first_after(trial, right_s))
    trial.exactly("sessions kept", trial.kept(people, before), 1.0)
