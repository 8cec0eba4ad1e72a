"""A node loses all its connections and everybody comes back at once, more than it takes at a time: all find their sessions.

The large one, with 10,000 clients, is `seatd-loadtest reconnect --clients 10000 --no-limits`.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from functools import partial

from seatd_protocol.backoff import Backoff
from seatd_protocol.codec import CODECS
from seatd_protocol.codes import Action
from seatd_protocol.messages import Welcome
from tests.engine import private_engine
from tests.faults.proxy import Proxy
from tests.scenarios.client import Client
from tests.scenarios.company import Company
from tests.scenarios.test_overload import told
from tests.scenarios.test_slow import total
from tests.scenarios.test_store_trouble import started
from tests.scenarios.websocket import Refusal, upgrade
from tests.servers import Servers

CROWD, HELLOS = 300, 30
SLOW_S = 0.1


async def signed_in(company: Company) -> list[Client]:
    """Everybody, a few at a time."""
    gate = asyncio.Semaphore(HELLOS // 2)

    async def comes(number: int) -> Client:
        async with gate:
            return await company.sign_in(company.nodes[0], f"user{number}", "CALL_CENTER")

    return await asyncio.gather(*(comes(number) for number in range(CROWD)))


async def comes_back(company: Company, number: int, before: Client, answers: Counter[str]) -> Client:
    """Tries as the contract says until it is there; what it is told is counted."""
    backoff = Backoff(random.random)
    hello = company.hello(f"user{number}", "CALL_CENTER", resume=before.resume)
    while True:
        asked_s, socket = 0.0, await upgrade(company.nodes[0].clients)
        if isinstance(socket, Refusal):
            answers[f"HTTP {socket.status}"] += 1
            asked_s = float(socket.headers["retry-after"])
        else:
            client = await Client(socket, CODECS["seatd.v1.msgpack"]).sign_in(hello)
            answers[told(client)] += 1
            if isinstance(client.first, Welcome):
                return client
        wait_s = backoff.delay_s(Action.RECONNECT, linger_s=before.welcome.linger_s)
        await asyncio.sleep(max(wait_s or 0.0, asked_s))


async def test_all_come_back_to_their_seats_and_nobody_is_denied() -> None:
    with private_engine() as engine:
        async with Proxy(f"unix://{engine.socket}") as proxy:
            with Servers() as servers:
                store = f"redis://{proxy.address}"
                # Kept for longer than usual: how fast this machine is says nothing about who is denied.
                patient = {"SESSIONS_LINGER": "3m", "CLIENTS_MAX_HELLOS": str(HELLOS)}
                node = await started(servers, "n", store=store, **patient)
                company = Company(node)
                await company.licensed(f"CALL_CENTER:competitive:{CROWD}")
                people = await signed_in(company)
                proxy.delay(SLOW_S)
                for person in people:
                    person.drop()
                answers = Counter[str]()
                coming = partial(comes_back, company, answers=answers)
                back = await asyncio.gather(*(coming(n, person) for n, person in enumerate(people)))
                assert all(client.welcome.resumed for client in back)
                assert [client.welcome.session for client in back] == [
                    person.welcome.session for person in people
                ]
                assert [client.seats for client in back] == [person.seats for person in people]
                sent_away = answers["HTTP 503"] + answers["closed 4100"]
                assert answers == Counter(
                    {"welcome": CROWD, "HTTP 503": answers["HTTP 503"], "closed 4100": answers["closed 4100"]}
                )
                assert sent_away > 0
                assert await total(node, 'seatd_shed_total{reason="hellos"}') > 0
                assert await company.used() == CROWD
                for client in back:
                    client.drop()
                company.leave()
                assert await asyncio.to_thread(node.stop) == 0
