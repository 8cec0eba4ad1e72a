"""People who come, wait for a seat and leave, as the tests of the queue talk about them."""

from __future__ import annotations

import itertools

from seatd.store.redis import Store
from seatd.store.values import Denied, Granted, Opening, Order, Queued, Want
from seatd_protocol.messages import Device
from tests.licenses import CUSTOMER, DOMAIN
from tests.store.recovering import NODE

_devices = itertools.count(1)


def wants(user: str, *products: str) -> tuple[Want, ...]:
    return tuple(Want(product=product, holder=user, combine="sum") for product in products)


async def hello(
    store: Store,
    name: str,
    *products: str,
    node: str = NODE,
    wait: bool = True,
    priority: int = 0,
    limit: int = 200,
    session: str = "",
    device: str = "",
) -> Granted | Queued | Denied:
    """Signs `name` in, on a new device and with the name as the session's id unless others are given."""
    user = f"{name}@{DOMAIN}"
    opening = Opening(
        session=session or name,
        secret="s",
        user=user,
        domain=DOMAIN,
        device=Device(kind="desktop", id=device or f"d{next(_devices)}"),
        need=wants(user, *(products or ("CALL_CENTER",))),
        wait=wait,
        priority=priority,
        queue_limit=limit,
    )
    answer = await store.open(CUSTOMER, node, opening)
    assert isinstance(answer, Granted | Queued | Denied)
    return answer


async def orders(store: Store, node: str = NODE) -> list[Order]:
    """All orders that wait for a node."""
    beats = [await store.beat(n, node, done=0, joined=True) for n in range(store.partitions)]
    return [order for beat in beats for order in beat.orders]


async def granted(store: Store, node: str = NODE) -> list[str]:
    """The sessions whose turn has come on a node, in order."""
    return [order.session for order in await orders(store, node) if order.type == "granted"]


async def leave(store: Store, name: str) -> None:
    assert await store.close(CUSTOMER, session=name, fence=1)


async def places(store: Store) -> list[tuple[str, int]]:
    return [(place.session, place.position) for place in (await store.serve(CUSTOMER)).places]
