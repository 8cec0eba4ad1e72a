"""Provisioning: extensions with their base and add-on licenses, made one after another, changed and taken away."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from seatd.licensing.extensions import Extension, Wrong, consecutive
from seatd.store.account_values import Account
from seatd.store.extensions import Check, Provisioned
from seatd.web.api.customer_views import CustomerPath, check_alive
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import matches, named_fields
from seatd.web.api.shapes import Input, Listing, Nothing, PageQuery, Search
from seatd.web.errors import FieldError, Problem, invalid

ops = Ops("provisioning")

PROBLEMS = ("unknown_customer", "customer_deleted", "customer_suspended", "cannot_provision")
MOST_AT_ONCE = 1000
MOST_LICENSES = 20_000
"""Taken by one call: what is to be looked at grows with extensions times add-ons."""

Digits = Annotated[str, msgspec.Meta(max_length=5, description="3 to 5 digits")]
User = Annotated[str, msgspec.Meta(max_length=254, description='name@domain; "": nobody')]
AddOns = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=64)], ...], msgspec.Meta(max_length=100)
]


class ExtensionPath(CustomerPath, frozen=True, kw_only=True):
    """Which extension."""

    extension: Digits


class ProvisionBody(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many consecutive extensions from `start` on, each with a base license and these add-ons."""

    start: Digits
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_AT_ONCE)] = 1
    add_ons: AddOns = ()


