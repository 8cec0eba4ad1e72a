"""Every metric of a node, defined once. Names, types and labels are listed in docs/metrics.md.

Labels take few values: never a user, a session, a device id or free text. A product's name comes from a
client and goes through `product_label` first.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client import disable_created_metrics as _disable_created_metrics

from seatd import __version__
from seatd.license_series import LicenseNames
from seatd.licensing.catalog import Catalog

# Seconds. Each range reaches from what is usual to what somebody should be woken for.
SCRIPT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
SIGN_IN_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LOGOUT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
QUEUE_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)

OTHER_PRODUCT = "other"

RESULTS = {
    "resumes_total": ("resumed", "gone"),
    "logouts_total": ("acknowledged", "closed", "offline", "pending"),
    "webhook_deliveries_total": ("delivered", "again", "dead"),
    "shed_total": ("draining", "max_sessions", "descriptors", "lag", "hellos"),
}
"""Series that begin at 0 with the node: of one that begins with its first event, Prometheus sees no increase."""

# Creation times double the number of series and nothing reads them.
_disable_created_metrics()  # type: ignore[no-untyped-call]  # it carries no annotations


class Metrics:
    """The metrics of one node on a registry of their own; an attribute is a metric's name without `seatd_`.

    `products` are the names that `product_label` lets through: by default those of the packaged catalogue.
    """

    def __init__(self, products: Iterable[str] | None = None, *, version: str = __version__) -> None:
        self.registry = CollectorRegistry()
        self._products = frozenset(Catalog.load().products if products is None else products)
        self.registry.register(LicenseNames())
        ProcessCollector(registry=self.registry)
        self._define_sessions()
        self._define_seats()
        self._define_logouts()
        self._define_webhooks()
        self._define_edge()
        self._define_node()
        self.build_info = self._gauge("build_info", "Always 1; the label says which version runs.", "version")
        self.build_info.labels(version).set(1)

    def product_label(self, product: str) -> str:
        """The product's name, or `other` for one that is not in the catalogue."""
        return product if product in self._products else OTHER_PRODUCT

    def _define_sessions(self) -> None:
        self.sessions = self._gauge(
            "sessions", "Sessions on this node, by device kind and state.", "device", "state"
        )
        self.parked_sessions = self._gauge(
            "parked_sessions",
            "Sessions without a socket, in the whole store: parked for a resume, or draining.",
        )
        self.sessions_opened_total = self._counter(
            "sessions_opened_total", "Sessions opened, by device kind.", "device"
        )
        self.sessions_closed_total = self._counter(
            "sessions_closed_total", "Sessions closed, by the slug of the close code.", "code"
        )
        self.resumes_total = self._counter(
            "resumes_total", "Attempts to resume a session, by result.", "result"
        )
        self.sign_in_seconds = self._histogram(
            "sign_in_seconds", "Time from the upgrade to the welcome.", SIGN_IN_BUCKETS
        )

    def _define_seats(self) -> None:
        self.seat_requests_total = self._counter(
            "seat_requests_total", "Seats asked for, by verb and result.", "verb", "result", "product"
        )
        self.denials_total = self._counter(
            "denials_total", "Refused grants, by product and denial code.", "product", "code"
        )
        self.denials_untold_total = self._counter(
            "denials_untold_total", "Denials that the store was never told of: it was away for too long."
        )
        self.queue_length = self._gauge(
            "queue_length", "Sessions on this node that wait for a seat.", "product"
        )
        self.queue_wait_seconds = self._histogram(
            "queue_wait_seconds", "Time from queued to granted.", QUEUE_BUCKETS
        )

    def _define_logouts(self) -> None:
        self.logouts_total = self._counter(
            "logouts_total", "Forced logouts of sessions, by result.", "result"
        )
        self.logout_seconds = self._histogram(
            "logout_seconds", "Time from the order of a forced logout to its receipt.", LOGOUT_BUCKETS
        )
        self.orders_total = self._counter(
            "orders_total", "Orders read from the store, by what made the node read them.", "via"
        )

    def _define_webhooks(self) -> None:
        self.webhook_deliveries_total = self._counter(
            "webhook_deliveries_total", "Tries to deliver to webhooks, by result.", "result"
        )
        self.webhook_pending = self._gauge(
            "webhook_pending", "Deliveries to webhooks that wait, in the whole store."
        )

    def _define_edge(self) -> None:
        self.shed_total = self._counter(
            "shed_total", "Newcomers sent away to come back later, by what there was too much of.", "reason"
        )
        self.refused_total = self._counter(
            "refused_total", "Requests and upgrades refused for what they are, by the reason.", "reason"
        )
        self.hellos_waiting = self._gauge("hellos_waiting", "Hellos that wait for the store's answer.")
        self.doors_shut_total = self._counter(
            "doors_shut_total",
            "Times that a listener took no connections, for want of descriptors.",
            "listener",
        )

    def _define_node(self) -> None:
        self.script_seconds = self._histogram(
            "script_seconds", "Time of a store script, seen from this node.", SCRIPT_BUCKETS, "verb"
        )
        self.beat_lag_seconds = self._histogram("beat_lag_seconds", "How late beats were sent.", LAG_BUCKETS)
        self.loop_lag_seconds = self._histogram(
            "loop_lag_seconds", "How late the event loop woke a timer.", LAG_BUCKETS
        )
        self.wakeup_echo_seconds = self._histogram(
            "wakeup_echo_seconds", "Time of the node's own wake-up through the store.", LAG_BUCKETS
        )
        self.node_lease_remaining_seconds = self._gauge(
            "node_lease_remaining_seconds", "What is left of the node's lease on its shortest partition."
        )
        self.sessions_at_risk = self._gauge(
            "sessions_at_risk",
            "Sessions that go on in the store's absence, after the node's lease has ended.",
        )
        self.healed_total = self._counter(
            "healed_total",
            "Sessions about which node and store did not agree, by when that was found and what became of them.",
            "found",
            "result",
        )
        for result in (
            "lost",
            "restored",
            "dropped",
        ):  # the first recovery is often the only one (see RESULTS)
            self.healed_total.labels("recovery", result)
        self.store_clock_drift_ratio = self._gauge(
            "store_clock_drift_ratio", "By how much the store's clock runs faster than the node's own."
        )
        self.store_up = self._gauge("store_up", "1 while the store answers, else 0.")
        self.draining = self._gauge("draining", "1 while the node drains, else 0.")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        counter = Counter(f"seatd_{name}", text, labels, registry=self.registry)
        for value in RESULTS.get(name, ()):
            counter.labels(value)
        return counter

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"seatd_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"seatd_{name}", text, labels, buckets=buckets, registry=self.registry)
