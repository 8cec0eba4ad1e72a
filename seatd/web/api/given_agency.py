"""Giving customers to agencies, and deleting agencies, so that nobody is left with one that is not there.

Agencies and customers are not changed in one step. So both sides look again after they have written: of two at once at least
one sees the other, and takes back what it did.
"""

from __future__ import annotations

from typing import Any

from seatd.store.audit_values import Change
from seatd.web.api.ops import Call
from seatd.web.errors import Problem


async def check_agency(call: Call[Any, Any, Any], agency: str) -> None:
    """Raises the problem `unknown_agency` when there is none such ("": none at all)."""
    if agency and await call.services.store.agency(agency) is None:
        raise Problem("unknown_agency")


async def check_given(call: Call[Any, Any, Any], customer: str, agency: str, former: str) -> None:
    """Looks again, once a customer has been given to an agency. When that has been deleted meanwhile the customer has its
    former one again (or none, if that is gone, too), and the problem is `unknown_agency`."""
    store, given = call.services.store, agency
    for instead in (former, ""):
        if not given or await store.agency(given) is not None:
            break
        await _exchange(call, customer, given, instead)
        given = instead
    if given != agency:
        raise Problem("unknown_agency", "the agency has just been deleted: the customer was not given to it")


async def _exchange(call: Call[Any, Any, Any], customer: str, given: str, instead: str) -> None:
    store = call.services.store

    async def decide() -> list[Change]:
        if await store.fact(customer, "account", "agency") != given:
            return []  # somebody has moved it on
        return [Change(place="account", field="agency", before=given, after=instead)]

    await store.change_account(customer, call.caller.deed("customers.move", customer), decide)


async def check_deleted(call: Call[Any, Any, Any], agency: str, record: Any) -> None:
    """Looks again, once an agency has been deleted: one that was given a customer meanwhile is there again, and the problem is
    `agency_in_use`."""
    store = call.services.store
    if not await store.customers_of(agency):
        return

    async def decide() -> list[Change]:
        if await store.agency(agency) is not None:
            return []
        return [Change(place="agencies", field=agency, after=record)]

    await store.amend(None, call.caller.deed("agencies.create", agency), decide)
    raise Problem("agency_in_use")
