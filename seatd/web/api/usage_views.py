"""Usage as it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap
from typing import Annotated

import msgspec

from seatd.store import usage_figures as figures
from seatd.store.usage_values import UsageRow
from seatd.web.api.downloads import Cell
from seatd.web.api.shapes import Moment, moment
from seatd.web.api.usage_targets import Target


class Share(msgspec.Struct, frozen=True, gc=False):
    """So many seats were in use for so many percent of the time. From 200 on they are counted in steps of at most 1 %."""

    seats: int
    percent: float


class UsageView(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What was in use of something from one moment until before another. `in_use` is told of now only."""

    customer: str
    domain: str | None
    product: str | None
    license: str | None
    from_: Moment
    to: Moment
    in_use: int | None
    peak: int
    average: float
    seat_hours: float
    overdraft_hours: float
    grants: int
    denied: int
    healed: Annotated[int, msgspec.Meta(description="denied for want of a seat, and granted within 5 s")]
    true_denials: Annotated[
        int, msgspec.Meta(description="denied for want of a seat, and not granted within 5 s")
    ]
    denials: Annotated[dict[str, int], msgspec.Meta(description="by code")]
    suggested_seats: int | None
    shares: tuple[Share, ...]


def usage_view(
    target: Target, row: UsageRow, from_ms: int, till_ms: int, in_use: int | None = None
) -> UsageView:
    """A row of a time that is over, or has lasted until `till_ms`."""
    ms = till_ms - from_ms
    return UsageView(
        customer=target.customer,
        domain=target.scope.domain or None,
        product=target.scope.product or None,
        license=target.scope.license or None,
        from_=moment(from_ms),
        to=moment(till_ms),
        in_use=in_use,
        peak=row.peak,
        average=figures.average(row, ms),
        seat_hours=figures.hours(row.seat_ms),
        overdraft_hours=figures.hours(row.over_ms),
        grants=row.grants,
        denied=figures.denied(row),
        healed=row.healed,
        true_denials=figures.true_denials(row),
        denials=row.denials,
        suggested_seats=figures.suggested(row),
        shares=tuple(starmap(Share, figures.shares(row, ms))),
    )


COLUMNS = (
    "customer", "domain", "product", "license", "from", "to", "in_use", "peak", "average", "seat_hours", "overdraft_hours",
    "grants", "denied", "healed", "true_denials", "suggested_seats", "denials", "shares",
)  # fmt: skip


def cells(view: UsageView) -> Sequence[Cell]:
    """The row of a table: denials as `code=number`, shares as `seats=percent`, with spaces between them."""
    return (
        view.customer,
        view.domain,
        view.product,
        view.license,
        view.from_,
        view.to,
        view.in_use,
        view.peak,
        view.average,
        view.seat_hours,
        view.overdraft_hours,
        view.grants,
        view.denied,
        view.healed,
        view.true_denials,
        view.suggested_seats,
        " ".join(f"{code}={number}" for code, number in sorted(view.denials.items())),
        " ".join(f"{share.seats}={share.percent:.4g}" for share in view.shares),
    )
