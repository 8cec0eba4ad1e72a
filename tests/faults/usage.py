"""What a process uses, as the kernel tells it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def descriptors(pid: int) -> int:
    """How many descriptors it has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def besides(pid: int, *addresses: str) -> int:
    """The same without the connections from and to these (HOST:PORT), and without those that are dead."""
    return descriptors(pid) - between(pid, *addresses) - dead(pid)


def between(pid: int, *addresses: str) -> int:
    """How many connections it has that were made to these: by others where it listens, or by itself."""
    ports = {int(address.rpartition(":")[2]) for address in addresses}
    sockets = _connections(ports)
    return sum(link in sockets for link in _links(pid))


def dead(pid: int) -> int:
    """How many of its connections the other side has reset, and it has not looked at since."""
    known = "".join(
        Path(f"/proc/net/{kind}").read_text() for kind in ("tcp", "tcp6", "unix", "netlink")
    ).split()
    alive = {f"socket:[{word}]" for word in known}
    return sum(link.startswith("socket:") and link not in alive for link in _links(pid))


def resident_kb(pid: int) -> int:
    """How much memory it has."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def _links(pid: int) -> list[str]:
    """What its descriptors lead to; without those that are closed meanwhile."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(link))
    return found


def _connections(ports: set[int]) -> set[str]:
    """Sockets of this machine with one of these ports at either end, as /proc names them; but for those that listen."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = ((row[9], {int(end.rpartition(":")[2], 16) for end in row[1:3]}) for row in rows if row[3] != "0A")
    return {f"socket:[{inode}]" for inode, both in ends if both & ports}
