"""docs/reference/metrics.md: every series that a node has, as it is registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seatd.license_series import LABELS, NAMES
from seatd.metrics import Metrics
from seatd.node_series import STORE_WIDE
from tests.docs.markdown import MADE, table, ticked

Row = tuple[str, str, str, str, str]


def page() -> str:
    """The page."""
    rows = sorted([*_of_node(), *_of_licenses()])
    parts = [
        "# Metrics",
        f"{MADE} What they mean, and which are worth an alert, is told in [metrics](../metrics.md).",
        "`store`: of the whole store, the same on every node; `node`: of the node that answers, "
        "with the label `node` as well where there are [several workers](../metrics.md#several-workers). "
        "A histogram has `_bucket`, `_sum` and `_count`.",
        table("name|type|labels|of|says", rows),
        "## Buckets",
        "In seconds.",
        table("histogram|bounds", [(f"`{name}`", bounds) for name, bounds in _buckets()]),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _of_node() -> Iterator[Row]:
    for metric in _metrics():
        name = metric._name + ("_total" if metric._type == "counter" else "")
        of = "store" if name in STORE_WIDE else "node"
        yield f"`{name}`", metric._type, ticked(metric._labelnames), of, metric._documentation


def _of_licenses() -> Iterator[Row]:
    for name, text in NAMES.items():
        yield f"`{name}`", "gauge", ticked(LABELS), "store", text


def _buckets() -> Iterator[tuple[str, str]]:
    for metric in _metrics():
        if metric._type == "histogram":
            yield metric._name, ", ".join(f"{bound:g}" for bound in metric._kwargs["buckets"])


def _metrics() -> list[Any]:
    """Those that are attributes of a node's metrics, in the order of their names."""
    found = [metric for metric in vars(Metrics()).values() if hasattr(metric, "_labelnames")]
    return sorted(found, key=lambda metric: str(metric._name))
