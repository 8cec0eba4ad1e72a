"""What the tests of policies do again and again: a node looks after a license, and people come one after the other."""

from __future__ import annotations

from typing import Any

from seatd.store.values import Granted, Order
from tests.licenses import Licensed
from tests.store.office import CATALOG, Office


async def look(office: Office, license: str = "cc") -> int:
    """What a node does about a license that a beat found due; from how many sessions seats were taken."""
    review = await office.store.review(office.customer, license)
    holders = [item.holder for item in review.holders]
    return await office.store.enforce(office.customer, license, holders, CATALOG.bases)


async def due(office: Office, node: str = "n1") -> list[str]:
    """The licenses that a beat says somebody must look after."""
    return [item.license for item in (await office.beat(node, carry_out=False)).licenses]


async def told(office: Office, node: str = "n1") -> list[Order]:
    return list((await office.beat(node)).orders)


async def signed_in(office: Office, *names: str, **how: Any) -> list[Granted]:
    """People come one after the other."""
    sessions = []
    for name in names:
        sessions.append(await office.open(name, "CALL_CENTER", session=name, **how))
        office.clock.pass_ms(1)
    return sessions


async def ends_in(office: Office, licensed: Licensed, ms: int, limit: int = 3, **policy: Any) -> None:
    await licensed("CALL_CENTER", limit, id="cc", valid_till_ms=office.clock.now_ms + ms, policy=policy)
