"""nginx's file: it is read without a warning."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.deploy.edge import Certificate, nginx_file
from tests.deploy.programs import free_ports, program
from tests.scenarios.conftest import Pair


def test_it_is_read_without_a_warning(nodes: Pair, certificate: Certificate, tmp_path: Path) -> None:
    file = tmp_path / "nginx.conf"
    file.write_text(nginx_file(nodes, certificate, free_ports(2), tmp_path))
    command = [program("nginx", "nginx-light"), "-t", "-p", tmp_path, "-c", file]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, "[warn]" in done.stderr) == (0, False), done.stderr
