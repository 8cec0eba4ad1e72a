"""`seatd serve --workers 2`: two nodes behind one address, and a supervisor that they never outlive."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as families

from seatd.node_series import STORE_WIDE
from seatd_protocol.messages import Denied, Moving, Welcome
from tests.engine import private_engine
from tests.scenarios.client import Client, Closed
from tests.scenarios.company import Company
from tests.servers import READY_S, Server, Servers, eventually
from tests.test_app import is_running

NODES = {"a-1", "a-2"}
SEATS, MANY = 40, 60
"""Connections: that the kernel sends even half of the seats' to the same of two workers does not happen."""
Scraped = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Starts servers of the test's own."""
    with Servers() as own:
        yield own


@pytest.fixture
def server(servers: Servers) -> Server:
    """A server of two workers."""
    return servers.start("a", NODE_WORKERS="2")


@pytest.fixture(scope="module")
def unharmed() -> Iterator[Server]:
    """Another one, for all tests that leave it as it is."""
    with Servers() as own:
        yield own.start("a", NODE_WORKERS="2")


def children(server: Server) -> dict[str, int]:
    """The processes that the supervisor has started and that run: workers by their names, the engine as `engine`."""
    found: dict[str, int] = {}
    for listed in Path(f"/proc/{server.process.pid}/task").glob("*/children"):
        for pid in map(int, listed.read_text().split()):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            if is_running(pid):
                found[words[-2] if "seatd.workers" in words else "engine"] = pid
    return found


async def crowd(company: Company, server: Server, number: int, name: str = "p") -> list[Client]:
    """So many people of whom each has had his answer."""
    people = (company.sign_in(server, f"{name}{one}", "CALL_CENTER") for one in range(number))
    return await asyncio.gather(*people)


