"""Pages of several workers made one: each family once, each series once, in both formats."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse
from prometheus_client.registry import Collector

from seatd.metrics import Metrics
from seatd.node_series import STORE_WIDE, OfNode, merged

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
Encode = Callable[[Collector], bytes]


def used(number: int, device: str) -> Metrics:
    """The metrics of a node on which so much has happened."""
    metrics = Metrics()
    metrics.sessions_opened_total.labels(device).inc(number)
    metrics.sign_in_seconds.observe(number)
    metrics.parked_sessions.set(7)
    metrics.draining.set(number)
    return metrics


def page(encode: Encode, *nodes: Metrics) -> bytes:
    """What the first of these workers answers."""
    return merged(
        [
            encode(OfNode(metrics.registry, f"a-{number}", is_whole=number == 1))
            for number, metrics in enumerate(nodes, 1)
        ]
    )


@pytest.mark.parametrize(
    ("encode", "read"),
    [(generate_latest, parse), (openmetrics.generate_latest, parse_openmetrics)],
    ids=["text", "openmetrics"],
)
def test_all_series_of_all_nodes_are_there_once(encode: Encode, read) -> None:  # type: ignore[no-untyped-def]
    one, two, three = used(1, "desktop"), used(2, 'odd" \\\n# HELP forged x'), used(3, "desktop")
    text = page(encode, one, two, three)
    families = list(read(text.decode()))
    assert len({family.name for family in families}) == len(families)
    samples = [sample for family in families for sample in family.samples]
    series = {(sample.name, *sorted(sample.labels.items())): sample.value for sample in samples}
    assert len(series) == len(samples)
    assert series["seatd_parked_sessions",] == 7
    opened = {key[1:]: value for key, value in series.items() if key[0] == "seatd_sessions_opened_total"}
    assert opened == {
        (("device", "desktop"), ("node", "a-1")): 1,
        (("device", 'odd" \\\n# HELP forged x'), ("node", "a-2")): 2,
        (("device", "desktop"), ("node", "a-3")): 3,
    }
    for number in (1, 2, 3):
        assert series["seatd_sign_in_seconds_sum", ("node", f"a-{number}")] == number
    alone = {line for line in encode(one.registry).splitlines() if line.startswith(b"#")}
    assert {line for line in text.splitlines() if line.startswith(b"#")} == alone


def test_what_one_page_lacks_is_taken_from_another() -> None:
    whole = generate_latest(Metrics().registry)
    head, rest = whole.split(b"# HELP seatd_store_up", 1)
    assert merged([head, b"# HELP seatd_store_up" + rest]) == whole
    assert merged([b"", whole]) == whole
    assert merged([whole]) == whole


def test_a_node_of_its_own_has_no_such_label() -> None:
    assert b"node=" not in generate_latest(used(1, "desktop").registry)


def test_store_wide_is_what_the_documents_call_so() -> None:
    (told,) = re.findall(
        r"^The four license metrics.*?store-wide", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    assert {name for name in STORE_WIDE if name in told} == {"seatd_parked_sessions", "seatd_webhook_pending"}
    assert len(STORE_WIDE) == 6
