"""The store-wide series of Prometheus: four for each license, written a few licenses at a time.

A deployment has thousands of them, and the library takes ten times as long for a line, during which no client is heard.
What is written is what the library would write; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from seatd.turns import in_turns

if TYPE_CHECKING:
    from seatd.store.registry_values import LicenseRow

LABELS = ("customer", "product", "license")
NAMES = {
    "seatd_seats_used": "Seats in use, in the whole store.",
    "seatd_seats_limit": "Seats that the license allows.",
    "seatd_seats_above_limit": "Seats in use above the limit.",
    "seatd_license_expiry_timestamp_seconds": "When the license ends, Unix time.",
}
_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class LicenseNames(Collector):
    """Names and types of the series, without any."""

    def collect(self) -> Iterator[Metric]:
        """A family each."""
        yield from (GaugeMetricFamily(name, text, labels=LABELS) for name, text in NAMES.items())


async def with_licenses(page: bytes, rows: Sequence[LicenseRow]) -> bytes:
    """A page that has the names, with the series of these licenses below them."""
    lines: tuple[list[str], ...] = tuple([] for _ in NAMES)
    async for row in in_turns(rows):
        labels = _labels(row)
        values = (row.used, row.limit, row.above_limit, row.valid_till_ms / 1000)
        for own, name, value in zip(lines, NAMES, values, strict=True):
            own.append(f"{name}{labels} {_written(value)}\n")
    for name, own in zip(NAMES, lines, strict=True):
        head = f"# TYPE {name} gauge\n"
        page = page.replace(head.encode(), (head + "".join(own)).encode(), 1)
    return page


def _labels(row: LicenseRow) -> str:
    customer, license_, product = _escaped(row.customer), row.id.translate(_ESCAPED), _escaped(row.product)
    return f'{{customer="{customer}",license="{license_}",product="{product}"}}'


@lru_cache(maxsize=4096)  # each has many licenses
def _escaped(text: str) -> str:
    return text.translate(_ESCAPED)


@lru_cache(maxsize=4096)  # few licenses have a number of their own
def _written(value: float) -> str:
    text: str = floatToGoString(value)  # type: ignore[no-untyped-call]  # it carries no annotations
    return text