async def scrape(server: Server, accept: str = "") -> Scraped:
    """All series, each of which must be there once; each family too."""
    async with (
        aiohttp.ClientSession(headers={"Accept": accept}) as http,
        http.get(f"http://{server.admin}/metrics") as page,
    ):
        text = await page.text()
    heads = Counter(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    assert set(heads.values()) == {1}, heads
    parse = openmetrics_families if "openmetrics" in accept else families
    samples = [sample for family in parse(text) for sample in family.samples]
    series = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(series) == len(samples)
    return series


def by_node(series: Scraped, name: str) -> dict[str, float]:
    """The values of a metric, added up for each node."""
    found: Counter[str] = Counter()
    for (one, labels), value in series.items():
        if one == name:
            found[dict(labels)["node"]] += int(value)
    return dict(found)


async def page(server: Server, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.get(f"http://{server.admin}{path}") as answer:
        return answer.status, await answer.text()


async def ended(processes: dict[str, int]) -> None:
    await eventually(lambda: not any(map(is_running, processes.values())))


# -- two nodes, one server ------------------------------------------------------------------------


async def test_both_get_clients_and_one_limit_holds(unharmed: Server) -> None:
    server = unharmed
    company = Company(server)
    (license_id,) = await company.licensed(f"CALL_CENTER:competitive:{SEATS}")
    people = await crowd(company, server, SEATS // 2)
    people += await crowd(company, server, MANY, "q")  # a race, which one of the two may win altogether
    seated = [person for person in people if isinstance(person.first, Welcome)]
    denied = [person for person in people if isinstance(person.first, Denied)]
    assert (len(seated), len(denied)) == (SEATS, MANY - SEATS // 2)
    assert {person.denied.code for person in denied} == {"no_seat"}
    assert await company.used() == SEATS
    rows = await company.sessions()
    assert {row["node"] for row in rows} == NODES

    for accept in ("", "application/openmetrics-text"):
        series = await scrape(server, accept)
        opened = by_node(series, "seatd_sessions_opened_total")
        assert opened == Counter(row["node"] for row in rows)
        assert sum(by_node(series, "seatd_denials_total").values()) == len(denied)
        assert set(by_node(series, "process_start_time_seconds")) == NODES
        assert by_node(series, "seatd_store_up") == dict.fromkeys(NODES, 1)
        labels = {"customer": company.name, "license": license_id, "product": "CALL_CENTER"}
        assert series["seatd_seats_used", frozenset(labels.items())] == SEATS
        for name, given in series:
            assert ("node" in dict(given)) == (name not in STORE_WIDE), name
    company.leave()


async def test_one_answers_for_both(unharmed: Server) -> None:
    server = unharmed
    for _ in range(8):  # whoever is asked
        assert await page(server, "/livez") == (200, "ok\n")
        assert await page(server, "/readyz") == (200, "ok\n")
        status, text = await page(server, "/readyz?verbose")
        assert status == 200
        assert [line.split()[:3] for line in text.splitlines()[:-1]] == [
            ["[+]", node, check]
            for node in sorted(NODES)
            for check in ("draining", "store", "wakeups", "capacity")
        ]
    state = json.loads((server.folder / "seatd.json").read_text())
    assert (state["node"], state["pid"]) == ("a", server.process.pid)
    sockets = [server.folder / f"worker-{number}.sock" for number in (1, 2)]
    assert not any(place.stat().st_mode & 0o077 for place in sockets)


async def test_a_stranger_gets_no_port_that_is_shared(servers: Servers, unharmed: Server) -> None:
    places = {"CLIENTS_LISTEN": unharmed.clients, "ADMIN_LISTEN": unharmed.admin}
    others = {
        servers.launch(f"{listener}{workers}", NODE_WORKERS=workers, **{listener: place}): place
        for listener, place in places.items()
        for workers in ("1", "2")
    }
    for other, place in others.items():
        assert await asyncio.to_thread(other.process.wait, READY_S) == 1
        assert f"seatd: cannot listen on {place}: Address already in use\n" in other.said


# -- workers that end -----------------------------------------------------------------------------


async def test_a_killed_worker_costs_no_seat_and_comes_back(server: Server) -> None:
    company = Company(server)
    await company.licensed(f"CALL_CENTER:competitive:{MANY}")
    people = await crowd(company, server, MANY)
    before, series = children(server), await scrape(server)
    victims = [person for person in people if person.welcome.node == "a-2"]
    assert 0 < len(victims) < MANY
    os.kill(before["a-2"], signal.SIGKILL)
    for person in victims:
        assert await person.recv() == Closed(1006)
    back = await asyncio.gather(*(again(company, server, people.index(person), person) for person in victims))
    for now, then in zip(back, victims, strict=True):
        assert now.welcome.resumed
        assert (now.welcome.session, now.seats) == (then.welcome.session, then.seats)
    assert await company.used() == MANY

    await eventually(lambda: "a worker serves again" in server.said)
    after = children(server)
    assert after["a-2"] != before["a-2"]
    assert {name: pid for name, pid in after.items() if name != "a-2"} == {
        name: pid for name, pid in before.items() if name != "a-2"
    }
    opened, now_opened = (
        by_node(one, "seatd_sessions_opened_total") for one in (series, await scrape(server))
    )
    assert now_opened["a-1"] == opened["a-1"]
    assert now_opened.get("a-2", 0) == 0  # as of any process that was started again
    assert not any(person.unread for person in people if person not in victims)
    company.leave()


async def again(company: Company, server: Server, number: int, person: Client) -> Client:
    """The same person comes back; the kernel may still have sent the first attempt to the dead worker."""
    while True:
        try:
            return await company.sign_in(server, f"p{number}", "CALL_CENTER", resume=person.resume)
        except (ConnectionError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.01)


async def test_a_worker_that_is_stopped_sends_its_clients_to_the_other(server: Server) -> None:
    company = Company(server)
    await company.licensed(f"CALL_CENTER:competitive:{MANY}")
    people = await crowd(company, server, 20)
    moved = [person for person in people if person.welcome.node == "a-1"]
    before = children(server)
    os.kill(before["a-1"], signal.SIGTERM)
    os.kill(before["a-1"], signal.SIGTERM)  # systemd and the supervisor may both say it
    for person in moved:
        assert isinstance(await person.recv(), Moving)
        assert await person.closed() == 4000
    await eventually(lambda: "a worker serves again" in server.said)
    assert '"code": 0' in server.said
    assert children(server).keys() == before.keys()
    assert not any(person.unread for person in people if person not in moved)
    company.leave()


async def test_the_store_outlives_its_workers_and_is_started_again_itself(server: Server) -> None:
    company = Company(server)
    await company.licensed("CALL_CENTER:competitive:5")
    before = children(server)
    for name in NODES:
        os.kill(before[name], signal.SIGKILL)
    await eventually(lambda: server.said.count("a worker serves again") == 2)
    assert children(server)["engine"] == before["engine"]
    assert isinstance((await company.sign_in(server, "ann", "CALL_CENTER")).first, Welcome)
    os.kill(before["engine"], signal.SIGKILL)
    await eventually(lambda: "the embedded store serves again" in server.said)
    await eventually(lambda: is_used(company, 1))
    company.leave()


async def is_used(company: Company, seats: int) -> bool:
    try:
        return await company.used() == seats
    except AssertionError:  # the store is not back yet
        return False


# -- the end --------------------------------------------------------------------------------------


async def test_it_is_announced_once_and_ends_in_order(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(tmp_path / "notify"))
        notices.settimeout(READY_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        server = servers.start("a", NODE_WORKERS="2")
        ready = f"seatd ready clients={server.clients} admin={server.admin} node=a"
        assert [line for line in server.said.splitlines() if line.startswith("seatd ready")] == [ready]
        company = Company(server)
        await company.licensed("CALL_CENTER:competitive:20")
        people = await crowd(company, server, 20)
        processes = children(server)
        assert processes.keys() == NODES | {"engine"}

        server.process.send_signal(signal.SIGTERM)
        for person in people:
            assert isinstance(await person.recv(), Moving)
            assert await person.closed() == 4000
        assert await asyncio.to_thread(server.process.wait, READY_S) == 0
        assert not any(map(is_running, processes.values()))
        assert [notices.recv(100) for _ in range(2)] == [b"READY=1", b"STOPPING=1"]
        notices.setblocking(False)
        with pytest.raises(BlockingIOError):
            notices.recv(100)
    assert not [*server.folder.glob("*.sock"), *server.folder.glob("seatd.json")]

    server.launch()  # nothing was lost, which the supervisor knows: new seats need not wait
    await asyncio.to_thread(server.wait_ready)
    company.leave()
    newcomer = await company.sign_in(server, "p0", "CALL_CENTER")
    assert isinstance(newcomer.first, Welcome), newcomer.first
    company.leave()


@pytest.mark.parametrize("end", ["killed", "told twice"])
async def test_nothing_outlives_the_supervisor(server: Server, end: str) -> None:
    company = Company(server)
    await company.licensed("CALL_CENTER:competitive:20")
    people = await crowd(company, server, 4)
    processes = children(server)
    for person in people:
        person.alive = False
    os.kill(processes["a-1"], signal.SIGSTOP)  # one that hangs, too
    if end == "killed":
        server.kill()
    else:
        server.process.send_signal(signal.SIGTERM)
        await eventually(lambda: "stopping" in server.said)
        assert server.stop(signal.SIGTERM) == 1
    await ended(processes)
    for person in people:
        person.drop()
    server.relaunch()
    await asyncio.to_thread(server.wait_ready)
    assert children(server).keys() == processes.keys()


# -- what keeps it from starting ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"LICENSES_TRUST": "/nowhere/vendor.pem"}, r".*/nowhere/vendor\.pem.*"),
        ({"CLIENTS_TLS_CERT": "/nowhere/c.pem", "CLIENTS_TLS_KEY": "/nowhere/k.pem"}, r".*No such file.*"),
        (
            {"STORE_URL": "unix:///nowhere/store.sock"},
            r"the store at unix:///nowhere/store\.sock does not .*",
        ),
        ({"CLIENTS_LISTEN": "192.0.2.1:0"}, r"cannot listen on 192\.0\.2\.1:0: Cannot assign .*"),
    ],
    ids=["trust", "tls", "store", "address"],
)
def test_what_keeps_it_from_starting_is_told_once(
    servers: Servers, settings: dict[str, str], why: str
) -> None:
    server = servers.launch("a", NODE_WORKERS="2", **settings)
    assert server.process.wait(READY_S) == 1
    told = [line for line in server.said.splitlines() if not line.startswith("{")]
    assert len(told) == 1, server.said
    assert re.fullmatch(f"seatd: {why}", told[0]), told
    assert not [*server.folder.glob("*.sock"), *server.folder.glob("seatd.json")]


async def test_a_data_folder_has_one_owner_also_with_a_store_elsewhere(servers: Servers) -> None:
    with private_engine() as engine:
        one = servers.start("a", store=engine.url, NODE_WORKERS="2")
        two = servers.launch("b", store=engine.url, folder=one.folder, NODE_WORKERS="2")
        assert await asyncio.to_thread(two.process.wait, READY_S) == 1
        assert re.search(r"^seatd: the data folder \S+ is in use by process \d+: ", two.said, re.MULTILINE)
        assert children(one).keys() == NODES
        assert one.stop() == 0
