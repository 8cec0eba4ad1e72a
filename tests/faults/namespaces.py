"""A small private network of hosts, each a network namespace of Linux, whose links and routes can really be broken.

with private_network("node", "store") as net:             # needs root and `ip`: see `missing`
    with net["store"].inside():
        start_engine(bind=net["store"].address)
    net["store"].unplug()                                 # the link is down: nothing comes in or goes out
    net["store"].lose(net["node"])                        # what the store sends to the node is lost, the other way is fine
    net["store"].heal()

This process has an end of the network and reaches every host. Hosts have no route but to one another, and addresses that
nobody else has; no packet of theirs leaves the machine.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.places import Place

NAMES = Path("/run/netns")
OURS = re.compile(r"seatd-(\d+)-(\d+)-")
"""A namespace's name: the number of its network, the process that made it, its host."""
MOST = 50
NO_ROUTE = "route {} unreachable {} metric 4000000000"
"""Should the bridge lose its own route, nothing for these addresses takes another way out."""
_SETNS = ctypes.CDLL(None, use_errno=True).setns if sys.platform == "linux" else None
CLONE_NEWNET = 0x40000000


class Host(Place):
    """A host of the network: processes and sockets that are made `inside` are on it."""

    def __init__(self, namespace: str, address: str, port: str) -> None:
        self.namespace = namespace
        self.address = address
        self._port = port
        self._lost: list[Host] = []
        self._plugged = True

    @contextmanager
    def inside(self) -> Iterator[None]:
        """See `Place`."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            there = os.open(NAMES / self.namespace, os.O_RDONLY)
            try:
                _enter(there)
            finally:
                os.close(there)
            try:
                yield
            finally:
                _enter(home)
        finally:
            os.close(home)

    def unplug(self) -> None:
        """Its link goes down, as when somebody pulls the cable: nothing passes either way."""
        ip(f"link set {self._port} down")
        self._plugged = False

    def lose(self, to: Host) -> None:
        """What it sends to another host is lost; what the other sends arrives."""
        ip(f"route add blackhole {to.address}/32", inside=self)
        self._lost.append(to)

    def heal(self) -> None:
        """All is well again."""
        if not self._plugged:
            ip(f"link set {self._port} up")
            self._plugged = True
        while self._lost:
            ip(f"route del blackhole {self._lost.pop().address}/32", inside=self)


class Wire:
    """A cable (see cable.py) between two hosts."""

    def __init__(self, near: Host, far: Host) -> None:
        self.near = near
        self.far = far

    def cut(self) -> None:
        """The link of the far host goes down: nobody else reaches it either."""
        self.far.unplug()

    def drop(self) -> None:
        """What either sends to the other is lost."""
        self.near.lose(self.far)
        self.far.lose(self.near)

    def lose_answers(self) -> None:
        """Requests arrive, their answers never do."""
        self.far.lose(self.near)

    def heal(self) -> None:
        """All is well again."""
        self.near.heal()
        self.far.heal()


@contextmanager
def private_network(*names: str) -> Iterator[dict[str, Host]]:
    """Makes the hosts; all of it is gone afterwards. Raises `RuntimeError` where that cannot be: ask `missing` before.

    What runs inside must have ended before this does.
    """
    with ExitStack() as made:
        atexit.register(made.close)  # when the interpreter ends and nobody has come here
        made.callback(atexit.unregister, made.close)
        with _alone():
            _sweep()
            number = _bridge(made)
            hosts = {name: _host(made, number, n, name) for n, name in enumerate(names, 2)}
        yield hosts


@functools.cache
def missing() -> str:
    """Why there can be no such network here; empty: there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        reason = "they need root on Linux"
    elif shutil.which("ip") is None:
        reason = "there is no ip (Debian: iproute2)"
    else:
        try:
            with private_network("probe") as hosts, hosts["probe"].inside():
                return ""
        except (RuntimeError, OSError) as refused:
            reason = str(refused)
    return f"network namespaces are not available here: {reason}"


