"""What becomes of a customer: suspended and resumed, cancelled and taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from seatd.store.account_values import Account
from seatd.store.audit_values import Change
from seatd.web.api.customer_views import CustomerPath, CustomerView, check_alive, customer_view
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import field_changes
from seatd.web.api.shapes import Nothing

ops = Ops("customers")

PROBLEMS = ("unknown_customer", "customer_deleted")


@ops.op("POST", "/api/v1/customers/{customer}/suspend", "customers.suspend", problems=PROBLEMS)
async def suspend_customer(call: Call[CustomerPath, Nothing, Nothing]) -> CustomerView:
    """Suspend a customer: it keeps what it has and gets nothing new"""
    return await _change(call, "suspend")


@ops.op("POST", "/api/v1/customers/{customer}/resume", "customers.suspend", problems=PROBLEMS)
async def resume_customer(call: Call[CustomerPath, Nothing, Nothing]) -> CustomerView:
    """Take a suspension back"""
    return await _change(call, "resume")


@ops.op("POST", "/api/v1/customers/{customer}/cancel", "customers.end", problems=PROBLEMS)
async def cancel_customer(call: Call[CustomerPath, Nothing, Nothing]) -> CustomerView:
    """Cancel: the customer works as normal to the end of the month (UTC), then it is deleted"""
    return await _change(call, "cancel")


@ops.op("POST", "/api/v1/customers/{customer}/reinstate", "customers.end", problems=PROBLEMS)
async def reinstate_customer(call: Call[CustomerPath, Nothing, Nothing]) -> CustomerView:
    """Take a cancellation back, before the month has ended"""
    return await _change(call, "reinstate")


@ops.op("DELETE", "/api/v1/customers/{customer}", "customers.end", problems=PROBLEMS)
async def delete_customer(call: Call[CustomerPath, Nothing, Nothing]) -> None:
    """The same as cancel: the customer is deleted at the end of the month"""
    await _change(call, "cancel")


async def _change(call: Call[CustomerPath, Any, Any], what: str) -> CustomerView:
    store, now_ms = call.services.store, call.services.store.wall_ms()
    customer = await call.scope.whole_customer(call.path.customer)

    async def decide() -> list[Change]:
        account = await store.account(customer)
        check_alive(account)
        after = standing_after(account, what, now_ms)
        return field_changes("account", await store.facts(customer, "account"), after)

    await store.change_account(customer, call.caller.deed(f"customers.{what}", customer), decide)
    return await customer_view(call, customer)


def standing_after(account: Account, what: str, now_ms: int) -> dict[str, Any]:
    """The fields that say how a customer stands after it. Who is suspended stays so when the customer is cancelled: otherwise
    a customer could end its suspension by itself."""
    suspended = account.status == "suspended" or what == "suspend"
    delete_at_ms = account.delete_at_ms
    if what == "resume":
        suspended = False
    elif what == "cancel":
        delete_at_ms = delete_at_ms or month_end_ms(now_ms)
    elif what == "reinstate":
        delete_at_ms = None
    otherwise = "pending_deletion" if delete_at_ms else None  # which is active
    return {"status": "suspended" if suspended else otherwise, "delete_at_ms": delete_at_ms}


def month_end_ms(now_ms: int) -> int:
    """The first moment of the next month, in UTC."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000
