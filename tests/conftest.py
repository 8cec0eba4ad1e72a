"""What all tests share: a real engine, a store on it, a clock that the test sets, and licenses without a vendor."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Generator, Iterator

import pytest
import pytest_asyncio

from seatd.store.connect import ConnectOptions, connect
from seatd.store.redis import Store
from seatd.store.verbs import StoreOptions
from tests.canary.marks import leaks
from tests.chromium import SharedBrowser
from tests.engine import PrivateEngine, private_engine
from tests.licenses import Licensed
from tests.topologies import ClusterAsEngine, cluster, engine_under_acl, watching

NOW_MS = 1_790_000_000_000


class Clock:
    """The time that the store is told. `now_ms` may be set; `pass_ms(n)` lets n milliseconds go by."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def pass_ms(self, milliseconds: int) -> None:
        self.now_ms += milliseconds


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test fails when a secret stands in what it, or what it started in this process, has printed or logged."""
    report = yield
    said = "\n".join(text for title, text in report.sections if title.endswith(report.when or ""))
    told = leaks(said) if report.passed else set()
    if told and "tells_secrets" not in item.keywords:
        report.outcome = "failed"
        report.longrepr = f"a {', a '.join(sorted(told))} stands in what the test printed or logged"
    return report


@pytest.fixture(autouse=True, scope="module")
def nothing_left_open() -> Iterator[None]:
    """What a module's tests have left open is a failure of that module, not of whichever test the collector comes by in.

    What is still in use then is not looked at again before the end: pytest keeps so much of all tests that looking took a
    fifth of the tests' CPU.
    """
    yield
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def shared_browser() -> AsyncIterator[SharedBrowser]:
    """The browser of all tests that open pages; each page is in a context of its own."""
    shared = SharedBrowser()
    yield shared
    await shared.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[PrivateEngine]:
    """A real engine of this test session's own (`SEATD_TEST_ENGINE` names another binary).
    It serves on a Unix socket, keeps nothing on disk, and is gone afterwards. With `SEATD_TEST_TOPOLOGY=cluster`, which is
    for `tests/store`, it is a cluster; what can only be said of one server is skipped then. With `SEATD_TEST_ACL=1` the
    store's user has the rights of `deploy/valkey/users.acl` and no others, and was refused nothing in the end."""
    if os.environ.get("SEATD_TEST_TOPOLOGY") == "cluster":
        with cluster() as servers:
            yield ClusterAsEngine(servers)
        return
    if os.environ.get("SEATD_TEST_ACL") == "1":
        with engine_under_acl() as guarded:
            yield guarded
            assert guarded.refusals() == []
        return
    with private_engine() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    """The time of this test's store: it stands still until the test moves it.
    Its `now_ms` starts at NOW_MS."""
    return Clock()


@pytest.fixture
def store_options() -> StoreOptions:
    """The store's times: the defaults, with few partitions.
    A test module overrides this fixture to have others."""
    return StoreOptions(partitions=4)


@pytest.fixture
async def store(engine: PrivateEngine, clock: Clock, store_options: StoreOptions) -> AsyncIterator[Store]:
    """A store of the test's own, in an empty database, told the time by `clock`.
    Its scripts refuse keys, arguments and answers that their headers do not name."""
    opened = Store(connect(engine.url, ConnectOptions()), store_options, checked=True, now_ms=clock)
    async with watching(engine, opened):
        await opened.client.flushall()
        await opened.join()
        yield opened
    await opened.close_client()


@pytest.fixture
def licensed(store: Store) -> Licensed:
    """`await licensed("CALL_CENTER", 5)` puts a license of 5 seats into the store and answers its id.
    Every field has a default; see `tests.licenses`."""
    return Licensed(store)