def ip(*commands: str, inside: Host | None = None, force: bool = False) -> None:
    """Runs commands of `ip`. `force`: goes on after one that fails; otherwise it raises `RuntimeError`."""
    where = ["-n", inside.namespace] if inside else []
    done = subprocess.run(
        ["ip", *where, *(["-force"] if force else []), "-batch", "-"],
        input="\n".join(commands),
        capture_output=True,
        text=True,
        start_new_session=True,  # a Ctrl-C is for the tests, which then take down what they have made
    )
    if done.returncode and not force:
        raise RuntimeError(" ".join(done.stderr.split()) or f"ip ended with {done.returncode}")


@contextmanager
def _alone() -> Iterator[None]:
    """Other processes that want to make a network wait."""
    lock = os.open("/run", os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _bridge(made: ExitStack) -> int:
    """The switch that all hosts are plugged into, with an end for this process; the network's number."""
    number = next((number for number in range(MOST) if not _is_taken(number)), MOST)
    if number == MOST:
        raise RuntimeError(f"{MOST} networks of tests are there already")
    made.callback(_remove_bridge, number)
    ip(
        f"link add {_name(number)} type bridge forward_delay 0",
        NO_ROUTE.format("add", _net(number)),
        f"link set {_name(number)} addrgenmode none",  # IPv4 is enough, and speaks only when spoken to
        f"addr add {_address(number, 1)}/24 dev {_name(number)}",
        f"link set {_name(number)} up",
    )
    return number


def _host(made: ExitStack, number: int, n: int, name: str) -> Host:
    port = f"{_name(number)}h{n}"
    host = Host(f"seatd-{number}-{os.getpid()}-{name}", _address(number, n), port)
    made.callback(ip, f"link del {port}", f"netns del {host.namespace}", force=True)
    ip(
        f"netns add {host.namespace}",
        f"link add {port} type veth peer name eth0 netns {host.namespace}",
        f"link set {port} addrgenmode none",
        f"link set {port} master {_name(number)}",
        f"link set {port} up",
    )
    ip(
        "link set lo up",
        "link set eth0 addrgenmode none",
        f"addr add {host.address}/24 dev eth0",
        "link set eth0 up",
        inside=host,
    )
    return host


def _remove_bridge(number: int) -> None:
    ip(f"link del {_name(number)}", NO_ROUTE.format("del", _net(number)), force=True)


def _sweep() -> None:
    """Takes down what a process that was killed has left."""
    for name in os.listdir(NAMES) if NAMES.is_dir() else ():
        found = OURS.match(name)
        if found and not Path("/proc", found[2]).exists():
            number = int(found[1])
            # With a namespace its links go, too, but later: a port is taken out by name, so that it can be made anew.
            ip(*(f"link del {port}" for port in _ports(number)), f"netns del {name}", force=True)
            _remove_bridge(number)


def _ports(number: int) -> list[str]:
    return [name for name in os.listdir("/sys/class/net") if name.startswith(f"{_name(number)}h")]


def _is_taken(number: int) -> bool:
    """Whether this machine has such a network, or knows its addresses from elsewhere."""
    if Path("/sys/class/net", _name(number)).exists():
        return True
    said = subprocess.run(
        ["ip", "-json", "route", "show", "to", "match", _net(number)], capture_output=True, text=True
    )
    return any(route["dst"] != "default" for route in json.loads(said.stdout or "[]"))


def _enter(namespace: int) -> None:
    """This thread is in another network from now on."""
    assert _SETNS is not None
    if _SETNS(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "a network namespace cannot be entered")


def _name(number: int) -> str:
    return f"seatd{number}"


def _net(number: int) -> str:
    return f"10.254.{number}.0/24"


def _address(number: int, host: int) -> str:
    return f"10.254.{number}.{host}"
