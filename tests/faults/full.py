"""A store that has no room left: its disk is full, or its memory."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seatd_protocol.messages import Denied
from tests.faults.churn import Churn, Writes, first_after
from tests.faults.disks import afterwards, alone
from tests.faults.fault import fault
from tests.faults.nodes import sessions_of
from tests.faults.people import Person
from tests.faults.trial import Trial
from tests.faults.whole import broken
from tests.servers import Server as Node
from tests.topologies import Server


class SmallDisk:
    """A file system in memory. `fill` leaves no room, `clear` gives it back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Takes all the room that is left."""
        with open(self._filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * size) == size:
                        pass

    def clear(self) -> None:
        """There is room again."""
        self._filler.unlink()


class NoSmallDisk(Exception):
    """This machine does not let us mount one."""


@contextmanager
def small_disk(megabytes: int = 24) -> Iterator[SmallDisk]:
    """Mounts one. Raises `NoSmallDisk`: it takes the rights of root."""
    with tempfile.TemporaryDirectory(prefix="seatd-disk-") as folder:
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
        if subprocess.run(mounting, capture_output=True).returncode != 0:
            raise NoSmallDisk
        try:
            yield SmallDisk(Path(folder))
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


async def _on_small_disk(trial: Trial, fsync: str) -> tuple[Server, SmallDisk, list[Person]] | None:
    try:
        disk = trial.stand_on(small_disk())
    except NoSmallDisk:
        trial.remarks.append("not run: no small file system may be mounted here (it takes root)")
        return None
    store = alone(trial, disk.folder, appendfsync=fsync)
    await trial.deploy(2, seats=2 * trial.size)
    return store, disk, await trial.crowd(trial.size // 2)


@fault(
    "F13",
    "disk of the AOF full, everysec",
    "all sign-ins refused with one code, nobody disconnected; normal at most 2 s after there is room",
    seconds=40,
)
async def full_everysec(trial: Trial) -> None:
    made = await _on_small_disk(trial, "everysec")
    if made is None:
        return
    _, disk, people = made
    before, since = sessions_of(people), time.monotonic()
    await asyncio.to_thread(disk.fill)
    churn = Churn(trial, trial.size // 4).start()
    await _until_refused(trial, trial.nodes[0])
    full_s = time.monotonic()
    await asyncio.sleep(trial.times.scaled(15))
    codes = {
        event.value["code"] for event in trial.history.of("hello", type_="fail") if event.t > full_s + 0.5
    }
    served = [event for event in trial.history.of("hello") if event.t > full_s + 0.5]
    room_s = time.monotonic()
    await asyncio.to_thread(disk.clear)
    await churn.until_come(5, 30)
    await churn.stop()
    trial.exactly("sign-ins while it was full", len(served), 0)
    trial.exactly("codes", len(codes), 1)
    trial.remarks.append(f"refused as {', '.join(sorted(codes))}")
    trial.at_most("normal after, s", first_after(trial, room_s), 2.0)
    await afterwards(trial, people, before, since)


async def _until_refused(trial: Trial, node: Node) -> None:
    until_s, turn = time.monotonic() + 20, 0
    while time.monotonic() < until_s:
        turn += 1
        if isinstance(await trial.knock(f"probe{turn}", node), Denied):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the store goes on writing to a full disk")


@fault(
    "F14",
    "disk of the AOF full, always: the store ends itself",
    "as F08 after it starts again",
    seconds=40,
)
async def full_always(trial: Trial) -> None:
    made = await _on_small_disk(trial, "always")
    if made is None:
        return
    store, disk, people = made
    before, since = sessions_of(people), time.monotonic()
    await asyncio.to_thread(disk.fill)
    churn = Churn(trial, trial.size // 4).start()
    writes = Writes(trial.store, 500).start(trial.history)
    until_s = time.monotonic() + 20
    while store.is_running and time.monotonic() < until_s:
        await asyncio.sleep(0.02)
    trial.exactly("store has ended itself", int(not store.is_running), 1)
    await asyncio.to_thread(disk.clear)
    if not store.is_running:
        await asyncio.to_thread(store.start)
    started_s = time.monotonic()
    await churn.until_come(10, trial.times.recovery + 5)
    await writes.stop()
    await churn.stop()
    trial.at_most("foreign writes lost", writes.acknowledged - int(store.ask("GET", Writes.KEY) or 0), 0)
    trial.at_most("new seats after, s", first_after(trial, started_s), 2.0)
    trial.exactly("half scripts", len(broken(store, trial.company.name)), 0)
    await afterwards(trial, people, before, since)


@fault(
    "F15",
    "maxmemory reached while people come and go",
    "every sign-in refused with one code before its first write: no half script; normal at most 2 s after there is room",
    seconds=40,
)
async def no_memory(trial: Trial) -> None:
    store = alone(trial)
    await trial.deploy(2, seats=2 * trial.size)
    people = await trial.crowd(trial.size // 2)
    churn = Churn(trial, trial.size // 2).start()
    await churn.until_come(trial.size // 2, 20)
    before, since, halves = sessions_of(people), time.monotonic(), 0
    await asyncio.to_thread(store.ask, "CONFIG", "SET", "maxmemory", "1mb")
    full_s = time.monotonic()
    while time.monotonic() < full_s + trial.times.scaled(20):
        halves += len(await asyncio.to_thread(broken, store, trial.company.name))
        await asyncio.sleep(0.2)
    served = [event for event in trial.history.of("hello") if full_s + 0.3 < event.t]
    codes = {event.value["code"] for event in trial.history.of("hello", type_="fail") if event.t > full_s}
    refused = int(store.client.info("errorstats").get("errorstat_OOM", {}).get("count", 0))
    room_s = time.monotonic()
    await asyncio.to_thread(store.ask, "CONFIG", "SET", "maxmemory", "0")
    await churn.until_come(5, 30)
    await churn.stop()
    trial.exactly("half scripts", halves, 0)
    trial.told("scripts refused", refused)
    trial.exactly("sign-ins while it was full", len(served), 0)
    trial.exactly("codes", len(codes), 1)
    trial.remarks.append(f"refused as {', '.join(sorted(codes))}")
    trial.at_most("normal after, s", first_after(trial, room_s), 2.0)
    await afterwards(trial, people, before, since)


# -- backups --------------------------------------------------------------------------------------
