"""A real Prometheus with the files of `deploy/` scrapes two nodes and HAProxy: rules, alerts and dashboards find
what they ask for."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from seatd.metrics import Metrics
from tests.deploy.edge import Certificate, haproxy
from tests.deploy.programs import DEPLOY, checked, free_ports, program, rewritten, running
from tests.engine import private_engine
from tests.scenarios.company import Company
from tests.scenarios.conftest import Pair
from tests.servers import Servers, eventually

pytestmark = pytest.mark.timeout(600)  # many programs are started, and the machine may be busy

FILES = DEPLOY / "prometheus"
BOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
METRIC = re.compile(r"\b(?:seatd|process|haproxy)_[a-z_]+\b|\bseatd:[a-z_0-9:]+")
OWN = {"up"}
README = DEPLOY / "README.md"


def alerts() -> list[dict[str, Any]]:
    """All of them, as the file has them."""
    return [rule for rule in rules("alerts.yml") if "alert" in rule]


def rules(file: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((FILES / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels(board: Path) -> list[dict[str, Any]]:
    """Those that show something."""
    return [panel for panel in json.loads(board.read_text())["panels"] if panel["type"] != "row"]


def asked(board: Path) -> list[str]:
    """What a dashboard asks of Prometheus, with its variables as they are when all are chosen."""
    queries = [target["expr"] for panel in panels(board) for target in panel["targets"]]
    return [re.sub(r"\$(customer|product|instance)", ".*", query) for query in queries]


# -- the files by themselves ----------------------------------------------------------------------


def test_promtool_finds_nothing_wrong() -> None:
    promtool = program("promtool", "prometheus")
    checked(promtool, "check", "config", FILES / "prometheus.yml")
    checked(promtool, "check", "rules", FILES / "recording.yml", FILES / "alerts.yml")


def test_each_alert_fires_when_it_should() -> None:
    checked(program("promtool", "prometheus"), "test", "rules", FILES / "alerts_test.yml")


def test_each_alert_has_a_test_and_a_section_that_says_what_to_do() -> None:
    tested = {case["name"] for case in yaml.safe_load((FILES / "alerts_test.yml").read_text())["tests"]}
    sections = set(re.findall(r"^#+ (Seatd\w+)$", README.read_text(), re.MULTILINE))
    names = {rule["alert"] for rule in alerts()}
    assert names == tested == sections
    for rule in alerts():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["runbook"] == f"deploy/README.md#{rule['alert'].lower()}"


def test_every_metric_of_ours_is_looked_at_by_something() -> None:
    """A metric that neither an alert nor a dashboard needs is either useless or forgotten here."""
    texts = [rule["expr"] for file in ("recording.yml", "alerts.yml") for rule in rules(file)]
    texts += [query for board in BOARDS for query in asked(board)]
    looked_at = {base(name) for text in texts for name in METRIC.findall(text)}
    ours = {f"{name}{'_total' * (kind == 'counter')}" for name, kind in families()}
    assert ours - looked_at == set()


def families() -> Iterator[tuple[str, str]]:
    for family in Metrics().registry.collect():
        if family.name.startswith("seatd_"):
            yield family.name, family.type


def base(name: str) -> str:
    """A histogram's name without what Prometheus adds to it."""
    return re.sub(r"_(bucket|count|sum)$", "", name)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_a_dashboard_is_one(board: Path) -> None:
    """Grafana is not in Debian: so what it needs of a file is looked at here, and what the file asks is asked below."""
    content = json.loads(board.read_text())
    assert content["uid"]
    assert content["title"]
    assert content["schemaVersion"] >= 36
    ids = [panel["id"] for panel in content["panels"]]
    assert len(ids) == len(set(ids))
    named = {variable["name"] for variable in content["templating"]["list"]}
    for panel in panels(board):
        assert panel["title"]
        assert panel["type"] in ("stat", "timeseries", "table")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert {"h", "w", "x", "y"} == set(panel["gridPos"])
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    assert set(re.findall(r"\$\{?(\w+)", board.read_text())) - {"__all"} <= named


# -- with a Prometheus that runs ------------------------------------------------------------------


