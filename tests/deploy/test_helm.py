"""The chart, rendered by Helm's own library and read by the schemas of Kubernetes. No cluster is here, so nothing runs."""

from __future__ import annotations

import re
import sys
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.programs import DEPLOY, checked

CHART = DEPLOY / "helm" / "seatd"
SEATD = Path(sys.executable).with_name("seatd")
EVERYTHING = {
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {
        "clientsFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
        "adminFrom": [{"podSelector": {"matchLabels": {"app": "proxy"}}}],
        "storeTo": [{"ipBlock": {"cidr": "10.1.0.0/16"}}],
        "sentinelPort": 26379,
    },
    "service": {"clients": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}},
    "proxies": {"clients": ["10.2.0.0/16", "2001:db8::/64"], "admin": ["10.2.0.7"]},
    "persistence": {"enabled": False},
    "imagePullSecrets": [{"name": "registry"}],
    "image": {"digest": "sha256:" + "0" * 64},
    "settings": {
        "clients": {"max_sessions": 10000},
        "sessions": {"strict": True},
        "tokens": {"audience": "seatd"},
    },
    "podAnnotations": {"a": "b"},
    "nodeSelector": {"a": "b"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
}
VERSIONS = ("1.25.0", "1.31.0", "1.37.0")
OF_OTHERS = "monitoring.coreos.com/v1"
"""Its schema is the Prometheus operator's, and not in Kubernetes."""

helm: Any = pytest.importorskip("helm_python", reason="no helm-python-sdk: install the extra `deploy`")


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    """All that Helm would send to Kubernetes."""
    with helm.Chart.load(str(CHART)) as chart:
        chart.validate_schema(values)
        texts = chart.render(values, name="demo", namespace="prod")
    return [
        document
        for name, text in texts.items()
        if name.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]


def notes(values: dict[str, Any]) -> str:
    """What Helm prints after an installation."""
    with helm.Chart.load(str(CHART)) as chart:
        texts = chart.render(values, name="demo", namespace="prod")
    return next(str(text) for name, text in texts.items() if name.endswith("NOTES.txt"))


def one(kind: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
    """The only document of a kind."""
    (found,) = [document for document in rendered(values or {}) if document["kind"] == kind]
    return found


def test_helm_finds_nothing_wrong() -> None:
    assert helm.lint(str(CHART))["errors"] == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["default", "everything"])
def test_kubernetes_would_take_it(version: str, values: dict[str, Any]) -> None:
    validate = pytest.importorskip(
        "kubernetes_validate", reason="no kubernetes-validate: install the extra `deploy`"
    )
    documents = rendered(values)
    for document in documents:
        if document["apiVersion"] != OF_OTHERS:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of the library's own
                validate.validate(document, version, strict=True)
    kinds = {document["kind"] for document in documents}
    assert {
        "StatefulSet",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "Service",
        "ConfigMap",
        "ServiceAccount",
    } <= kinds
    assert ("ServiceMonitor" in kinds) == bool(values)


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["default", "everything"])
def test_a_node_would_start_with_its_settings(values: dict[str, Any], tmp_path: Path) -> None:
    text = one("ConfigMap", values)["data"]["seatd.toml"]
    for name, content in (("store.url", "redis://s:p@valkey:6379"), ("tokens.secret", "s" * 32)):
        (tmp_path / name).write_text(content)
    (tmp_path / "vendor.pem").write_text(checked(SEATD, "keys", "new", "--out", tmp_path / "vendor.key"))
    file = tmp_path / "seatd.toml"
    file.write_text(
        text.replace("/run/secrets/seatd", str(tmp_path)).replace("/var/lib/seatd", str(tmp_path / "data"))
    )
    shown = checked(SEATD, "config", "show", "--config", file)
    (row,) = [line for line in shown.splitlines() if line.startswith("clients.max_sessions ")]
    assert ("10000" in row) == bool(values)
    checked(SEATD, "config", "check", "--config", file)


def test_a_secret_among_the_settings_is_refused() -> None:
    """A ConfigMap is no place for it."""
    for values in ({"store": {"url": "redis://u:p@h"}}, {"tokens": {"hs256_secret": "s" * 32}}):
        with pytest.raises(Exception, match="'not' failed"):
            rendered({"settings": values})


def test_only_the_proxies_that_are_named_are_believed() -> None:
    """What they say of a client's address counts; by default nobody's word does."""
    default, named = (tomllib.loads(one("ConfigMap", v)["data"]["seatd.toml"]) for v in ({}, EVERYTHING))
    assert (default["clients"]["proxies"], default["admin"]["proxies"]) == ([], [])
    assert ["proxies.clients" in notes(values) for values in ({}, EVERYTHING)] == [True, False]
    assert named["clients"]["proxies"] == ["10.2.0.0/16", "2001:db8::/64"]
    assert named["admin"]["proxies"] == ["10.2.0.7"]


@pytest.mark.parametrize("proxies", ["10.2.0.0/16", ["ingress-nginx"], ["10.2.0.0/16,10.3.0.0/16"]])
def test_what_is_no_list_of_addresses_is_no_proxy(proxies: object) -> None:
    """Before a node finds out and does not start."""
    with pytest.raises(Exception, match="proxies"):
        rendered({"proxies": {"clients": proxies}})


def test_a_load_balancer_may_keep_the_clients_addresses() -> None:
    """Elsewhere Kubernetes refuses the field."""
    services = [d for d in rendered({}) if d["kind"] == "Service"]
    assert not any("externalTrafficPolicy" in service["spec"] for service in services)
    services = [d for d in rendered(EVERYTHING) if d["kind"] == "Service"]
    kept = [s["spec"]["externalTrafficPolicy"] for s in services if s["spec"].get("type") == "LoadBalancer"]
    assert kept == ["Local"]


def test_a_pod_has_no_more_rights_than_it_needs() -> None:
    spec = one("StatefulSet")["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in spec["volumes"]} | {"data"}  # a claim of its own


def test_there_is_time_to_drain() -> None:
    spec = one("StatefulSet")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    sleep_s = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["terminationGracePeriodSeconds"] >= sleep_s + 10 + 30  # node.drain, and what comes after
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "admin"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "admin"}


def test_the_services_find_the_pods() -> None:
    documents = rendered({"serviceMonitor": {"enabled": True}})
    labels = next(d for d in documents if d["kind"] == "StatefulSet")["spec"]["template"]["metadata"][
        "labels"
    ]
    services = [document for document in documents if document["kind"] == "Service"]
    assert len(services) == 3
    for service in services:
        assert service["spec"]["selector"].items() <= labels.items()
    monitor = next(document for document in documents if document["kind"] == "ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    (found,) = [service for service in services if wanted <= service["metadata"]["labels"].items()]
    assert (
        found["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "seatd"
    )  # what rules and dashboards look for
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in found["spec"]["ports"]}


def test_what_the_page_sets_is_there_to_be_set() -> None:
    """Neither Helm nor a cluster runs here: so the values of the command on the page are given to the chart."""
    page = (DEPLOY / "README.md").read_text()
    given = re.findall(r"--set ([\w.]+)=(\S+)", page)
    assert given
    values: dict[str, Any] = {}
    for path, text in given:
        *sections, name = path.split(".")
        place = values
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = yaml.safe_load(text)
    documents = rendered(values)
    assert "ServiceMonitor" in {document["kind"] for document in documents}
    assert values["image"]["repository"] in str(one("StatefulSet", values))
