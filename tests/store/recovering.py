"""What the tests of recovery do again and again: nodes know what they hold, and the store loses it."""

from __future__ import annotations

from seatd.store.keys import partition_key
from seatd.store.redis import Store
from seatd.store.values import (
    Denied,
    Granted,
    Held,
    HeldRecord,
    Opening,
    Want,
)
from seatd_protocol.messages import Device
from tests.licenses import CUSTOMER, DOMAIN

NODE = "a~1"
OTHER = "b~1"
USER = f"ann@{DOMAIN}"
DEVICE = Device(kind="desktop", id="d1")


async def beat(store: Store, node: str) -> None:
    for partition in range(store.partitions):
        await store.beat(partition, node, done=0, joined=False)


async def report(store: Store, node: str, *, durable: bool = True) -> None:
    for partition in range(store.partitions):
        await store.report(partition, node, durable=durable)


def opening(session: str, user: str = USER) -> Opening:
    want = Want(product="CALL_CENTER", holder=user, combine="sum")
    device = Device(kind="desktop", id=f"of {user}")
    return Opening(session=session, secret="s", user=user, domain=DOMAIN, device=device, need=(want,))


async def sign_in(store: Store, session: str, user: str = USER, node: str = NODE) -> Held:
    """Signs in, and answers what the node knows of it."""
    granted = await store.open(CUSTOMER, node, opening(session, user))
    assert isinstance(granted, Granted)
    record = HeldRecord(
        user=user,
        domain=DOMAIN,
        device=Device(kind="desktop", id=f"of {user}"),
        secret="s",
        since_ms=1,
        seats=granted.seats,
    )
    return Held(session=session, fence=granted.fence, record=record)


async def fail_over(store: Store) -> None:
    """The data is now served by another run of the engine."""
    for partition in range(store.partitions):
        await store.client.hset(partition_key("meta", partition), "replid", "another")


async def lose(store: Store, *names: str) -> None:
    """These customer keys are as they were before anybody signed in."""
    for name in names or ("seats", "sessions", "by_user"):
        await store.client.delete(f"seatd:{{{store.partition(CUSTOMER):02}}}:c:{CUSTOMER}:{name}")


async def used(store: Store) -> int:
    return sum(row.used for row in await store.registry())


async def is_recovering(store: Store) -> bool:
    answer = await store.open(CUSTOMER, NODE, opening("probe", f"probe@{DOMAIN}"))
    if isinstance(answer, Granted):
        await store.close(CUSTOMER, session="probe", fence=1)
    return isinstance(answer, Denied) and answer.code == "recovering"


async def states(store: Store) -> dict[str, str]:
    page = await store.sessions(customer=CUSTOMER)
    return {row.session: row.state for row in page.items}


async def resume(store: Store, session: str, user: str = USER) -> bool:
    answer = await store.attach(CUSTOMER, OTHER, session=session, secret="s", user=user)
    return isinstance(answer, Granted)


async def end_of_recovery(store: Store) -> None:
    await report(store, NODE)
    await report(store, OTHER)


async def orders(store: Store) -> list[tuple[str, str]]:
    answer = await store.beat(store.partition(CUSTOMER), NODE, done=0, joined=True)
    return [(order.type, order.session) for order in answer.orders]
