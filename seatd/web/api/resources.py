"""Resources: chat gateways and e-mail profiles, switched on and off within the limits of licenses."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from seatd.licensing.names import check_license
from seatd.licensing.product import Product
from seatd.store.resources import Resource
from seatd.web.api.domains import DomainPath, find_domain
from seatd.web.api.ops import Call, Ops
from seatd.web.api.organisation_shapes import named
from seatd.web.api.shapes import Listing, Moment, Nothing, PageQuery, Search, moment
from seatd.web.errors import Problem

ops = Ops("resources")

PROBLEMS = ("unknown_domain", "no_resource", "not_licensed", "resource_limit", "customer_suspended")


class ResourcePath(DomainPath, frozen=True, kw_only=True):
    """Which resource, of which product."""

    product: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    resource: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class ResourcesQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one product only; `search` is looked for in the resource's name."""

    product: Search = ""
    search: Search = ""


class ResourceView(msgspec.Struct, frozen=True, kw_only=True):
    """A resource that is switched on. `kind`: what the product calls it, `chat_gateway` for one."""

    domain: str
    product: str
    resource: str
    kind: str | None
    since: Moment


class ResourceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A resource is switched on: `used` of `limit` are, in all domains of the license that counts."""

    domain: str
    product: str
    resource: str
    status: Literal["occupied", "already"]
    used: int
    limit: int


@ops.op("GET", "/api/v1/domains/{domain}/resources", "resources.read", problems=("unknown_domain",))
async def list_resources(call: Call[DomainPath, ResourcesQuery, Nothing]) -> Listing[ResourceView]:
    """The resources of a domain that are switched on"""
    query, sought = call.query, call.query.search.casefold()
    found = [
        _view(call, item)
        for item in await _in_domain(call, call.path.domain)
        if query.product in ("", item.product) and sought in item.resource.casefold()
    ]
    page = tuple(found[query.offset : query.offset + query.size])
    return Listing(items=page, page=query.page, size=query.size, total=len(found))


@ops.op(
    "GET",
    "/api/v1/domains/{domain}/resources/{product}/{resource}",
    "resources.read",
    problems=("unknown_domain", "unknown_resource"),
)
async def one_resource(call: Call[ResourcePath, Nothing, Nothing]) -> ResourceView:
    """One resource that is switched on"""
    path = call.path
    for item in await _in_domain(call, path.domain):
        if (item.product, item.resource) == (path.product, path.resource):
            return _view(call, item)
    raise Problem("unknown_resource")


@ops.op(
    "PUT", "/api/v1/domains/{domain}/resources/{product}/{resource}", "resources.change", problems=PROBLEMS
)
async def switch_on(call: Call[ResourcePath, Nothing, Nothing]) -> ResourceAnswer:
    """Switch a resource on, within the limit"""
    customer, domain = await find_domain(call, call.path.domain)
    product = _limited(call, call.path.product)
    resource = named(check_license, call.path.resource, "resource")
    deed = call.caller.deed("resources.on", f"{product.name} {domain} {resource}")
    done = await call.services.store.occupy(
        customer, product.name, domain, resource, combine=product.combine, deed=deed
    )
    if done.status == "full":
        raise Problem("resource_limit", f"{done.used} of {done.limit} are switched on.")
    if done.status == "not_licensed":
        raise Problem("not_licensed")
    if done.status == "suspended":
        raise Problem("customer_suspended")
    return ResourceAnswer(
        domain=domain,
        product=product.name,
        resource=resource,
        status=done.status,
        used=done.used,
        limit=done.limit,
    )


@ops.op(
    "DELETE",
    "/api/v1/domains/{domain}/resources/{product}/{resource}",
    "resources.change",
    problems=("unknown_domain", "unknown_resource"),
)
async def switch_off(call: Call[ResourcePath, Nothing, Nothing]) -> None:
    """Switch a resource off"""
    customer, domain = await find_domain(call, call.path.domain)
    path = call.path
    deed = call.caller.deed("resources.off", f"{path.product} {domain} {path.resource}")
    if not await call.services.store.vacate(customer, path.product, domain, path.resource, deed=deed):
        raise Problem("unknown_resource")


async def _in_domain(call: Call[Any, Any, Any], name: str) -> list[Resource]:
    customer, domain = await find_domain(call, name)
    return [item for item in await call.services.store.resources(customer) if item.domain == domain]


def _limited(call: Call[Any, Any, Any], name: str) -> Product:
    """The product, when it limits resources; else the problem `no_resource`."""
    product = call.services.catalog.products.get(name)
    if product is None or product.resource is None:
        raise Problem("no_resource")
    return product


def _view(call: Call[Any, Any, Any], item: Resource) -> ResourceView:
    product = call.services.catalog.products.get(item.product)
    return ResourceView(
        domain=item.domain,
        product=item.product,
        resource=item.resource,
        kind=product.resource if product else None,
        since=moment(item.since_ms),
    )
