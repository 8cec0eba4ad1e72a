"""What a process costs, by the kernel's own accounts; and on which core it runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Seconds of CPU that it has used, in its own code and in the kernel for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def main_thread_cpu_s(pid: int) -> float:
    """The same of its first thread alone, to the nanosecond: for what takes less than the ticks of `cpu_s`."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def memory_kib(pid: int) -> float:
    """What of it is in memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return float(found[1])


def children(pid: int) -> list[int]:
    """The processes that it has started itself, and that still run."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


_CORES = sorted(os.sched_getaffinity(0))


def on_core(core: int, pids: Iterable[int]) -> None:
    """Keeps processes to one core, with all of their threads; on a machine with a single core nothing changes."""
    if len(_CORES) > 1:
        _keep_to({_CORES[core]}, pids)


def on_any_core(pids: Iterable[int]) -> None:
    """They may run wherever this process could when it began."""
    _keep_to(set(_CORES), pids)


def _keep_to(cores: set[int], pids: Iterable[int]) -> None:
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)
