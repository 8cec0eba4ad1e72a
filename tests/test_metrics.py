"""Every metric is defined once, documented, and has labels that take few values."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from seatd import __version__
from seatd.license_series import LABELS, NAMES, LicenseNames, with_licenses
from seatd.metrics import Metrics
from seatd.store.registry_values import LicenseRow

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(seatd_\w+)(?:\{([\w,]*)\})?` \| (\w+) \|", re.MULTILINE)


def documented() -> dict[str, tuple[str, str]]:
    """Name to labels and type, as the page says."""
    return {name: (labels, kind) for name, labels, kind in ROW.findall(PAGE.read_text())}


def defined(metrics: Metrics) -> Iterator[tuple[str, tuple[str, str]]]:
    for attribute in vars(metrics).values():
        if hasattr(attribute, "_labelnames") and hasattr(attribute, "_type"):
            suffix = "_total" if attribute._type == "counter" else ""
            yield f"{attribute._name}{suffix}", (",".join(attribute._labelnames), attribute._type)
    for family in LicenseNames().collect():
        yield family.name, (",".join(LABELS), "gauge")


def row(license_id: str, *, used: int = 0, customer: str = "acme") -> LicenseRow:
    return LicenseRow(
        id=license_id,
        customer=customer,
        customer_name="",
        agency="",
        external_id="",
        product="CALL_CENTER",
        kind="competitive",
        limit=5,
        overdraft=0,
        valid_from_ms=0,
        valid_till_ms=1_800_000_000_500,
        domains=("acme.example",),
        name="",
        tier="",
        jti="k",
        iat=0,
        created_ms=0,
        used=used,
        online=used,
    )


def text(metrics: Metrics, *rows: LicenseRow) -> str:
    return asyncio.run(with_licenses(generate_latest(metrics.registry), rows)).decode()


def test_the_page_and_the_code_say_the_same() -> None:
    assert documented() == dict(defined(Metrics()))


def test_what_is_scraped_has_only_documented_names() -> None:
    names = re.findall(r"^# TYPE (\w+) ", text(Metrics()), re.MULTILINE)
    assert set(names) <= set(documented()) | {name for name in names if name.startswith("process_")}
    assert set(documented()) <= set(names)


def test_an_attribute_is_the_name_without_the_prefix() -> None:
    metrics = Metrics()
    licenses = {
        "seatd_seats_used",
        "seatd_seats_limit",
        "seatd_seats_above_limit",
        "seatd_license_expiry_timestamp_seconds",
    }
    for name in set(documented()) - licenses:
        assert hasattr(metrics, name.removeprefix("seatd_")), name


def test_the_version_is_shown() -> None:
    assert f'seatd_build_info{{version="{__version__}"}} 1.0\n' in text(Metrics())


def test_two_nodes_in_one_process_do_not_share() -> None:
    one, two = Metrics(), Metrics()
    one.sessions_opened_total.labels("desktop").inc()
    assert "sessions_opened_total{" in text(one)
    assert "sessions_opened_total{" not in text(two)


def test_licenses_are_those_of_the_last_snapshot() -> None:
    metrics = Metrics()
    labels = '{customer="acme",license="a",product="CALL_CENTER"}'
    shown = text(metrics, row("a", used=3), row("b"))
    assert f"seatd_seats_used{labels} 3.0\n" in shown
    assert f"seatd_seats_limit{labels} 5.0\n" in shown
    assert f"seatd_license_expiry_timestamp_seconds{labels} 1.8000000005e+09\n" in shown
    assert f"seatd_seats_above_limit{labels} 0.0\n" in shown
    assert f"seatd_seats_above_limit{labels} 2.0\n" in text(metrics, row("a", used=7))
    assert 'license="a"' not in text(metrics, row("b"))


def test_names_in_labels_are_escaped() -> None:
    assert "\nforged" not in text(Metrics(), row('x"} 1\nforged 1', customer="a\\b"))


@pytest.mark.parametrize("encode", [generate_latest, openmetrics.generate_latest])
def test_licenses_are_written_as_the_library_would(encode: Callable[[Collector], bytes]) -> None:
    rows = [row(f'l{number}"\\\n', used=number * 7, customer="ä\\") for number in range(120)]

    class AsTheLibrary(Collector):
        def collect(self) -> Iterator[GaugeMetricFamily]:
            values = (
                lambda r: r.used,
                lambda r: r.limit,
                lambda r: r.above_limit,
                lambda r: r.valid_till_ms / 1000,
            )
            for (name, about), value in zip(NAMES.items(), values, strict=True):
                family = GaugeMetricFamily(name, about, labels=LABELS)
                for one in rows:
                    family.add_metric((one.customer, one.product, one.id), value(one))
                yield family

    assert asyncio.run(with_licenses(encode(LicenseNames()), rows)) == encode(AsTheLibrary())


@pytest.mark.parametrize(
    ("product", "label"),
    [("CALL_CENTER", "CALL_CENTER"), ("call_center", "other"), ("", "other"), ("x" * 64, "other")],
)
def test_products_that_clients_make_up_share_one_label(product: str, label: str) -> None:
    assert Metrics().product_label(product) == label


def test_no_label_can_name_a_person_or_a_session() -> None:
    labels = {label for names, _ in documented().values() for label in names.split(",") if label}
    bounded = {
        "device",
        "state",
        "code",
        "verb",
        "result",
        "product",
        "via",
        "version",
        "customer",
        "license",
        "reason",
        "listener",
        "found",
    }
    assert labels == bounded


def test_what_alerts_count_is_there_from_the_start() -> None:
    """Of a series that begins with its first event, Prometheus sees no increase."""
    page = generate_latest(Metrics().registry).decode()
    assert 'seatd_logouts_total{result="pending"} 0.0' in page
    assert 'seatd_webhook_deliveries_total{result="dead"} 0.0' in page
    assert 'seatd_healed_total{found="recovery",result="restored"} 0.0' in page
