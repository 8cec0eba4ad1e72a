"""The file for Docker Compose. There is no Docker here, so nothing is started: it is read by the schema of Compose, what it
names exists, and its settings are right."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.programs import DEPLOY, checked

FILE = DEPLOY / "compose.yaml"
SEATD = Path(sys.executable).with_name("seatd")


def services() -> dict[str, dict[str, object]]:
    """What it starts."""
    return dict(yaml.safe_load(FILE.read_text())["services"])


def test_it_is_what_compose_reads() -> None:
    pytest.importorskip("check_jsonschema", reason="no check-jsonschema: install the extra `deploy`")
    checked(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE)


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A copy of `deploy/` in which `prepare.sh` has made what is secret."""
    copy = tmp_path / "deploy"
    shutil.copytree(DEPLOY, copy, ignore=shutil.ignore_patterns("secrets"))
    refused = subprocess.run([copy / "prepare.sh"], capture_output=True, text=True)
    assert (refused.returncode, "vendor's public key" in refused.stderr) == (1, True)
    pem = checked(SEATD, "keys", "new", "--out", tmp_path / "vendor.key")
    (copy / "secrets" / "vendor.pem").write_text(pem)
    checked(copy / "prepare.sh")
    return copy


def test_what_is_mounted_exists(prepared: Path) -> None:
    content = yaml.safe_load(FILE.read_text())
    volumes = [volume for service in services().values() for volume in service.get("volumes", ())]  # type: ignore[attr-defined]
    named = [volume.split(":")[0] for volume in volumes]
    files = [name for name in named if name.startswith("./")]
    files += [secret["file"] for secret in content["secrets"].values()]
    assert [file for file in files if not (prepared / file).exists()] == []
    assert {name for name in named if not name.startswith("./")} == set(content["volumes"])


def test_prepared_twice_nothing_is_another(prepared: Path) -> None:
    """A password of which nodes and store know must not change because somebody runs it again."""
    before = {file.name: file.read_bytes() for file in (prepared / "secrets").iterdir()}
    checked(prepared / "prepare.sh")
    assert {file.name: file.read_bytes() for file in (prepared / "secrets").iterdir()} == before
    assert os.stat(prepared / "secrets").st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["seatd-a", "seatd-b"])
def test_a_node_would_start_with_its_settings(prepared: Path, name: str) -> None:
    environment = services()[name]["environment"]
    assert isinstance(environment, dict)
    settings = {
        key: value.replace("/run/secrets", str(prepared / "secrets")) for key, value in environment.items()
    }
    path = {"PATH": os.environ["PATH"]}
    checked(SEATD, "config", "check", env=path | settings, cwd=prepared)


def test_nothing_has_more_rights_than_it_needs() -> None:
    for name, service in services().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
    published = [port for service in services().values() for port in service.get("ports", ())]  # type: ignore[attr-defined]
    assert [port for port in published if not port.startswith("127.0.0.1:")] == ["443:443", "8443:8443"]


def test_names_are_those_of_the_other_files() -> None:
    """What HAProxy and Prometheus call the nodes is what they are called here."""
    names = set(services())
    for file in (DEPLOY / "haproxy" / "haproxy.cfg", DEPLOY / "prometheus" / "prometheus.yml"):
        called = re.findall(r"\b(seatd-[ab]|haproxy):\d+", file.read_text())
        assert called
        assert set(called) <= names
