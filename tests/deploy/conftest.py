"""Two nodes on a store of their own, a certificate, and whatever stands before the nodes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.deploy.edge import Certificate, Edge, haproxy, make_certificate, nginx
from tests.engine import private_engine
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair
from tests.servers import Servers

PROXIES = {"ADMIN_PROXIES": "127.0.0.1", "NODE_DRAIN": "5s"}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for `localhost`, signed by itself."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Starts nodes of the test's own."""
    with Servers() as own:
        yield own


@pytest.fixture
def nodes(servers: Servers) -> Iterator[Pair]:
    """Two nodes of the test's own, on a store that outlives them."""
    with private_engine() as engine:
        yield Pair(*(servers.start(name, store=engine.url, **PROXIES) for name in ("a", "b")))


@pytest.fixture(params=["haproxy", "nginx"])
def edge(
    request: pytest.FixtureRequest, nodes: Pair, certificate: Certificate, tmp_path: Path
) -> Iterator[Edge]:
    """What stands before the two nodes, with its file of `deploy/`."""
    start = haproxy if request.param == "haproxy" else nginx
    with start(nodes, certificate, tmp_path) as standing:
        yield standing


@pytest.fixture
async def company(nodes: Pair) -> AsyncIterator[Company]:
    """A customer of the test's own."""
    own = Company(*nodes)
    yield own
    own.leave()
