"""The audit: node and store compare what they hold, and heal what they do not agree about."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from seatd.hub.hub import Hub
from seatd.hub.reassertion import FENCES_EVERY
from seatd.store.keys import customer_key
from seatd.store.redis import Store
from tests.hub.conftest import Hubs, signed_in
from tests.licenses import CUSTOMER, Licensed
from tests.store.recovering import opening

FOUND: dict[str, Any] = {"audit_s": 3600}
"""The node's own audits stay away; those of the tests take no time."""


async def audited(hub: Hub, times: int = 1) -> dict[str, float]:
    """What so many audits have healed."""
    hub.reassertion._audit_s = 0
    for _ in range(times):
        await hub.reassertion.audit()
    value = hub.metrics.registry.get_sample_value
    results = ("lost", "dropped")
    return {
        result: value("seatd_healed_total", {"found": "audit", "result": result}) or 0 for result in results
    }


async def test_where_all_agree_a_partition_is_asked_once(
    hubs: Hubs, store: Store, licensed: Licensed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await licensed(limit=5)
    hub = await hubs(**FOUND)
    peers = [await signed_in(hub, name, "CALL_CENTER") for name in ("ann", "bob")]
    told: list[int] = []
    really = hub.store.reassert

    async def reassert(customer: str, node: str, held: Any) -> Any:
        told.append(len(held))
        return await really(customer, node, held)

    monkeypatch.setattr(hub.store, "reassert", reassert)
    assert await audited(hub, FENCES_EVERY) == {"lost": 0, "dropped": 0}
    assert told == [2]
    assert all(peer.wire.closed is None for peer in peers)


async def test_a_session_that_the_store_does_not_have_ends(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed(limit=5)
    hub = await hubs(**FOUND)
    ann, bob = [await signed_in(hub, name, "CALL_CENTER") for name in ("ann", "bob")]
    session = ann.session
    assert await store.close(CUSTOMER, session=session.key, fence=session.fence)
    assert await audited(hub) == {"lost": 1, "dropped": 0}
    await ann.closed()
    assert bob.wire.closed is None


async def test_a_session_of_which_the_node_knows_nothing_is_parked(
    hubs: Hubs, store: Store, licensed: Licensed
) -> None:
    await licensed(limit=5)
    hub = await hubs(**FOUND)
    await store.open(CUSTOMER, hub.node, opening("ghost"))
    assert await audited(hub) == {"lost": 0, "dropped": 1}
    assert [row.state for row in (await store.sessions(customer=CUSTOMER)).items] == ["parked"]


async def test_another_fence_is_found_too(hubs: Hubs, store: Store, licensed: Licensed) -> None:
    await licensed(limit=5)
    hub = await hubs(**FOUND)
    ann = await signed_in(hub, "ann", "CALL_CENTER")
    name = customer_key("sessions", store.partition(CUSTOMER), CUSTOMER)
    record = msgpack.unpackb(await store.client.hget(name, ann.session.key))
    await store.client.hset(name, ann.session.key, msgpack.packb({**record, "fence": record["fence"] + 1}))
    assert (await audited(hub, FENCES_EVERY))["lost"] == 1
    await ann.closed()
