"""What Grafana reads when it starts. It is not in Debian, so nothing is started: its files are held against each other, and
against where Compose puts them. The dashboards themselves are in test_prometheus.py."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.deploy.programs import DEPLOY

PROVISIONING = DEPLOY / "grafana" / "provisioning"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
MOUNTED = dict(volume.split(":")[:2] for volume in COMPOSE["grafana"]["volumes"])


def provisioned(kind: str) -> dict[str, Any]:
    """The only file of a kind."""
    (file,) = (PROVISIONING / kind).iterdir()
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    assert content["apiVersion"] == 1
    return content


def test_it_is_where_grafana_looks() -> None:
    assert MOUNTED["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert {folder.name for folder in PROVISIONING.iterdir()} == {"dashboards", "datasources"}


def test_the_dashboards_are_found_and_stay_as_they_are() -> None:
    (provider,) = provisioned("dashboards")["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"] == MOUNTED["./grafana/dashboards"]
    assert provider["allowUiUpdates"] is False
    assert list((DEPLOY / "grafana" / "dashboards").glob("*.json"))


def test_figures_come_from_the_prometheus_beside_it() -> None:
    (source,) = provisioned("datasources")["datasources"]
    assert (source["type"], source["access"], source["isDefault"]) == ("prometheus", "proxy", True)
    url = urlsplit(source["url"])
    assert url.hostname in COMPOSE
    assert url.port == 9090  # Prometheus' own, which its command does not change
    assert not [word for word in COMPOSE["prometheus"].get("command", []) if "listen-address" in word]


@pytest.mark.parametrize("name", ["grafana", "prometheus"])
def test_nothing_of_ours_can_be_changed_there(name: str) -> None:
    own = [volume for volume in COMPOSE[name]["volumes"] if volume.startswith("./")]
    assert own
    assert all(volume.endswith(":ro") for volume in own)
