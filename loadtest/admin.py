"""What administrators' pages cost on a full server: how long each takes, and how long grants wait because of them."""

from __future__ import annotations

import argparse
import time

import aiohttp
from rich.progress import Progress

from loadtest.asking import asking
from loadtest.figures import Figure, show, write
from loadtest.grants import compared, grants, timed
from loadtest.pages import Asker, pages
from loadtest.population import Customer, customers, fill
from loadtest.second_node import SecondNode, second_node
from loadtest.server import Server, running_server


async def run(options: argparse.Namespace) -> int:
    """Fills a server, measures, tells; 0 when every goal is met."""
    them = customers(options.customers, options.licenses, options.users, options.seats)
    async with running_server() as server, second_node(server.store) as node:
        filled_s = await _filled(node, them)
        figures = await measured(server, node, them, options.rounds, options.grants_s)
    about = {name: getattr(options, name) for name in ("customers", "licenses", "users", "seats")}
    show(", ".join(f"{value:,} {name}" for name, value in about.items()), figures)
    write(options.out, figures, filled_s=round(filled_s, 1), **about)
    print(f"filled in {filled_s:.0f} s; the figures are in {options.out}")
    return int(any(one.verdict == "FAIL" for one in figures))


async def _filled(node: SecondNode, them: list[Customer]) -> float:
    began_s = time.monotonic()
    total = sum(one.licenses + one.users + one.sessions for one in them)
    with Progress() as progress:
        task = progress.add_task("filling in", total=total)
        await fill(node, them, lambda done: progress.advance(task, done))
    return time.monotonic() - began_s


async def measured(
    server: Server, node: SecondNode, them: list[Customer], rounds: int, grants_s: float
) -> list[Figure]:
    """Each page so many times, then grants, for so long without and as long with pages being looked at."""
    asked = pages(them)
    async with aiohttp.ClientSession() as http, grants(server, node, them) as ways:
        asker = Asker(server, http)
        for name, path in asked.items():
            await Asker(server, http).ask(
                name, path
            )  # connections and caches are warm, as they are in daily work
            for _ in range(rounds):
                await asker.ask(name, path)
        alone = await timed(ways, grants_s)
        async with asking(server, asked.values()):
            meanwhile = await timed(ways, grants_s)
        return [*asker.figures(), *compared(alone, meanwhile)]
