"""What others notice while somebody asks for as much as he is let. The flood comes from a process of its own."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from seatd_protocol.messages import Acquire, Granted
from tests.attacks.attack import attack
from tests.attacks.operators import counted
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.servers import Server, Servers

pytestmark = pytest.mark.alone  # how long others wait is compared
REQUEST = Acquire(ref=1, products=("CALL_CENTER",))


@contextmanager
def noise(kind: str, node: Server, company: Company, sockets: int) -> Iterator[None]:
    """While inside, so many sockets of a customer make noise (`tests.attacks.noise`)."""
    command = [sys.executable, "-m", "tests.attacks.noise", kind, node.clients]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write("\n".join(company.token(f"noisy-{number}") for number in range(sockets)))
        process.stdin.close()
        try:
            yield
        finally:
            process.kill()


async def asks(client: Client) -> float:
    """Seconds until a request is answered."""
    begin_s = time.perf_counter()
    await client.say(REQUEST)
    assert isinstance(await client.until(Granted), Granted)
    return time.perf_counter() - begin_s


async def medians_s(*clients: Client) -> list[float]:
    """What half of each one's requests take at the most."""
    took_s: list[list[float]] = [[] for _ in clients]
    for _ in range(30):
        for client, took in zip(clients, took_s, strict=True):
            took.append(await asks(client))
        await asyncio.sleep(0.06)
    return [statistics.median(took) for took in took_s]


@attack(
    "S29",
    "floods of messages, ten thousand a second, from sockets that come back whenever they are closed",
    "4104 `rate_limited` for each socket beyond 40 at once and 20 a second; the seats and sessions of others go on, and "
    "each of their requests is answered",
    left="others wait longer meanwhile: sign-ins are work. From one address no more than 50 a second are taken in the long "
    "run (S12)",
)
async def test_s29_a_flood_of_messages(servers: Servers) -> None:
    node = servers.start("a")
    quiet, noisy = Company(node), Company(node)
    await quiet.licensed("CALL_CENTER:competitive:5")
    await noisy.licensed("CALL_CENTER:competitive:5")
    ann = await quiet.sign_in(node, "ann", "CALL_CENTER")
    series = 'seatd_sessions_closed_total{code="rate_limited"}'
    with noise("messages", node, noisy, 5):
        while await counted(node, series) < 3:
            await asks(ann)
            await asyncio.sleep(0.06)
    assert ann.heard_nothing()
    quiet.leave()


@attack(
    "S51",
    "one customer asks for nine tenths of all that is asked, by hundreds of sockets just below their limit",
    "of a customer that shares a node 4 requests are under way at once, its further ones wait and are not even read: those of "
    "others do not wait behind them. In the test the other customer is answered in less than two thirds of the time of "
    "the noisy one",
    left="customers share a node's CPU and the store's: a flood that takes all of a node's core slows everybody on it. "
    "Measured with 1,000 requests a second of the noisy one (`./dev bench --only fairness`, two cores, three runs): p99 of "
    "the other customer was 1.18, 0.92 and 1.70 times what it is without them. Give a customer that needs more nodes of its "
    "own, or lower `sessions.messages_per_s`",
)
async def test_s51_a_noisy_customer(servers: Servers) -> None:
    """The probes of both take turns, so that a busy machine is so for both; a fast one needs more noise."""
    node = servers.start("a")
    quiet, noisy = Company(node), Company(node)
    await quiet.licensed("CALL_CENTER:competitive:5")
    await noisy.licensed("CALL_CENTER:competitive:5")
    ann = await quiet.sign_in(node, "ann", "CALL_CENTER")
    nick = await noisy.sign_in(node, "nick", "CALL_CENTER")
    _, calm_s = await medians_s(ann, nick)
    for sockets in (50, 150, 450):
        with noise("requests", node, noisy, sockets):
            while await counted(node, 'seatd_sessions{device="desktop",state="attached"}') < sockets * 0.8:
                await asyncio.sleep(0.05)
            quiet_s, noisy_s = await medians_s(ann, nick)
        if noisy_s > 4 * calm_s:
            break
    assert quiet_s < noisy_s / 1.5
    for company in (quiet, noisy):
        company.leave()
