"""Sessions of administrators on several nodes: what another node ends is over here within seconds."""

from __future__ import annotations

import pytest

from seatd.store.administrator_values import Administrator
from seatd.web.console import CACHE_S, CACHE_SIZE, PER_PERSON, SEEN_EVERY_MS, Console, ConsoleOptions
from seatd.web.errors import Problem
from seatd.web.session_cookie import digest_of
from tests.conftest import Clock
from tests.web.conftest import Site
from tests.web.people import administrator


class Node:
    """Another node's memory of sessions, with seconds that pass when they are told to."""

    def __init__(self, site: Site, clock: Clock) -> None:
        self.now_s = 0.0
        options = ConsoleOptions()
        self.console = Console(site.services.store, options, now_ms=clock, clock=lambda: self.now_s)

    async def lets_in(self, secret: str) -> bool:
        try:
            await self.console.caller(secret, "192.0.2.1")
        except Problem as problem:
            return problem.code != "unauthenticated"
        return True


@pytest.fixture
def here(site: Site, clock: Clock) -> Node:
    return Node(site, clock)


@pytest.fixture
def there(site: Site, clock: Clock) -> Node:
    return Node(site, clock)


@pytest.fixture
async def root(site: Site) -> Administrator:
    return await administrator(site, "root")


async def test_a_session_is_good_on_every_node(here: Node, there: Node, root: Administrator) -> None:
    secret = await here.console.begin(root, "192.0.2.1")
    assert await here.lets_in(secret)
    assert await there.lets_in(secret)


@pytest.mark.parametrize("how", ["signed out", "removed", "disabled", "changed"])
async def test_what_ends_there_is_over_here_within_seconds(
    site: Site, here: Node, there: Node, root: Administrator, how: str
) -> None:
    await administrator(site, "second")
    secret = await here.console.begin(root, "192.0.2.1")
    assert await here.lets_in(secret)
    if how == "signed out":
        await there.console.end(digest_of(secret))
    elif how == "removed":
        await site.call("DELETE", "/api/v1/administrators/root")
    elif how == "disabled":
        await site.call("PATCH", "/api/v1/administrators/root", json={"disabled": True})
    else:
        await administrator(site, "root", generation=2)
    here.now_s += CACHE_S
    assert not await here.lets_in(secret)
    assert not await there.lets_in(secret)
    assert CACHE_S <= 5


async def test_being_used_is_noted_now_and_then_and_keeps_the_session(
    site: Site, clock: Clock, here: Node, there: Node, root: Administrator
) -> None:
    secret = await here.console.begin(root, "192.0.2.1")
    for _ in range(40):
        clock.pass_ms(SEEN_EVERY_MS)
        here.now_s += SEEN_EVERY_MS / 1000
        assert await here.lets_in(secret)
    assert await there.lets_in(secret)
    session = await site.services.store.sign_in(digest_of(secret))
    assert session is not None
    assert session.seen_ms == clock.now_ms


async def test_a_note_of_use_brings_no_session_back(
    site: Site, clock: Clock, here: Node, there: Node, root: Administrator
) -> None:
    secret = await here.console.begin(root, "192.0.2.1")
    assert await here.lets_in(secret)
    await there.console.end(digest_of(secret))
    clock.pass_ms(SEEN_EVERY_MS)
    assert not await here.lets_in(secret)
    assert await site.services.store.sign_in(digest_of(secret)) is None


async def test_what_has_run_out_is_thrown_away(
    site: Site, clock: Clock, here: Node, root: Administrator
) -> None:
    for _ in range(PER_PERSON):
        await here.console.begin(root, "192.0.2.1")
    clock.pass_ms(here.console.options.idle_ms)
    await here.console.begin(root, "192.0.2.1")
    assert len(await site.services.store.sign_ins()) == 1


async def test_the_memory_is_bounded(here: Node, root: Administrator) -> None:
    secret = await here.console.begin(root, "192.0.2.1")
    assert await here.lets_in(secret)
    entry = next(iter(here.console._cache.values()))
    here.console._cache.update({f"digest {number}": entry for number in range(CACHE_SIZE - 1)})
    assert await here.lets_in(await here.console.begin(root, "192.0.2.1"))
    assert len(here.console._cache) == CACHE_SIZE
