"""What is kept for whom: a waiter for several products holds on to what is free for him already."""

from __future__ import annotations

import pytest

from seatd.store.redis import Store
from seatd.store.values import Denied, Granted
from tests.licenses import CUSTOMER, Licensed
from tests.store.queueing import granted, hello, leave, orders
from tests.store.recovering import NODE

pytestmark = pytest.mark.usefixtures("joined_nodes")


async def test_who_needs_several_products_keeps_what_is_free_for_him(
    store: Store, licensed: Licensed
) -> None:
    """The rule against starving: the first in the queue only ever gets nearer."""
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    await hello(store, "both", "CALL_CENTER", "CALL_MANAGER")
    await hello(store, "eve", "CALL_CENTER")
    await leave(store, "ann")
    assert await granted(store) == []
    newcomer = await hello(store, "new", "CALL_CENTER", wait=False)
    assert isinstance(newcomer, Denied)
    assert (newcomer.code, newcomer.used, newcomer.waiting) == ("no_seat", 0, 2)
    await leave(store, "bob")
    assert await granted(store) == ["both"]
    await leave(store, "both")
    assert await granted(store) == ["both", "eve"]


async def test_others_are_served_while_the_first_waits_for_something_else(
    store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    await hello(store, "first", "CALL_CENTER")
    await hello(store, "second", "CALL_MANAGER")
    await leave(store, "bob")
    assert await granted(store) == ["second"]


async def test_when_the_first_leaves_what_he_kept_goes_to_the_next(store: Store, licensed: Licensed) -> None:
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    await hello(store, "both", "CALL_CENTER", "CALL_MANAGER")
    await hello(store, "eve", "CALL_CENTER")
    await leave(store, "ann")
    assert await store.leave_queue(CUSTOMER, session="both", fence=1) is None
    assert await granted(store) == ["eve"]


async def test_a_promise_to_one_whose_socket_is_gone_passes_on_at_once(
    store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 1)
    await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    await hello(store, "both", "CALL_CENTER", "CALL_MANAGER")
    await hello(store, "eve", "CALL_CENTER")
    await leave(store, "ann")
    assert await store.park(CUSTOMER, NODE, session="both", fence=1)
    assert await granted(store) == ["eve"]


async def test_what_is_promised_to_a_user_any_of_his_sessions_may_have(
    store: Store, licensed: Licensed
) -> None:
    """It is one seat, however many of his devices wait for it: nobody else loses anything by that."""
    await licensed("CALL_CENTER", 2)
    await licensed("CALL_MANAGER", 1)
    for name, product in (("ann", "CALL_CENTER"), ("joe", "CALL_CENTER"), ("bob", "CALL_MANAGER")):
        await hello(store, name, product)
    for session in ("both1", "both2"):
        await hello(store, "both", "CALL_CENTER", "CALL_MANAGER", session=session)
    await hello(store, "eve", "CALL_CENTER")
    await leave(store, "ann")
    await leave(store, "joe")
    assert await granted(store) == ["eve"]
    assert isinstance(await hello(store, "both", "CALL_CENTER", session="both3"), Granted)


async def test_nobody_waits_for_what_waiting_cannot_bring(store: Store, licensed: Licensed) -> None:
    """Whichever he asks for first: one product is taken, the other was never bought."""
    await licensed("CALL_CENTER", 1)
    await hello(store, "ann", "CALL_CENTER")
    for products in (("CALL_CENTER", "CALL_MANAGER"), ("CALL_MANAGER", "CALL_CENTER")):
        denied = await hello(store, "bob", *products)
        assert isinstance(denied, Denied)
        assert (denied.code, denied.product) == ("not_licensed", "CALL_MANAGER")


async def test_one_that_can_never_be_served_keeps_nothing_from_others(
    store: Store, licensed: Licensed
) -> None:
    await licensed("CALL_CENTER", 1)
    manager = await licensed("CALL_MANAGER", 1)
    await hello(store, "ann", "CALL_CENTER")
    await hello(store, "bob", "CALL_MANAGER")
    await hello(store, "both", "CALL_CENTER", "CALL_MANAGER")
    await hello(store, "eve", "CALL_CENTER")
    await leave(store, "ann")
    assert await granted(store) == []
    await store.drop_license(CUSTOMER, manager)
    assert [(order.type, order.session) for order in await orders(store)] == [
        ("refused", "both"),
        ("granted", "eve"),
    ]
