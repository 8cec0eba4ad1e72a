"""The private network of hosts breaks as it says, heals, leaves nothing behind, and has no way out."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults import hosts
from tests.faults.namespaces import NAMES, OURS, Host, Wire, missing, private_network
from tests.faults.run import chosen_of, run_one
from tests.faults.times import SHORT

SILENT_S, SOON_S = 0.2, 5.0
SIZE = 12
pytestmark = pytest.mark.alone  # a machine's hosts and routes are there once

needs_namespaces = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture
def wire() -> Iterator[Wire]:
    with private_network("near", "far") as net:
        yield Wire(net["near"], net["far"])


class Talk:
    """A datagram socket on each of two hosts: `arrives` says whether one gets from the first to the second."""

    def __init__(self, sender: Host, receiver: Host) -> None:
        self._from, self._to = (self._bound(host) for host in (sender, receiver))

    @staticmethod
    def _bound(host: Host) -> socket.socket:
        with host.inside():
            made = socket.socket(type=socket.SOCK_DGRAM)
        made.bind((host.address, 0))
        return made

    def arrives(self, within_s: float = SOON_S) -> bool:
        self._to.settimeout(within_s)
        try:
            self._from.sendto(b"hello", self._to.getsockname())
            return self._to.recv(10) == b"hello"
        except OSError:  # nothing came, or the sender was told that nothing will
            return False

    def close(self) -> None:
        self._from.close()
        self._to.close()


@pytest.fixture
def there(wire: Wire) -> Iterator[Talk]:
    talk = Talk(wire.near, wire.far)
    yield talk
    talk.close()


@pytest.fixture
def back(wire: Wire) -> Iterator[Talk]:
    talk = Talk(wire.far, wire.near)
    yield talk
    talk.close()


@needs_namespaces
def test_hosts_reach_each_other(there: Talk, back: Talk) -> None:
    assert there.arrives()
    assert back.arrives()


@needs_namespaces
@pytest.mark.parametrize("harm", [Wire.cut, Wire.drop])
def test_a_cut_goes_both_ways_until_it_is_healed(wire: Wire, there: Talk, back: Talk, harm: object) -> None:
    assert callable(harm)
    harm(wire)
    assert not there.arrives(SILENT_S)
    assert not back.arrives(SILENT_S)
    wire.heal()
    assert there.arrives()
    assert back.arrives()


@needs_namespaces
def test_answers_alone_can_be_lost(wire: Wire, there: Talk, back: Talk) -> None:
    wire.lose_answers()
    assert there.arrives()
    assert not back.arrives(SILENT_S)
    wire.heal()
    assert back.arrives()


@needs_namespaces
def test_this_process_reaches_hosts_and_a_thread_that_was_inside_is_home_again(wire: Wire) -> None:
    with wire.far.inside():
        server = socket.create_server((wire.far.address, 0))
    with server, socket.create_connection(server.getsockname(), SOON_S) as client:
        assert client.getsockname()[0] not in (wire.far.address, wire.near.address)


@needs_namespaces
def test_only_the_thread_that_is_inside_is_elsewhere(wire: Wire) -> None:
    def here() -> str:
        return os.readlink("/proc/thread-self/ns/net")

    home = here()
    with ThreadPoolExecutor(1) as other:
        assert other.submit(here).result() == home  # it is there already
        with wire.far.inside():
            assert here() != home
            assert other.submit(here).result() == home
    assert here() == home


@needs_namespaces
@pytest.mark.parametrize("address", ["192.0.2.1", "198.51.100.1"])
def test_a_host_has_no_way_out(wire: Wire, address: str) -> None:
    with wire.near.inside(), socket.socket(type=socket.SOCK_DGRAM) as out:
        with pytest.raises(OSError, match="unreachable"):
            out.connect((address, 9))
        routes = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in routes.splitlines()] == [
        wire.near.address.rsplit(".", 1)[0] + ".0/24"
    ]


def own_names() -> list[str]:
    """What there is of this process's networks."""
    names = os.listdir(NAMES) if NAMES.is_dir() else []
    return [name for name in names if (found := OURS.match(name)) and found[2] == str(os.getpid())]


@needs_namespaces
def test_nothing_stays_behind_after_a_failure() -> None:
    before = interfaces()
    with pytest.raises(ZeroDivisionError), private_network("a", "b"):
        assert len(own_names()) == 2
        _ = 1 / 0
    assert own_names() == []
    assert interfaces() == before


def interfaces() -> set[str]:
    return {name for name in os.listdir("/sys/class/net") if name.startswith("seatd")}


@needs_namespaces
def test_what_a_killed_process_leaves_is_taken_down_by_the_next() -> None:
    program = (
        "import os, signal\n"
        "from tests.faults.namespaces import private_network\n"
        "with private_network('a'): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    before = interfaces()
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", program], cwd=root, env=os.environ | {"PYTHONPATH": "."})
    assert killed.returncode == -9
    assert interfaces() - before
    with private_network("b"):
        assert len(interfaces() - before) == 2  # a bridge and a port
    assert interfaces() == before


@pytest.mark.parametrize(
    ("lacks", "answer", "told"), [("os.geteuid", 1000, "need root"), ("shutil.which", None, "no ip")]
)
def test_where_there_can_be_none_it_says_why(
    monkeypatch: pytest.MonkeyPatch, lacks: str, answer: object, told: str
) -> None:
    monkeypatch.setattr(lacks, lambda *_: answer)
    reason = missing.__wrapped__()
    assert reason.startswith("network namespaces are not available here: ")
    if sys.platform == "linux" and (told == "need root" or os.geteuid() == 0):
        assert told in reason


async def test_without_them_a_fault_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "missing", lambda: "there is no ip")
    for fault in chosen_of("F21ns,F26ns,F28ns,F33ns"):
        result = await run_one(fault, SHORT, SIZE)
        assert (result.verdict, result.reason) == ("not run", "there is no ip")


@needs_namespaces
async def test_a_fault_on_hosts_of_their_own() -> None:
    (fault,) = chosen_of("F26ns")
    result = await run_one(fault, SHORT, SIZE)
    assert result.verdict == "pass", (result.reason, result.violations[:3])
    assert result.network == "namespaces"
