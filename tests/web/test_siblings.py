"""A worker asks the others: what they answer, that one is not there, that one hangs, and what health makes of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from seatd.web.health import OWN_CHECKS
from seatd.web.services import Services
from seatd.web.siblings import ALONE, Siblings, Silence
from tests.web.conftest import Site

PATIENCE_S = 0.5


@pytest.fixture
async def siblings(tmp_path: Path) -> AsyncIterator[Siblings]:
    """Of n1: n2 answers, n3 is not there, n4 has left its socket behind, n5 hangs."""
    places = {f"n{number}": tmp_path / f"{number}.sock" for number in range(1, 6)}
    async with contextlib.AsyncExitStack() as stack:
        app = web.Application()
        app.router.add_get(OWN_CHECKS, _checks)
        app.router.add_get("/livez", _life)
        runner = web.AppRunner(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.UnixSite(runner, places["n2"]).start()
        left = await asyncio.start_unix_server(_hang, places["n4"])
        left.close()
        await left.wait_closed()
        assert places["n4"].is_socket()
        hanging = await asyncio.start_unix_server(_hang, places["n5"])
        stack.callback(hanging.close)
        yield Siblings("n1", places, patience_s=PATIENCE_S)


async def _checks(_request: web.Request) -> web.Response:
    return web.json_response({"store": "", "draining": "it is"})


async def _life(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.query_string} {request.headers['Accept']}")


async def _hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def among(services: Services, siblings: Siblings, *names: str) -> None:
    """The site is now a worker among these."""
    places = {name: siblings.places[name] for name in ("n1", *names)}
    object.__setattr__(services, "siblings", Siblings("n1", places, patience_s=PATIENCE_S))


async def page(site: Site, path: str) -> tuple[int, list[str]]:
    async with site.admin.get(path) as response:
        return response.status, (await response.text()).splitlines()


async def test_who_answers_and_who_does_not(siblings: Siblings) -> None:
    assert await siblings.ask("/livez", query="a=1", accept="text/plain") == {
        "n2": b"a=1 text/plain",
        "n3": Silence.GONE,
        "n4": Silence.GONE,
        "n5": Silence.HANGS,
    }
    assert (await siblings.ask("/nothing"))["n2"] is Silence.HANGS


async def test_alone_there_is_nobody_to_ask() -> None:
    assert not ALONE
    assert await ALONE.ask("/livez") == {}


async def test_one_that_is_not_ready_is_told_by_its_name(site: Site, siblings: Siblings) -> None:
    among(site.services, siblings, "n2")
    assert await page(site, "/readyz") == (503, ["[-] n2 draining: it is", "not ready"])
    assert await page(site, "/livez") == (200, ["ok"])


async def test_one_that_is_being_started_gets_no_clients_and_stops_nobody(
    site: Site, siblings: Siblings
) -> None:
    among(site.services, siblings, "n3", "n4")
    assert await page(site, "/readyz") == (200, ["ok"])
    _, verbose = await page(site, "/readyz?verbose")
    assert verbose[-3:] == ["[+] n3 is being started", "[+] n4 is being started", "ok"]
    assert await page(site, "/livez") == (200, ["ok"])


async def test_one_that_hangs_is_neither_ready_nor_alive(site: Site, siblings: Siblings) -> None:
    among(site.services, siblings, "n5")
    assert await page(site, "/readyz") == (503, ["[-] n5 answer: does not answer", "not ready"])
    assert await page(site, "/livez") == (503, ["n5 does not answer"])


async def test_metrics_of_one_that_does_not_answer_are_missing(site: Site, siblings: Siblings) -> None:
    among(site.services, siblings, "n3", "n5")
    status, lines = await page(site, "/metrics")
    assert status == 200
    assert 'seatd_store_up{node="n1"} 1.0' in lines
    assert "seatd_parked_sessions 0.0" in lines
    assert not any('node="n3"' in line or 'node="n5"' in line for line in lines)


async def test_only_what_is_asked_for(site: Site, siblings: Siblings) -> None:
    among(site.services, siblings, "n3")
    _, lines = await page(site, "/metrics?name[]=seatd_store_up&name[]=seatd_parked_sessions")
    assert sorted(line for line in lines if not line.startswith("#")) == [
        "seatd_parked_sessions 0.0",
        'seatd_store_up{node="n1"} 1.0',
    ]
