"""The console in a real browser, at a real server, with live clients.

All tests here share one event loop, for a browser belongs to the loop that started it.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.chromium import MISSING, SharedBrowser, chromium_path
from tests.console.visitor import Visitor, make_administrator, sign_in, visiting
from tests.scenarios.company import Company
from tests.servers import Server, Servers

Signed = Callable[..., Awaitable[Visitor]]

HERE = Path(__file__).parent
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A skipped test says nothing by itself; this must not be overlooked."""
    if chromium_path() is None:
        terminalreporter.write_line(MISSING, yellow=True)


@pytest.fixture(scope="session")
def node() -> Iterator[Server]:
    """The server of all these tests."""
    with Servers() as servers:
        yield servers.start("console")


@pytest_asyncio.fixture(loop_scope="session")
async def browser(shared_browser: SharedBrowser) -> Browser:
    """The browser of all tests."""
    return await shared_browser.get()


@pytest_asyncio.fixture(loop_scope="session")
async def company(node: Server) -> AsyncIterator[Company]:
    """A customer of the test's own."""
    own = Company(node)
    yield own
    own.leave()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser, node: Server) -> AsyncIterator[Visitor]:
    """Somebody who has not signed in."""
    async with visiting(browser, node) as somebody:
        yield somebody


@pytest_asyncio.fixture(loop_scope="session")
async def signed(browser: Browser, node: Server) -> AsyncIterator[Signed]:
    """`await signed("/licenses", "owner", customers=["acme"])`: an administrator of the test's own with this grant (without
    one, an operator), in a browser of his own, at this address. `size` and `theme` as for `visiting`."""
    async with AsyncExitStack() as stack:

        async def make(
            path: str = "/",
            role: str = "operator",
            *,
            size: tuple[int, int] = (1440, 900),
            theme: str = "light",
            **where: object,
        ) -> Visitor:
            somebody = await stack.enter_async_context(visiting(browser, node, size=size, theme=theme))
            name = f"visitor-{next(_numbers)}"
            await make_administrator(node, name, role, **where)
            await sign_in(somebody, name)
            await somebody.visit(path)
            return somebody

        yield make
