"""Two versions side by side on one store, as in every upgrade that does not stop the service."""

from __future__ import annotations

import asyncio
import io
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from seatd_protocol.messages import Denied
from tests.faults.clients import roams
from tests.faults.environ import environ
from tests.faults.fault import NotRun, fault
from tests.faults.nodes import sessions_of
from tests.faults.people import Person, all_live
from tests.faults.queue_faults import in_line, served_at
from tests.faults.trial import Trial, share
from tests.servers import NEVER, Server

OLD = "d734c7b"
"""The revision of this repository that stands for the older version."""
ROOT = Path(__file__).parents[2]
COOLDOWN_S = 600
ERROR = re.compile(f'{NEVER.pattern}|"level": ?"(error|critical)"')
IN_ORDER = {4000, 4300, 4301, 4302}
"""Moving, no seat, replaced, forced out: what a server may end a connection with here."""


def older(trial: Trial) -> dict[str, str]:
    """Unpacks the older version; with these variables a node is one of it. Raises NotRun where it cannot be had."""
    folder = trial.engine.socket.parent / "older"
    try:
        packed = subprocess.run(
            ["git", "archive", "--format=zip", OLD], cwd=ROOT, capture_output=True, check=True
        ).stdout
    except OSError:
        raise NotRun("there is no git here to take the older version from") from None
    except subprocess.CalledProcessError as error:
        raise NotRun(f"git has no revision {OLD} here: {error.stderr.decode().strip()[:100]}") from None
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(folder)
    variables = {"PYTHONPATH": f"{folder}:{folder / 'protocol'}"}
    with environ(**variables):
        ask = [
            sys.executable,
            "-c",
            "import seatd.app, seatd_protocol; print(seatd.app.__file__, seatd_protocol.__file__)",
        ]
        used = subprocess.run(ask, cwd=folder.parent, capture_output=True, text=True, check=True).stdout
    assert all(path.startswith(str(folder)) for path in used.split()), used
    return variables


@fault(
    "F54",
    f"two versions side by side ({OLD} and this one): sessions roam, are forced out and wait across both, the old one is "
    "killed; then a rolling upgrade",
    "no protocol error, no error in the logs; forced logouts told at most 2 s later; the queue in order; no session lost",
    seconds=100,
)
async def two_versions(trial: Trial) -> None:
    variables, some = older(trial), min(20, trial.size // 5)
    with environ(**variables):
        old, *_ = await trial.deploy(1, seats=trial.size)
    new = await trial.start("b")
    began_s = time.monotonic()
    people = await trial.crowd(trial.size - 2 * some)
    before = sessions_of(people)
    await _roam(trial, [old, new], some)
    await _force_out(trial, old, new, some)
    await _wait(trial, old, new, some)
    await _killed(trial, old, people, variables)
    trial.exactly("sessions kept, the old one killed", trial.kept(people, before), 1.0)
    logs = [old.said]
    await _upgraded(trial, old, people)
    trial.exactly("sessions kept, the old one replaced", trial.kept(people, before), 1.0)
    answers = [await trial.knock(f"late{n}", node) for n, node in enumerate((old, new))]
    trial.exactly("newcomers let in where none fits", sum(not isinstance(a, Denied) for a in answers), 0)
    wrong = [code for code in trial.ends_by_server(began_s) if code not in IN_ORDER]
    trial.exactly("connections ended for another reason than these", len(wrong), 0)
    logs += [node.said for node in trial.nodes]
    trial.exactly("errors in logs", sum(len(ERROR.findall(log)) for log in logs), 0)


async def _roam(trial: Trial, nodes: list[Server], number: int) -> None:
    """From one version to the other and back, with the session; all end at the new one."""
    people = [trial.stubborn_person(f"m{n}") for n in range(number)]
    turns = 21 if trial.times.scale == 1 else 7
    took = await asyncio.gather(
        *(roams(person, nodes, turns, pause_s=0.3, late_s=n / number) for n, person in enumerate(people))
    )
    every = sorted(seconds for person in took for seconds in person)
    trial.exactly("take-overs", len(every), number * turns)
    trial.told("p99 of a take-over, s", share(every, 0.99))


async def _force_out(trial: Trial, old: Server, new: Server, number: int) -> None:
    """At the old one who is at the new one, and the other way round; they stay out at both."""
    took, receipts, let_in = [], 0, 0
    for n in range(number):
        person = trial.stubborn_person(f"k{n}")
        here, there = (old, new) if n % 2 else (new, old)
        await person.connect(here.clients)
        user, asked_s = trial.company.user(person.name), time.monotonic()
        trial.note_kick("invoke", user, COOLDOWN_S, ())
        body = {"users": [user], "cooldown_s": COOLDOWN_S}
        answer = await there.call("POST", "/api/v1/logout", body)
        trial.note_kick("ok", user, COOLDOWN_S, [receipt["session"] for receipt in answer["sessions"]])
        receipts += sum(receipt["outcome"] == "acknowledged" for receipt in answer["sessions"])
        await person.wait_closed(5)
        took.append((person.logout_at or asked_s + 99) - asked_s)
        for node in (old, new):
            await person.connect(node.clients)
            let_in += person.denied is None or person.denied.code != "cooldown"
    trial.exactly("forced logouts acknowledged across versions", receipts, number)
    trial.at_most("last told after, s", max(took), 2.0)
    trial.exactly("let in again", let_in, 0)


async def _wait(trial: Trial, old: Server, new: Server, number: int) -> None:
    """People wait at both, others leave both: who came first is served first."""
    holders = await trial.crowd(number, prefix="f")
    waiting = await in_line(trial, number, old.clients, new.clients)
    for place, person in enumerate(holders, 1):
        await person.bye()
        give_up_s = time.monotonic() + 5
        while len(served_at(trial, waiting)) < place and time.monotonic() < give_up_s:
            await asyncio.sleep(0.01)
    at = served_at(trial, waiting)
    turns = sorted(at, key=lambda proc: at[proc])
    trial.exactly("served from the queue", len(turns), number)
    trial.exactly(
        "out of turn", sum(proc != person.proc for proc, person in zip(turns, waiting, strict=False)), 0
    )


async def _killed(trial: Trial, old: Server, people: list[Person], variables: dict[str, str]) -> None:
    """SIGKILL: its clients go on at the other version; it comes back."""
    old.kill()
    await asyncio.sleep(1)
    await all_live(people, trial.times.linger)
    with environ(**variables):
        old.relaunch()
    await trial.ready(old)


async def _upgraded(trial: Trial, old: Server, people: list[Person]) -> None:
    """Ends in order, and starts again as this version, where half of the clients go in turn."""
    old.process.send_signal(signal.SIGTERM)
    await trial.ended(old, 20)
    old.relaunch()
    await trial.ready(old)
    await all_live(people, trial.times.linger)
