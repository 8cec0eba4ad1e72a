"""What the tests of the JavaScript client share: somewhere to run it, and real servers for it.

All tests here share one event loop, for a browser belongs to the loop that started it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from inspect import iscoroutinefunction
from pathlib import Path

import pytest
import pytest_asyncio

from tests.chromium import SharedBrowser
from tests.protocol.js.runtimes import Runtime, in_chromium, in_node
from tests.scenarios.company import Company
from tests.scenarios.conftest import BRISK, GENEROUS, Pair
from tests.servers import Servers

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def page(shared_browser: SharedBrowser) -> AsyncIterator[Runtime]:
    """Clients in a page of a browser."""
    async with in_chromium(await shared_browser.get()) as place:
        yield place


@pytest_asyncio.fixture(loop_scope="session", params=["node", "chromium"])
async def runtime(request: pytest.FixtureRequest, shared_browser: SharedBrowser) -> AsyncIterator[Runtime]:
    """Where this test's clients run: everything is tested in Node and in a browser."""
    place = in_node() if request.param == "node" else in_chromium(await shared_browser.get())
    async with place as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def node() -> AsyncIterator[Runtime]:
    """Clients in Node, for tests of what is the same everywhere."""
    async with in_node() as place:
        yield place


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Starts nodes of the test's own."""
    with Servers() as own:
        yield own


@pytest.fixture(scope="session")
def pair() -> Iterator[Pair]:
    """Two nodes on one store with short times, which any page may connect to."""
    with Servers() as servers:
        settings = {**BRISK, **GENEROUS, "CLIENTS_ALLOWED_ORIGINS": "*"}
        a = servers.start("a", **settings)
        yield Pair(a, servers.start("b", store=a.store, **settings))


@pytest.fixture
def company(pair: Pair) -> Iterator[Company]:
    """A customer of the test's own."""
    own = Company(*pair)
    yield own
    own.leave()
