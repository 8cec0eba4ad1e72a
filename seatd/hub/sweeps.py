"""What a beat has found due is done, customer by customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import structlog

from seatd.store.redis import Store
from seatd.store.values import Due, Ended, StoreUnavailable

log = structlog.get_logger(__name__)

Tell = Callable[[str, Sequence[Ended]], None]


async def sweep(store: Store, due: Sequence[Due], tell: Tell) -> bool:
    """Parks and ends what is due; `tell` is told what has ended. False: nothing had to be done. Raises `StoreUnavailable`."""
    by_customer: dict[str, list[Due]] = defaultdict(list)
    for item in due:
        by_customer[item.customer].append(item)
    done = [await _sweep_customer(store, customer, items, tell) for customer, items in by_customer.items()]
    return any(done)


async def _sweep_customer(store: Store, customer: str, due: Sequence[Due], tell: Tell) -> bool:
    try:
        swept = await store.sweep(customer, due)
    except StoreUnavailable:
        raise
    except Exception:  # a fault of ours with one customer: the others must go on
        log.exception("not swept", customer=customer)
        return False
    tell(customer, swept.ended)
    if swept.parked or swept.ended:
        log.info("swept", customer=customer, parked=len(swept.parked), ended=len(swept.ended))
    return bool(swept.parked or swept.ended)
