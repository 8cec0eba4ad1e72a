"""What a process uses, as the kernel tells it."""

from __future__ import annotations

import os
from pathlib import Path


def descriptors(pid: int) -> int:
    """How many descriptors it has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def besides(pid: int, address: str) -> int:
    """The same without the connections that were made to `address` (HOST:PORT), where it listens."""
    served = _served(int(address.rpartition(":")[2]))
    return sum(
        _leads_to(Path(f"/proc/{pid}/fd/{name}")) not in served for name in os.listdir(f"/proc/{pid}/fd")
    )


def resident_kb(pid: int) -> int:
    """How much memory it has."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def _leads_to(link: Path) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:  # closed meanwhile
        return ""


def _served(port: int) -> set[str]:
    """Sockets of this machine that were accepted on a port, as /proc names them; closed ones too that are still open."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return {
        f"socket:[{row[9]}]" for row in rows if row[3] != "0A" and int(row[1].rpartition(":")[2], 16) == port
    }