class Scraped(NamedTuple):
    """A Prometheus, and the nodes that it scrapes."""

    address: str
    nodes: Pair

    def ask(self, path: str, **query: str) -> Any:
        """The answer of its API."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url) as page:
            return json.load(page)["data"]

    def values(self, query: str) -> list[dict[str, Any]]:
        """The series that a query finds."""
        return list(self.ask("query", query=query)["result"])

    def names(self) -> set[str]:
        """Every metric that it has seen."""
        return set(self.ask("label/__name__/values"))


@pytest.fixture(scope="module")
def scraped(certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    """It has the files of `deploy/`, but looks more often."""
    prometheus, folder = program("prometheus"), tmp_path_factory.mktemp("prometheus")
    with private_engine() as engine, Servers() as servers:
        nodes = Pair(*(servers.start(name, store=engine.url) for name in ("a", "b")))
        with haproxy(nodes, certificate, folder) as edge:
            for file in ("recording.yml", "alerts.yml"):
                (folder / file).write_text((FILES / file).read_text())
            changes = {
                "scrape_interval: 15s": "scrape_interval: 1s",
                "evaluation_interval: 15s": "evaluation_interval: 1s",
                "scrape_timeout: 10s": "scrape_timeout: 1s",
                "seatd-a:8471": nodes.a.admin,
                "seatd-b:8471": nodes.b.admin,
                "haproxy:8405": edge.metrics,
            }
            (folder / "prometheus.yml").write_text(rewritten(FILES / "prometheus.yml", changes))
            address = f"127.0.0.1:{free_ports(1)[0]}"
            command = [
                prometheus,
                f"--config.file={folder}/prometheus.yml",
                f"--web.listen-address={address}",
            ]
            command += [f"--storage.tsdb.path={folder}/data"]
            with running(command, folder / "prometheus.log", lambda: is_ready(address)):
                yield Scraped(address, nodes)


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/-/ready") as page:
            return bool(page.status == 200)
    except urllib.error.HTTPError as not_yet:
        not_yet.close()
        return False
    except OSError:
        return False


async def test_all_is_well(scraped: Scraped) -> None:
    """Both nodes and HAProxy are scraped, and nothing fires."""
    await eventually(lambda: len(scraped.values("up == 1")) == 3)
    await eventually(lambda: len(scraped.values("seatd:scripts:rate5m")) > 0)
    assert scraped.values('ALERTS{alertstate="firing"}') == []
    groups = scraped.ask("rules")["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} <= {"ok", "unknown"}
    assert [rule["lastError"] for group in groups for rule in group["rules"] if rule.get("lastError")] == []


async def test_what_is_asked_for_exists(scraped: Scraped) -> None:
    """Every metric of every rule, alert and dashboard is on a page of a node, or recorded of what is."""
    company = Company(*scraped.nodes)
    await company.licensed("CALL_CENTER:competitive:1")
    ann = await company.sign_in(scraped.nodes.a, "ann", "CALL_CENTER")
    await company.sign_in(scraped.nodes.b, "bob", "CALL_CENTER")
    assert [
        row["value"][1]
        for row in await found(scraped, f'seatd:seats_used:ratio{{customer="{company.name}"}}')
    ] == ["1"]
    for series in ('seatd_denials_total{code="no_seat"}', "seatd_sessions", "seatd_sessions_opened_total"):
        await found(scraped, series)
    recorded = {rule["record"] for rule in rules("recording.yml")}
    queries = [rule["expr"] for file in ("recording.yml", "alerts.yml") for rule in rules(file)]
    queries += [query for board in BOARDS for query in asked(board)]
    wanted = {name for query in queries for name in METRIC.findall(query)} - {"seatd:"}
    pages = {name for name in scraped.names() if not name.startswith("seatd:")}
    late = {
        "seatd_orders_total",
        "seatd_queue_length",
    }  # their first series come with the first order, the first who waits
    assert wanted - pages - recorded - late == set()
    for query in queries:
        scraped.ask("query", query=query)  # it raises for what Prometheus does not understand
    await ann.bye()
    company.leave()


async def found(scraped: Scraped, query: str) -> list[dict[str, Any]]:
    """What a query finds, as soon as it finds something."""
    await eventually(lambda: bool(scraped.values(query)))
    return scraped.values(query)


async def test_a_node_that_is_gone_raises_its_alert(scraped: Scraped) -> None:
    """The last test here: the node stays away."""
    scraped.nodes.b.kill()
    pending = await found(scraped, 'ALERTS{alertname="SeatdNodeDown"}')
    assert [alert["metric"]["instance"] for alert in pending] == [scraped.nodes.b.admin]