class ExtensionPatch(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed; what is not named stays. An add-on that stands twice is there for two devices."""

    number: Annotated[str, msgspec.Meta(max_length=20)] | UnsetType = UNSET
    user: User | UnsetType = UNSET
    add_ons: AddOns | UnsetType = UNSET


class ExtensionsQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`search` is looked for in extension, number, user and add-ons; `free`: only those without a user."""

    search: Search = ""
    free: bool = False


class ExtensionView(msgspec.Struct, frozen=True, kw_only=True):
    """An extension. `assigned`: the nominal licenses that its user was given for it."""

    extension: str
    number: str
    user: str
    base: str
    add_ons: tuple[str, ...]
    assigned: tuple[str, ...]


class Provisioning(msgspec.Struct, frozen=True, kw_only=True):
    """The extensions that were made."""

    extensions: tuple[str, ...]


@ops.op("POST", "/api/v1/customers/{customer}/provision", "provisioning.change", problems=PROBLEMS)
async def provision(call: Call[CustomerPath, Nothing, ProvisionBody]) -> Provisioning:
    """Make consecutive extensions"""
    body = call.body
    customer = await call.scope.whole_customer(call.path.customer)
    if body.count * (1 + len(body.add_ons)) > MOST_LICENSES:
        raise invalid("count", f"the extensions would take more than {MOST_LICENSES} licenses in one call")
    try:
        digits = consecutive(body.start, body.count)
    except ValueError as error:
        raise invalid("start", str(error)) from None
    new = [Extension(extension=each, add_ons=body.add_ons) for each in digits]
    deed = call.caller.deed("provisioning.create", f"{digits[0]}-{digits[-1]}")
    faults = await call.services.store.provision(
        customer, new, call.services.catalog, deed, check=check_active
    )
    if faults:
        raise refused((f"{new[place].extension}.{wrong.field}", wrong) for place, wrong in faults)
    return Provisioning(extensions=digits)


@ops.op(
    "GET",
    "/api/v1/customers/{customer}/extensions",
    "provisioning.read",
    problems=("unknown_customer",),
)
async def list_extensions(call: Call[CustomerPath, ExtensionsQuery, Nothing]) -> Listing[ExtensionView]:
    """The extensions of a customer, in order"""
    query = call.query
    customer = await call.scope.named_customer(call.path.customer)
    records = await call.services.store.extensions(customer)
    found = await asyncio.to_thread(lambda: [*_sought(call, records.values())])
    page = found[query.offset : query.offset + query.size]
    return Listing(items=tuple(map(view, page)), page=query.page, size=query.size, total=len(found))


@ops.op(
    "GET",
    "/api/v1/customers/{customer}/extensions/{extension}",
    "provisioning.read",
    problems=("unknown_customer", "unknown_extension"),
)
async def one_extension(call: Call[ExtensionPath, Nothing, Nothing]) -> ExtensionView:
    """One extension"""
    return view(await _find(call))


@ops.op(
    "PATCH",
    "/api/v1/customers/{customer}/extensions/{extension}",
    "provisioning.change",
    problems=(*PROBLEMS, "unknown_extension", "unknown_domain"),
)
async def change_extension(call: Call[ExtensionPath, Nothing, ExtensionPatch]) -> ExtensionView:
    """Give an extension a user, a number, or other add-ons"""
    customer = await call.scope.named_customer(call.path.customer)
    fields, digits = named_fields(call.body), call.path.extension
    user = fields.get("user")
    if user and not call.scope.has_domain(user.rpartition("@")[2]):
        raise Problem("unknown_domain")
    deed = call.caller.deed("provisioning.change", digits)
    answer = await call.services.store.change_extension(
        customer, digits, fields, call.services.catalog, deed, check=_check(call)
    )
    if answer is None:
        raise Problem("unknown_extension")
    if isinstance(answer, list):
        raise refused((wrong.field, wrong) for _, wrong in answer)
    return view(answer)


@ops.op(
    "DELETE",
    "/api/v1/customers/{customer}/extensions/{extension}",
    "provisioning.change",
    problems=("unknown_customer", "customer_deleted", "unknown_extension"),
)
async def remove_extension(call: Call[ExtensionPath, Nothing, Nothing]) -> None:
    """Take an extension away, and what its user was given for it"""
    customer = await call.scope.named_customer(call.path.customer)
    digits = call.path.extension
    deed = call.caller.deed("provisioning.remove", digits)
    if not await call.services.store.remove_extension(customer, digits, deed, check=_check(call)):
        raise Problem("unknown_extension")


def _check(call: Call[ExtensionPath, Any, Any]) -> Check:
    """Refuses what the caller may not see, and whatever a customer would get that is suspended or just being deleted."""

    def check(account: Account, before: Provisioned, after: Provisioned | None) -> None:
        if not _is_there(call, before):
            raise Problem("unknown_extension")
        if after is not None and _gets_more(before, after):
            check_active(account)
        check_alive(account)

    return check


def _gets_more(before: Extension, after: Extension) -> bool:
    is_for_another = after.user not in ("", before.user)
    return is_for_another or bool(Counter(after.add_ons) - Counter(before.add_ons))


def check_active(account: Account) -> None:
    """The problem `customer_deleted` or `customer_suspended` for a customer that gets nothing new."""
    check_alive(account)
    if account.status == "suspended":
        raise Problem("customer_suspended")


def refused(faults: Iterable[tuple[str, Wrong]], most: int = 100) -> Problem:
    """The problem `cannot_provision`, with the first of the faults by their places."""
    errors = [FieldError(path=path, message=wrong.message) for path, wrong in faults]
    return Problem("cannot_provision", errors[0].message, errors=tuple(errors[:most]))


def view(record: Provisioned) -> ExtensionView:
    """The extension as it is shown."""
    return msgspec.convert(msgspec.to_builtins(record), ExtensionView)


async def _find(call: Call[ExtensionPath, Any, Any]) -> Provisioned:
    customer = await call.scope.named_customer(call.path.customer)
    found = await call.services.store.extension(customer, call.path.extension)
    if found is None or not _is_there(call, found):
        raise Problem("unknown_extension")
    return found


def _sought(
    call: Call[CustomerPath, ExtensionsQuery, Nothing], records: Iterable[Provisioned]
) -> Iterator[Provisioned]:
    for record in records:
        texts = (record.extension, record.number, record.user, *record.add_ons)
        is_meant = matches(call.query.search, *texts) and not (call.query.free and record.user)
        if is_meant and _is_there(call, record):
            yield record


def _is_there(call: Call[Any, Any, Any], record: Extension) -> bool:
    """Whoever is limited to some domains sees the extensions of their users only."""
    return call.scope.domains is None or call.scope.has_domain(_domain(record))


def _domain(record: Extension) -> str:
    return record.user.rpartition("@")[2]
