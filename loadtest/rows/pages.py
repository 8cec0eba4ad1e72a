"""Administrators' pages on a full server, and grants meanwhile: what `./dev bench admin` shows page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection

from loadtest import admin
from loadtest.pages import GOAL_MS
from loadtest.population import customers, fill
from loadtest.rows.row import Row
from loadtest.rows.scale import Scale
from loadtest.second_node import second_node
from loadtest.server import running_server


async def measured(scale: Scale, _names: Collection[str], say: Callable[[str], None]) -> list[Row]:
    """Judged are the slowest page, and the grants that are held up most."""
    them = customers(scale.customers, scale.licenses, scale.users, scale.seats)
    async with running_server() as server, second_node(server.store) as node:
        say(f"filling in {scale.licenses:,} licenses, {scale.users:,} users, {scale.seats:,} seats")
        await fill(node, them, lambda _done: None)
        say("administrators look at pages, grants go on")
        figures = await admin.measured(server, node, them, scale.asked, scale.grants_s)
    pages = [one for one in figures if one.goal == GOAL_MS]
    slowest = max(pages, key=lambda one: one.p99)
    longer = [one.judged for one in figures if one not in pages and one.judged is not None and one.goal]
    return [
        Row("pages", slowest.p99, more={f"p50_ms of {slowest.name}": slowest.p50}),
        Row("pages-grants", max(longer)),
    ]
