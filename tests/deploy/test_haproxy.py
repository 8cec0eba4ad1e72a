"""HAProxy's file: it is read without a warning, and it knows which node wants clients."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from pathlib import Path

import aiohttp

from tests.deploy.edge import Certificate, haproxy, haproxy_file
from tests.deploy.programs import free_ports, program
from tests.scenarios.conftest import Pair
from tests.scenarios.websocket import WebSocket, upgrade
from tests.servers import STOP_S, eventually


def test_it_is_read_without_a_warning(nodes: Pair, certificate: Certificate, tmp_path: Path) -> None:
    file = tmp_path / "haproxy.cfg"
    file.write_text(haproxy_file(nodes, certificate, free_ports(3)))
    done = subprocess.run([program("haproxy"), "-c", "-f", file], capture_output=True, text=True)
    assert (done.returncode, "WARNING" in done.stderr) == (0, False), done.stderr


async def test_a_node_that_drains_is_down_and_keeps_whom_it_has(
    nodes: Pair, certificate: Certificate, tmp_path: Path
) -> None:
    with haproxy(nodes, certificate, tmp_path) as edge:
        await eventually(lambda: is_up(edge.metrics, "a", "1"))
        silent = await upgrade(nodes.a.clients)  # keeps it from ending at once
        assert isinstance(silent, WebSocket)
        nodes.a.process.send_signal(signal.SIGTERM)
        await eventually(lambda: is_up(edge.metrics, "a", "0"))
        assert await is_up(edge.metrics, "b", "1")
        silent.abort()
        assert (
            await asyncio.to_thread(nodes.a.process.wait, STOP_S) == 0
        )  # told to a second time, it would not end in order


async def is_up(metrics: str, server: str, value: str) -> bool:
    """What HAProxy tells Prometheus of a node."""
    async with aiohttp.ClientSession() as http, http.get(f"http://{metrics}/metrics") as page:
        text = await page.text()
    return f'haproxy_server_check_status{{proxy="nodes",server="{server}",state="L7OK"}} {value}' in text
