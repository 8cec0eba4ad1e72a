"""The nodes of the deployment."""

from __future__ import annotations

import pytest

from seatd.store.nodes import NodeLease
from seatd.store.redis import Store
from seatd.web.api.nodes import view
from tests.web.conftest import Site


async def test_a_node_that_is_up_with_its_sessions(site: Site) -> None:
    await site.imported({"limit": 9})
    assert await site.call("GET", "/api/v1/nodes") == (
        200,
        {"items": [{"node": "n1", "state": "up", "sessions": 0}]},
    )
    for name in ("ann", "bob"):
        await site.signed_in(f"{name}@acme.example", "CALL_CENTER")
    _, body = await site.call("GET", "/api/v1/nodes")
    assert body == {"items": [{"node": "n1", "state": "up", "sessions": 2}]}


async def test_one_of_which_only_some_partitions_have_heard(site: Site, store: Store) -> None:
    await store.beat(3, "n0~anew", done=0, joined=False)
    _, body = await site.call("GET", "/api/v1/nodes")
    assert body["items"] == [
        {"node": "n0", "state": "partly", "sessions": 0},
        {"node": "n1", "state": "up", "sessions": 0},
    ]


@pytest.mark.parametrize(
    ("ends_ms", "state"), [([2, 2], "up"), ([2, 1], "partly"), ([1, 1], "gone"), ([1, 1, 2, 2], "up")]
)
def test_a_node_is_up_where_its_lease_is_good(ends_ms: list[int], state: str) -> None:
    leases = [
        NodeLease(partition=at % 2, node=f"n1~{at // 2}", until_ms=until_ms, sessions=at)
        for at, until_ms in enumerate(ends_ms)
    ]
    seen = view("n1", leases, now_ms=[1, 1])
    assert (seen.state, seen.sessions) == (state, sum(range(len(ends_ms))))
