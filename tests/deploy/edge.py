"""What stands before the nodes, as `deploy/` sets it up: HAProxy or nginx, on free ports."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.deploy.programs import DEPLOY, free_ports, listens, program, rewritten, running
from tests.scenarios.conftest import Pair


class Certificate(NamedTuple):
    """Files in PEM; `both` has the certificate and its key."""

    chain: Path
    key: Path
    both: Path

    def trusted(self) -> ssl.SSLContext:
        """For clients that trust it."""
        return ssl.create_default_context(cafile=self.chain)


class Edge(NamedTuple):
    """Where clients and administrators find it. `asks`: it asks the nodes how they are; `metrics`: its own, or ""."""

    clients: str
    admin: str
    asks: bool
    metrics: str = ""


def make_certificate(folder: Path) -> Certificate:
    """A new one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files = Certificate(folder / "chain.pem", folder / "key.pem", folder / "both.pem")
    for file, content in zip(files, (chain, secret, chain + secret), strict=True):
        file.write_bytes(content)
    return files


def haproxy_file(nodes: Pair, certificate: Certificate, ports: list[int]) -> str:
    """The file of `deploy/` for these nodes. Each has an admin port of its own here, so the check names it."""
    clients, admin, metrics = ports
    return rewritten(
        DEPLOY / "haproxy" / "haproxy.cfg",
        {
            "maxconn 100000": "maxconn 1000",  # each takes two descriptors, and root alone gets as many as it likes
            "maxconn 90000": "maxconn 900",
            "bind :443 ": f"bind 127.0.0.1:{clients} ",
            "bind :8443 ": f"bind 127.0.0.1:{admin} ",
            "bind :8405": f"bind 127.0.0.1:{metrics}",
            "/etc/haproxy/certs/seatd.pem": str(certificate.both),
            "check port 8471 ": "check ",
            "seatd-a:8470": f"{nodes.a.clients} port {nodes.a.admin.partition(':')[2]}",
            "seatd-b:8470": f"{nodes.b.clients} port {nodes.b.admin.partition(':')[2]}",
            "seatd-a:8471": nodes.a.admin,
            "seatd-b:8471": nodes.b.admin,
        },
    )


@contextmanager
def haproxy(nodes: Pair, certificate: Certificate, folder: Path) -> Iterator[Edge]:
    """Runs it."""
    path = program("haproxy")
    clients, admin, metrics = ports = free_ports(3)
    file = folder / "haproxy.cfg"
    file.write_text(haproxy_file(nodes, certificate, ports))
    with running([path, "-W", "-db", "-f", file], folder / "haproxy.log", lambda: all(map(listens, ports))):
        yield Edge(f"localhost:{clients}", f"localhost:{admin}", asks=True, metrics=f"127.0.0.1:{metrics}")


def nginx_file(nodes: Pair, certificate: Certificate, ports: list[int], folder: Path) -> str:
    """The file of `deploy/` for these nodes."""
    clients, admin = ports
    return rewritten(
        DEPLOY / "nginx" / "nginx.conf",
        {
            "user www-data;\n": "",
            "/run/nginx.pid": f"{folder}/nginx.pid",
            "/var/log/nginx": str(folder),
            "worker_processes auto": "worker_processes 2",
            "listen 443 ": f"listen 127.0.0.1:{clients} ",
            "listen 8443 ": f"listen 127.0.0.1:{admin} ",
            "/etc/nginx/certs/seatd.pem": str(certificate.chain),
            "/etc/nginx/certs/seatd.key": str(certificate.key),
            "seatd-a:8470": nodes.a.clients,
            "seatd-b:8470": nodes.b.clients,
            "seatd-a:8471": nodes.a.admin,
            "seatd-b:8471": nodes.b.admin,
        },
    )


@contextmanager
def nginx(nodes: Pair, certificate: Certificate, folder: Path) -> Iterator[Edge]:
    """Runs it."""
    path = program("nginx", "nginx-light")
    clients, admin = ports = free_ports(2)
    file = folder / "nginx.conf"
    file.write_text(nginx_file(nodes, certificate, ports, folder))
    command = [path, "-p", folder, "-c", file, "-g", "daemon off;"]
    with running(command, folder / "nginx.log", lambda: all(map(listens, ports))):
        yield Edge(f"localhost:{clients}", f"localhost:{admin}", asks=False)
