"""Users of a customer: who they are, what they may do there, and in which groups they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from seatd.store.audit_values import Change
from seatd.store.people import UserRecord, UserRole, user_of
from seatd.turns import in_turns
from seatd.web.api.customer_views import CustomerPath, check_alive
from seatd.web.api.long_lists import sorted_in_turns
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import Text, matches, merged, named_fields, plain
from seatd.web.api.shapes import Input, Listing, Moment, Nothing, PageQuery, Search, moment, named_user
from seatd.web.api.users_raw import VALUES, possible
from seatd.web.errors import Problem

ops = Ops("users")

Sort = Literal["user", "name", "role", "extension", "created",
               "-user", "-name", "-role", "-extension", "-created"]  # fmt: skip
Groups = Annotated[
    tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=64)], ...], msgspec.Meta(max_length=50)
]
UserName = Annotated[str, msgspec.Meta(min_length=3, max_length=254, description="name@domain")]


class UserPath(CustomerPath, frozen=True, kw_only=True):
    """Which user."""

    user: UserName


class UsersOfQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`search` is looked for in user, name and groups; `domain`, `role` and `group` are exact.

    `licenses`: say which each has.
    """

    search: Search = ""
    domain: Search = ""
    role: UserRole | None = None
    group: Search = ""
    licenses: bool = False
    sort: Sort = "user"


