"""What beats find due is done: all of it, whatever there is of it and whoever it belongs to."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from seatd.hub.sweeps import sweep
from seatd.store.redis import Store
from seatd.store.values import Due, Ended, Swept
from tests.conftest import Clock
from tests.hub.conftest import Hubs, signed_in, states
from tests.licenses import Licensed
from tests.store.office import NODE, Office


async def test_what_is_too_much_for_one_beat_is_done_by_the_next_ones_at_once(
    hubs: Hubs, store: Store, licensed: Licensed, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatd.store.nodes.BATCH", 3)
    await licensed()
    dies, other = await hubs("a"), await hubs("b")
    for number in range(10):
        await signed_in(dies, f"u{number}")
    await other.leases.round(store.partition("acme"))
    clock.pass_ms(store.options.node_lease_ms + 1)
    await other.leases.round(store.partition("acme"))
    assert list((await states(store)).values()) == ["parked"] * 10


async def test_one_customer_whose_sweep_fails_keeps_no_other_from_it(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, swept, told = store.sweep, [], []
    offices = [Office(store, clock, customer=name) for name in ("acme", "brand", "corp")]
    due = []
    for office in offices:
        await office.join(NODE)
        assert await office.park(await office.open("ann", session=f"ann of {office.customer}"))
        due.append(Due(customer=office.customer, session=f"ann of {office.customer}"))
    clock.pass_ms(store.options.linger_ms)

    async def failing(customer: str, items: Sequence[Due]) -> Swept:
        if customer == "acme":
            raise RuntimeError("trouble")
        swept.append(customer)
        return await really(customer, items)

    def tell(customer: str, ended: Sequence[Ended]) -> None:
        told.extend(item.session for item in ended)

    monkeypatch.setattr(store, "sweep", failing)
    assert await sweep(store, due, tell)
    assert (swept, told) == (["brand", "corp"], ["ann of brand", "ann of corp"])
    assert not await sweep(store, due, tell)
