"""A license as the registry shows it, and how to find one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
from msgspec.structs import replace

from seatd.store.registry_values import LicenseRow
from seatd.turns import in_turns
from seatd.web.api.license_use import Use, Uses, Validity, validity
from seatd.web.api.ops import Call
from seatd.web.api.shapes import Moment, moment
from seatd.web.caller import Scope
from seatd.web.errors import Problem
from seatd.web.services import Services

DAY_MS = 86_400_000


class LicensePath(msgspec.Struct, frozen=True, kw_only=True):
    """Which license; its id is the only one of that name in the whole store."""

    id: Annotated[str, msgspec.Meta(min_length=1)]


class LicenseView(msgspec.Struct, frozen=True, kw_only=True):
    """A license with its use now. `status`: whole days to the end, negative once it is over."""

    id: str
    product: str
    kind: Literal["competitive", "nominal"]
    competitive: Annotated[bool | None, msgspec.Meta(description="true, or null for a nominal license")]
    valid_from: Moment
    valid_till: Moment
    used: Annotated[int, msgspec.Meta(description="holders now; users assigned, or resources, if nominal")]
    online: int
    resources: Annotated[int | None, msgspec.Meta(description="switched on in its domains")]
    limit: int
    overdraft: int
    above_limit: int
    week: Annotated[float | None, msgspec.Meta(description="use against the week before, in percent")]
    status: int
    validity: Validity
    name: str
    type: str
    customer: str
    customer_name: str
    agency: str
    external_id: str
    domains: tuple[str, ...]
    created: Moment


class Views:
    """Licenses as they are shown now: what they are sorted by, and the whole view of those that a page has.

    `rows` has all licenses of each customer, one after another: some count only together.
    """

    @classmethod
    async def of(cls, services: Services, rows: Sequence[LicenseRow]) -> Views:
        """Of these licenses."""
        return cls(services, rows, await services.week_changes(rows))

    def __init__(
        self, services: Services, rows: Sequence[LicenseRow], weeks: Mapping[str, float | None]
    ) -> None:
        self._weeks = weeks
        self._now_ms = services.now_ms()
        self._uses = Uses(rows, services.catalog, self._now_ms)

    def value_of(self, field: str) -> Callable[[LicenseRow], Any]:
        """What `view` would have in this field; of a moment, milliseconds."""
        match field:
            case "valid_from" | "valid_till" | "created":
                return attrgetter(f"{field}_ms")
            case "type":
                return attrgetter("tier")
            case "used" | "resources" | "above_limit":
                of_use = attrgetter(field)
                return lambda row: of_use(self._uses.of(row))
            case "status":
                return lambda row: days_left(row.valid_till_ms, self._now_ms)
            case "validity":
                return lambda row: validity(row.valid_from_ms, row.valid_till_ms, self._now_ms)
            case "week":
                return lambda row: self._weeks.get(row.id)
            case _:
                return attrgetter(field)

    def view(self, row: LicenseRow) -> LicenseView:
        """The whole view."""
        return _view(self._uses.of(row), self._now_ms, self._weeks.get(row.id))


async def views(services: Services, rows: Sequence[LicenseRow]) -> list[LicenseView]:
    """All of the rows as they are shown now, see `Views`."""
    shown = await Views.of(services, rows)
    return [shown.view(row) async for row in in_turns(rows)]


async def view(services: Services, row: LicenseRow) -> LicenseView:
    """One of them."""
    rows = await services.store.registry([row.customer])
    found = next((shown for shown in await views(services, rows) if shown.id == row.id), None)
    if found is None:
        raise Problem("unknown_license")
    return found


def _view(use: Use, now_ms: int, week: float | None) -> LicenseView:
    row = use.row
    return LicenseView(
        id=row.id,
        product=row.product,
        kind=row.kind,
        competitive=True if row.kind == "competitive" else None,
        valid_from=moment(row.valid_from_ms),
        valid_till=moment(row.valid_till_ms),
        used=use.used,
        online=row.online,
        resources=use.resources,
        limit=row.limit,
        overdraft=row.overdraft,
        above_limit=use.above_limit,
        week=week,
        status=days_left(row.valid_till_ms, now_ms),
        validity=validity(row.valid_from_ms, row.valid_till_ms, now_ms),
        name=row.name,
        type=row.tier,
        customer=row.customer,
        customer_name=row.customer_name,
        agency=row.agency,
        external_id=row.external_id,
        domains=row.domains,
        created=moment(row.created_ms),
    )


def days_left(till_ms: int, now_ms: int) -> int:
    """Whole days from now to the last millisecond of a license: 0 on its last day, -1 from its end on."""
    return (till_ms - 1 - now_ms) // DAY_MS


def within(scope: Scope, shown: LicenseView) -> LicenseView:
    """The license as who is limited to some domains sees it: others' domains are not there."""
    if scope.domains is None:
        return shown
    return replace(shown, domains=tuple(filter(scope.has_domain, shown.domains)))


async def find_whole_license(call: Call[Any, Any, Any], license_id: str) -> LicenseRow:
    """The license for what concerns all of it: `unknown_license` as well for who has only some of its domains."""
    row = await find_license(call, license_id)
    if not call.scope.all_domains(row.domains):
        raise Problem("unknown_license")
    return row


async def find_license(call: Call[Any, Any, Any], license_id: str) -> LicenseRow:
    """The license with this id if it is there for the caller, or the problem `unknown_license`."""
    store = call.services.store
    owner = await store.owner_of_license(license_id)
    if owner is None or not await call.scope.has_customer(owner):
        raise Problem("unknown_license")
    for row in await store.registry([owner]):
        if row.id == license_id and call.scope.any_domain(row.domains):
            return row
    raise Problem("unknown_license")
