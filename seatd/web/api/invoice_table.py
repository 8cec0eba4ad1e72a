"""A statement as a table: what costs (`line`), the figures that it was made of (`usage`), and the `total`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from seatd.store.statement_values import Figures, Statement
from seatd.web.api.downloads import Cell

COLUMNS = (
    "number", "customer", "from", "to", "currency", "metered", "row", "product", "license", "item", "quantity",
    "unit_price", "amount",
)  # fmt: skip


async def cells(statement: Statement) -> AsyncIterator[Sequence[Cell]]:
    """Its rows, each with what is said of the whole."""
    head = (
        statement.number,
        statement.customer,
        statement.from_.isoformat(),
        statement.to.isoformat(),
        statement.currency,
        statement.metering.state,
    )
    for line in statement.lines:
        yield (*head, "line", line.product, None, line.item, line.quantity, line.unit_price, line.amount)
    for figures in statement.usage:
        for item, quantity in _quantities(figures):
            yield (*head, "usage", figures.product, figures.license, item, quantity, None, None)
    yield (*head, "total", None, None, None, None, None, statement.total)


def _quantities(figures: Figures) -> tuple[tuple[str, str], ...]:
    return (
        ("seat_hours", figures.seat_hours),
        ("overdraft_hours", figures.overdraft_hours),
        ("average", figures.average),
        ("peak", str(figures.peak)),
        ("assigned", str(figures.assigned)),
    )
