"""How many clients fit, and what a node says and does when few do."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from seatd.descriptors import limit, raise_limit, room
from tests.scenarios.websocket import Refusal, WebSocket, upgrade
from tests.servers import Servers, eventually


@pytest.mark.parametrize(
    ("descriptors", "clients"),
    [(20, 1), (64, 1), (100, 36), (256, 192), (1024, 768), (16_384, 15_360), (1_000_000, 998_976)],
)
def test_some_are_kept_back(descriptors: int, clients: int) -> None:
    assert room(descriptors) == clients


@pytest.fixture
def few() -> Iterator[int]:
    """This process may have fewer open than it could; how many it could."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_is_raised_as_far_as_it_goes(few: int) -> None:
    assert limit() == 200
    raise_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (few, few)


async def test_a_node_with_few_descriptors_refuses_who_does_not_fit() -> None:
    with Servers() as servers:
        node = servers.launch("a", descriptors="70").wait_ready()
        assert "fewer clients fit than clients.max_sessions" in node.said
        inside = [await upgrade(node.clients) for _ in range(room(70))]
        for _ in range(100):  # more than there are descriptors
            refusal = await upgrade(node.clients)
            assert isinstance(refusal, Refusal)
            assert (refusal.status, refusal.headers["connection"]) == (503, "close")
            assert 1 <= int(refusal.headers["retry-after"]) <= 8
        for socket in inside:
            assert isinstance(socket, WebSocket)
            socket.abort()

        async def let_in() -> bool:
            answer = await upgrade(node.clients)
            if isinstance(answer, WebSocket):
                answer.abort()
            return isinstance(answer, WebSocket)

        await eventually(let_in)
