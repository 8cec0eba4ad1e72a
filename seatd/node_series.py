"""One page for Prometheus of several workers: what is about a node carries its name, what is about the store is there once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry, RestrictedRegistry

from seatd.license_series import NAMES

Registry = CollectorRegistry | RestrictedRegistry
"""A registry, or a part of one."""

LABEL = "node"
STORE_WIDE = frozenset({*NAMES, "seatd_parked_sessions", "seatd_webhook_pending"})
_END = b"# EOF\n"
_FAMILY = re.compile(rb"^# HELP (\S+)", re.MULTILINE)


class OfNode(Collector):
    """All series of a registry with the label `node`. Those of the whole store have none; `is_whole`: they are there."""

    def __init__(self, registry: Registry, node: str, *, is_whole: bool) -> None:
        self._registry = registry
        self._node = node
        self._is_whole = is_whole

    def collect(self) -> Iterator[Metric]:
        """A family each."""
        for family in self._registry.collect():
            if family.name not in STORE_WIDE:
                yield self._labelled(family)
            elif self._is_whole:
                yield family

    def _labelled(self, family: Metric) -> Metric:
        labelled = Metric(family.name, family.documentation, family.type, family.unit)
        labelled.samples = [
            sample._replace(labels={**sample.labels, LABEL: self._node}) for sample in family.samples
        ]
        return labelled


def merged(pages: Sequence[bytes]) -> bytes:
    """One page of several of the same format. A family stands there once, with the series of all pages below its head."""
    families: dict[bytes, list[bytes]] = {}
    for page in pages:
        for name, head, series in _families(page.removesuffix(_END)):
            families.setdefault(name, [head]).append(series)
    whole = b"".join(part for parts in families.values() for part in parts)
    return whole + _END if pages[0].endswith(_END) else whole


def _families(page: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Name, head and series of each. No line of a series begins like a head: values of labels hold no line ends."""
    starts = [*_FAMILY.finditer(page)]
    ends = [*(found.start() for found in starts), len(page)][1:]
    for found, end in zip(starts, ends, strict=True):
        series_at = page.index(b"\n", page.index(b"\n# TYPE ", found.start(), end) + 1) + 1
        yield found[1], page[found.start() : series_at], page[series_at:end]