class NewUser(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user to be made, of a domain that the customer has."""

    user: UserName
    name: Text = ""
    role: UserRole = "agent"
    groups: Groups = ()


class UserPatch(Input, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be changed; what is not named stays."""

    name: Text | UnsetType = UNSET
    role: UserRole | UnsetType = UNSET
    groups: Groups | UnsetType = UNSET


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """A user. `online`: it has a live session; null where that was not asked for (in a list). In a list that was asked for
    `licenses` there are also those: the nominal ones that it was given, the `products` that its extension takes, and `seats`,
    the licenses of which it has a seat now."""

    user: str
    domain: str
    customer: str
    name: str
    role: UserRole
    groups: tuple[str, ...]
    extension: str
    online: bool | None
    created: Moment
    licenses: tuple[str, ...] | UnsetType = UNSET
    products: tuple[str, ...] | UnsetType = UNSET
    seats: tuple[str, ...] | UnsetType = UNSET


@ops.op("GET", "/api/v1/customers/{customer}/users", "users.read", problems=("unknown_customer",))
async def list_users(call: Call[CustomerPath, UsersOfQuery, Nothing]) -> Listing[UserView]:
    """The users of a customer"""
    store, query = call.services.store, call.query
    customer = await call.scope.named_customer(call.path.customer)
    found: dict[str, bytes] = {}
    is_narrow = call.scope.domains is not None or any((query.search, query.domain, query.role, query.group))
    async for portion in store.users(customer):
        if not is_narrow:
            found |= portion
            continue
        async for user in in_turns(possible(portion, query.search)):
            if _is_sought(call, user, user_of(portion[user])):
                found[user] = portion[user]
    page = (await _in_order(found, query.sort, query.offset + query.size))[query.offset :]
    online = await store.has_session(customer, page)
    items = [replace(_view(customer, user, user_of(found[user])), online=online[user]) for user in page]
    if query.licenses:
        items = await _licensed(call, customer, items)
    return Listing(items=tuple(items), page=query.page, size=query.size, total=len(found))


@ops.op(
    "POST",
    "/api/v1/customers/{customer}/users",
    "users.change",
    problems=("unknown_customer", "customer_deleted", "unknown_domain", "user_exists"),
)
async def create_user(call: Call[CustomerPath, Nothing, NewUser]) -> UserView:
    """Make a user"""
    store, body = call.services.store, call.body
    customer = await call.scope.named_customer(call.path.customer)
    user, domain = named_user(body.user, "user")
    fields = _checked({"name": body.name, "role": body.role, "groups": body.groups})

    async def decide() -> list[Change]:
        check_alive(await store.account(customer))
        if not call.scope.has_domain(domain) or await store.fact(customer, "domains", domain) is None:
            raise Problem("unknown_domain")
        if await store.user(customer, user) is not None:
            raise Problem("user_exists")
        after = merged(None, {**fields, "created_ms": call.services.now_ms()})
        return [Change(place="users", field=user, after=after)]

    await store.amend(customer, call.caller.deed("users.create", user), decide)
    return await _shown(call, customer, user)


@ops.op(
    "GET",
    "/api/v1/customers/{customer}/users/{user}",
    "users.read",
    problems=("unknown_customer", "unknown_user"),
)
async def one_user(call: Call[UserPath, Nothing, Nothing]) -> UserView:
    """One user"""
    customer, user = await _find(call)
    return await _shown(call, customer, user)


@ops.op(
    "PATCH",
    "/api/v1/customers/{customer}/users/{user}",
    "users.change",
    problems=("unknown_customer", "unknown_user", "customer_deleted"),
)
async def change_user(call: Call[UserPath, Nothing, UserPatch]) -> UserView:
    """Change a user's name, role and groups"""
    store = call.services.store
    customer, user = await _find(call)
    fields = _checked(named_fields(call.body))

    async def decide() -> list[Change]:
        check_alive(await store.account(customer))
        before = await _record(call, customer, user)
        return [Change(place="users", field=user, before=before, after=merged(before, fields))]

    await store.amend(customer, call.caller.deed("users.change", user), decide)
    return await _shown(call, customer, user)


@ops.op(
    "DELETE",
    "/api/v1/customers/{customer}/users/{user}",
    "users.change",
    problems=("unknown_customer", "unknown_user", "user_in_use"),
)
async def delete_user(call: Call[UserPath, Nothing, Nothing]) -> None:
    """Delete a user, and take back the nominal licenses that it has"""
    store = call.services.store
    customer, user = await _find(call)

    async def decide() -> list[Change]:
        before = await _record(call, customer, user)
        if before.get("extension"):
            raise Problem("user_in_use")
        taken_back = [
            Change(place="assignments", field=f"{license_} {user}", before=True)
            for license_ in await store.assignments_of(customer, user)
        ]
        return [Change(place="users", field=user, before=before), *taken_back]

    await store.change_account(customer, call.caller.deed("users.delete", user), decide)


async def _find(call: Call[UserPath, Any, Any]) -> tuple[str, str]:
    """Customer and user in its one form, if both are there for the caller."""
    customer = await call.scope.named_customer(call.path.customer)
    user, domain = named_user(call.path.user, "user")
    if not call.scope.has_domain(domain):
        raise Problem("unknown_user")
    await _record(call, customer, user)
    return customer, user


async def _record(call: Call[Any, Any, Any], customer: str, user: str) -> Any:
    record = await call.services.store.fact(customer, "users", user)
    if record is None:
        raise Problem("unknown_user")
    return record


async def _shown(call: Call[Any, Any, Any], customer: str, user: str) -> UserView:
    store = call.services.store
    record = await store.user(customer, user)
    if record is None:
        raise Problem("unknown_user")
    online = await store.has_session(customer, [user])
    return replace(_view(customer, user, record), online=online[user])


async def _licensed(call: Call[Any, Any, Any], customer: str, users: list[UserView]) -> list[UserView]:
    """The users, each with its licenses."""
    store = call.services.store
    assigned = await store.assigned_to(customer, (user.user for user in users))
    extensions = await store.some_extensions(customer, (user.extension for user in users if user.extension))
    seats = await store.seats_of(customer, (user.user for user in users if user.online))
    return [
        replace(
            user,
            seats=tuple(seats.get(user.user, ())),
            licenses=tuple(assigned[user.user]),
            products=extensions[user.extension].products() if user.extension in extensions else (),
        )
        for user in users
    ]


def _view(customer: str, user: str, record: UserRecord) -> UserView:
    return UserView(
        user=user,
        domain=user.rpartition("@")[2],
        customer=customer,
        name=record.name,
        role=record.role,
        groups=record.groups,
        extension=record.extension,
        online=None,
        created=moment(record.created_ms),
    )


def _is_sought(call: Call[CustomerPath, UsersOfQuery, Nothing], user: str, record: UserRecord) -> bool:
    query, domain = call.query, user.rpartition("@")[2]
    return (
        call.scope.has_domain(domain)
        and query.domain in ("", domain)
        and query.role in (None, record.role)
        and (not query.group or query.group in record.groups)
        and matches(query.search, user, record.name, *record.groups)
    )


async def _in_order(found: dict[str, bytes], sort: Sort, first: int) -> list[str]:
    """The first so many users by a field, those who have the same in it by name."""
    field, reverse = sort.lstrip("-"), sort.startswith("-")
    if field == "user":
        return await sorted_in_turns(list(found), reverse=reverse, first=first)
    values_of = VALUES[field]

    def keys(users: Sequence[str]) -> Sequence[Any]:
        return values_of(found[user] for user in users)

    return await sorted_in_turns(list(found), keys=keys, reverse=reverse, first=first, tie=str)


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    plain(fields.get("name", UNSET), "name")
    if "groups" in fields:
        fields["groups"] = tuple(dict.fromkeys(fields["groups"]))
        for place, group in enumerate(fields["groups"]):
            plain(group, f"groups[{place}]")
    return fields
